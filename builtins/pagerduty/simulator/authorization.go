package simulator

import "strings"

// token is what an API key stands for: a user, or with no user the account.
type token struct {
	userID string
}

func (t token) isAccount() bool { return t.userID == "" }

// credential returns the key in an Authorization header: "Token token=KEY" for
// API keys, "Bearer KEY" for OAuth. Anything else is no credential.
func credential(authorization string) string {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return rest
	case strings.EqualFold(scheme, "Token"):
		key, found := strings.CutPrefix(rest, "token=")
		if found {
			return key
		}
	}
	return ""
}

// authenticate reports what key stands for. A user's key dies with the user.
func (s *Simulator) authenticate(key string) (token, bool) {
	found, ok := s.tokens[key]
	if !ok {
		return token{}, false
	}
	if !found.isAccount() && s.users.byID(found.userID) == nil {
		return token{}, false
	}
	return found, true
}
