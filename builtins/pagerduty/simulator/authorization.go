package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// token is what an API key stands for: a user, or with no user the account.
type token struct {
	kind   TokenKind
	userID string
}

func (t token) isAccount() bool { return t.userID == "" }

// credential is the key in an Authorization header.
type credential struct {
	key    string
	bearer bool
}

// readCredential reads "Token token=KEY" for API keys and "Bearer KEY" for OAuth.
// Anything else is no credential.
func readCredential(authorization string) credential {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return credential{rest, true}
	case strings.EqualFold(scheme, "Token"):
		key, found := strings.CutPrefix(rest, "token=")
		if found {
			return credential{key, false}
		}
	}
	return credential{}
}

// authenticate reports what a key stands for. A user's key dies with the user. An
// OAuth token with "Token token=" is refused ([unknown, safe reading]); an API key
// with "Bearer" is not, since clients are seen to send it.
func (s *Simulator) authenticate(given credential) (token, bool) {
	found, ok := s.tokens[given.key]
	if !ok || found.kind == OAuthToken && !given.bearer {
		return token{}, false
	}
	if !found.isAccount() && s.users.byID(found.userID) == nil {
		return token{}, false
	}
	return found, true
}

// readOnlyRoles are those of users who change nothing.
var readOnlyRoles = []string{"observer", "read_only_limited_user", "read_only_user"}

// mayDo reports whether a token is enough for a method. That the key of a user who
// may only read is refused like a read-only key is [unknown, safe reading].
func (s *Simulator) mayDo(method string, by token) bool {
	if method == http.MethodGet || method == http.MethodHead {
		return true
	}
	if user := s.users.byID(by.userID); user != nil && slices.Contains(readOnlyRoles, user.Role) {
		return false
	}
	return by.kind != ReadOnlyToken
}
