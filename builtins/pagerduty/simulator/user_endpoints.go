package simulator

import "net/http"

// emailTaken is the text for an address of another user (terraform-provider-
// pagerduty #845). Clients compare it to the letter.
const emailTaken = "Email has already been taken"

// userBody is the body of an answer with one user.
type userBody struct {
	User userDocument `json:"user"`
}

// userListBody is the body of a listing of users.
type userListBody struct {
	Users []userDocument `json:"users"`
	Query *string        `json:"query"`
	pageDocument
}

// listUsers answers GET /users. Parameters that it does not know are ignored,
// as the service does: "id" among them, so a look-up by ?id= finds everybody.
func (s *Simulator) listUsers(x *exchange) response {
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return invalidInput(complaint)
	}
	query := x.query.Get("query")
	found, position := cut(s.users.matching(query), asked)
	documents := make([]userDocument, 0, len(found))
	for _, m := range found {
		documents = append(documents, m.document(x.values("include")))
	}
	return document(http.StatusOK, userListBody{documents, nullIfEmpty(query), position})
}

// createUser answers POST /users.
func (s *Simulator) createUser(x *exchange) response {
	if refused, ok := s.checkFrom(x.header.Get("From")); !ok {
		return refused
	}
	fields, refused, ok := readUser(x.body)
	if !ok {
		return refused
	}
	user, found := changeUser(User{Role: defaultRole}, fields)
	if s.users.byEmail(user.Email) != nil {
		found.add(emailTaken)
	}
	if len(found) > 0 {
		return invalidInput(found...)
	}
	created := s.newMember(user)
	s.users.add(created)
	return document(http.StatusCreated, userBody{created.document(x.values("include"))})
}

// checkFrom refuses, when the account is strict, a From header that is not the
// address of a user.
func (s *Simulator) checkFrom(from string) (refused response, ok bool) {
	switch {
	case !s.settings.strictFrom:
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

// readUser returns the fields of the user in a body. Code 2003 for a body
// without one is from the documented table; that it is used here is [unknown,
// safe reading].
func readUser(body []byte) (fields object, refused response, ok bool) {
	root, ok := parseObject(body)
	if !ok {
		return nil, invalidInput("Request body is not a JSON object"), false
	}
	fields, ok = root.object("user")
	if !ok || fields == nil {
		return nil, failure(http.StatusBadRequest, codeMissingArguments, "Missing Arguments", "User is missing"), false
	}
	return fields, response{}, true
}

// getUser answers GET /users/{id}.
func (s *Simulator) getUser(x *exchange) response {
	return s.oneUser(x, x.id)
}

// getCurrentUser answers GET /users/me, which needs a user's key. That an
// account's key is answered 400 is declared in the OpenAPI description; the
// text is [unknown, safe reading].
func (s *Simulator) getCurrentUser(x *exchange) response {
	if x.token.isAccount() {
		return invalidInput("An account API key does not belong to a user")
	}
	return s.oneUser(x, x.token.userID)
}

func (s *Simulator) oneUser(x *exchange, id string) response {
	found := s.users.byID(id)
	if found == nil {
		return notFound()
	}
	return document(http.StatusOK, userBody{found.document(x.values("include"))})
}

// updateUser answers PUT /users/{id}. Fields that are absent stay as they are.
func (s *Simulator) updateUser(x *exchange) response {
	changed := s.users.byID(x.id)
	if changed == nil {
		return notFound()
	}
	fields, refused, ok := readUser(x.body)
	if !ok {
		return refused
	}
	user, found := changeUser(changed.User, fields)
	if other := s.users.byEmail(user.Email); other != nil && other != changed {
		found.add(emailTaken)
	}
	if len(found) > 0 {
		return invalidInput(found...)
	}
	changed.User = user
	return s.oneUser(x, x.id)
}

// deleteUser answers DELETE /users/{id}. That a user with an open incident is
// kept is documented; the text is [unknown, safe reading].
func (s *Simulator) deleteUser(x *exchange) response {
	switch {
	case s.users.byID(x.id) == nil:
		return notFound()
	case s.incidents.isAssigned(x.id):
		return invalidInput("User cannot be deleted as they have open incidents assigned")
	}
	s.users.remove(x.id)
	return noContent()
}
