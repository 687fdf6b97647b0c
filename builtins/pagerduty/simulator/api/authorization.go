package api

import (
	"net/http"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// authorized wraps the handler of a REST endpoint with what holds for all of them: a
// request identifier, a credential, the rate limit and its headers, the size of the body,
// and the permission of the key.
func authorized(handle handler) handler {
	return func(x *Exchange) Response {
		requestID := x.account.Identifiers.Request()
		return x.authorize(handle).WithHeader("x-request-id", requestID)
	}
}

func (x *Exchange) authorize(handle handler) Response {
	key, bearer := ReadCredential(x.header)
	token, ok := x.account.Authenticate(key, bearer)
	if !ok {
		return standard(http.StatusUnauthorized)
	}
	x.token = token
	left := x.api.countAgainstLimit(key, x.Now)
	switch {
	case left.exceeded:
		return left.onto(standard(http.StatusTooManyRequests))
	case x.oversized:
		return left.onto(failure(http.StatusRequestEntityTooLarge, codeInvalidInput, "Request Entity Too Large"))
	case !x.IsRead() && !x.account.MayWrite(token):
		return left.onto(standard(http.StatusForbidden))
	}
	return left.onto(handle(x))
}

// ReadCredential returns the key of an Authorization header: "Token token=KEY" for API
// keys, "Bearer KEY" for OAuth. The key of any other header is empty.
func ReadCredential(header http.Header) (key string, bearer bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header.Get("Authorization")), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return rest, true
	case strings.EqualFold(scheme, "Token"):
		if key, found := strings.CutPrefix(rest, "token="); found {
			return key, false
		}
	}
	return "", false
}

// requester returns the user who makes a request: the owner of the key, or else the
// user whom the From header names. It refuses a request without a user. With a user's
// own key the From header is ignored ([unknown, safe reading]).
func (x *Exchange) requester() (by *account.Member, refused Response, ok bool) {
	if x.token.UserID != "" {
		return x.account.Users.ByID(x.token.UserID), Response{}, true
	}
	from := x.header.Get("From")
	switch {
	case from == "":
		return nil, failure(http.StatusBadRequest, codeMissingFrom,
			`You must specify a user's email address in the "From" header to perform this action`), false
	case !account.IsEmail(from):
		return nil, failure(http.StatusBadRequest, codeMalformedFrom, `Malformed "From" header`), false
	}
	by = x.account.Users.ByEmail(account.NormalizedEmail(from))
	if by == nil {
		return nil, failure(http.StatusBadRequest, codeRequesterNotFound, "Requester User Not Found"), false
	}
	return by, Response{}, true
}

// authored wraps the handler of a request that is made for a user, its author.
func authored(handle func(x *Exchange, author *account.Member) Response) handler {
	return func(x *Exchange) Response {
		author, refused, ok := x.requester()
		if !ok {
			return refused
		}
		return handle(x, author)
	}
}
