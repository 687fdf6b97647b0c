package account

import (
	"cmp"
	"maps"
	"slices"
)

// TokenKind is the kind of an API key.
type TokenKind string

// The kinds of API keys. An OAuth token is accepted with Bearer only.
const (
	AccountToken  TokenKind = "account"
	UserToken     TokenKind = "user"
	ReadOnlyToken TokenKind = "read_only"
	OAuthToken    TokenKind = "oauth"
)

// tokenKinds is in the order in which messages list them.
var tokenKinds = []TokenKind{AccountToken, UserToken, ReadOnlyToken, OAuthToken}

// Token is what an API key stands for: a user, or the account when UserID is empty.
type Token struct {
	Kind   TokenKind
	UserID string
}

// Authenticate returns what a key stands for. The key of a user works only while the
// user exists. An OAuth token without Bearer is refused ([unknown, safe reading]). An
// API key with Bearer is accepted, because clients send it.
func (a *Account) Authenticate(key string, bearer bool) (Token, bool) {
	found, ok := a.tokens[key]
	if !ok || found.Kind == OAuthToken && !bearer {
		return Token{}, false
	}
	if found.UserID != "" && a.Users.ByID(found.UserID) == nil {
		return Token{}, false
	}
	return found, true
}

// readOnlyRoles are the roles of users who may change nothing.
var readOnlyRoles = []string{"observer", "read_only_limited_user", "read_only_user"}

// MayWrite reports whether a token may change resources. The key of a user who may
// only read is refused like a read-only key ([unknown, safe reading]).
func (a *Account) MayWrite(by Token) bool {
	if user := a.Users.ByID(by.UserID); user != nil && slices.Contains(readOnlyRoles, user.Role) {
		return false
	}
	return by.Kind != ReadOnlyToken
}

// APIKey returns the first account API key, or "" without one.
func (a *Account) APIKey() string {
	if len(a.config.AccountKeys) > 0 {
		return a.config.AccountKeys[0]
	}
	for _, given := range a.config.State.Tokens {
		if cmp.Or(given.Kind, AccountToken) == AccountToken {
			return given.Key
		}
	}
	return ""
}

// Keys returns all API keys and integration keys, in no particular order.
func (a *Account) Keys() []string {
	return slices.AppendSeq(a.Services.Keys(), maps.Keys(a.tokens))
}
