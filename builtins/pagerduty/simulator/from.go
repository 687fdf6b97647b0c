package simulator

import "net/http"

// checkFrom refuses, where the From header is required, one that is not the
// address of a user. A user's own key says who acts, and the header then means
// nothing ([unknown, safe reading]: it is not looked at).
func (s *Simulator) checkFrom(x *exchange, required bool) (refused response, ok bool) {
	from := x.header.Get("From")
	switch {
	case !required || x.token.userID != "":
		return response{}, true
	case from == "":
		return failure(http.StatusBadRequest, codeMissingFrom,
			`You must specify a user's email address in the "From" header to perform this action`), false
	case !isEmail(from):
		return failure(http.StatusBadRequest, codeMalformedFrom, `Malformed "From" header`), false
	case s.users.byEmail(normalizedEmail(from)) == nil:
		return failure(http.StatusBadRequest, codeRequesterNotFound, "Requester User Not Found"), false
	}
	return response{}, true
}

// requester is the user who makes a request: whose key it has, or whom its From
// header names. It is nil when that is nobody.
func (s *Simulator) requester(x *exchange) *member {
	if x.token.userID != "" {
		return s.users.byID(x.token.userID)
	}
	return s.users.byEmail(normalizedEmail(x.header.Get("From")))
}

// readResource returns the fields of the resource in a body. Code 2003 for a body
// without one is from the documented table; that it is used here is [unknown,
// safe reading].
func readResource(body []byte, name, title string) (fields object, refused response, ok bool) {
	root, ok := parseObject(body)
	if !ok {
		return nil, invalidInput("Request body is not a JSON object"), false
	}
	fields, ok = root.object(name)
	if !ok || fields == nil {
		return nil, failure(http.StatusBadRequest, codeMissingArguments, "Missing Arguments", title+" is missing"), false
	}
	return fields, response{}, true
}
