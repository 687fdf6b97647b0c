package simulator

import (
	"net/http"
	"strings"
)

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
// There are no teams, so nobody is on those of team_ids[].
func (s *Simulator) listUsers(x *exchange) response {
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return invalidInput(complaint)
	}
	query := x.query.Get("query")
	matching := s.users.matching(query)
	if len(x.values("team_ids")) > 0 {
		matching = nil
	}
	found, position := cut(matching, asked)
	documents := make([]userDocument, 0, len(found))
	for _, m := range found {
		documents = append(documents, s.userDocument(m, x.values("include")))
	}
	return document(http.StatusOK, userListBody{documents, nullIfEmpty(query), position})
}

// createUser answers POST /users.
func (s *Simulator) createUser(x *exchange) response {
	if refused, ok := s.checkFrom(x, s.settings.strictFrom); !ok {
		return refused
	}
	fields, refused, ok := readResource(x.body, "user", "User")
	if !ok {
		return refused
	}
	user, found := changeUser(User{Role: defaultRole}, fields)
	if missing := s.missingAbility(user.Role); missing != "" {
		return lacksAbility(missing)
	}
	if s.users.byEmail(user.Email) != nil {
		found.add(emailTaken)
	}
	if len(found) > 0 {
		return invalidInput(found...)
	}
	created := s.newMember(user)
	s.users.add(created)
	return document(http.StatusCreated, userBody{s.userDocument(created, x.values("include"))})
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
	return document(http.StatusOK, userBody{s.userDocument(found, x.values("include"))})
}

// updateUser answers PUT /users/{id}. Fields that are absent stay as they are.
func (s *Simulator) updateUser(x *exchange) response {
	changed := s.users.byID(x.id)
	if changed == nil {
		return notFound()
	}
	fields, refused, ok := readResource(x.body, "user", "User")
	if !ok {
		return refused
	}
	user, found := changeUser(changed.User, fields)
	if missing := s.missingAbility(user.Role); missing != "" && user.Role != changed.Role {
		return lacksAbility(missing)
	}
	if other := s.users.byEmail(user.Email); other != nil && other != changed {
		found.add(emailTaken)
	}
	if len(found) > 0 {
		return invalidInput(found...)
	}
	changed.User = user
	return s.oneUser(x, x.id)
}

// deleteUser answers DELETE /users/{id}. That a user with an open incident, on a
// schedule or in an escalation policy is kept is documented and confirmed by
// PagerDuty's staff (community 1271); the texts are [unknown, safe reading].
func (s *Simulator) deleteUser(x *exchange) response {
	if s.users.byID(x.id) == nil {
		return notFound()
	}
	if blockers := s.deletionBlockers(x.id); len(blockers) > 0 {
		return invalidInput(blockers...)
	}
	s.users.remove(x.id)
	return noContent()
}

// deletionBlockers says what keeps a user, a sentence for each kind, with the
// identifiers by which each can be found.
func (s *Simulator) deletionBlockers(userID string) complaints {
	var found complaints
	report := func(sentence string, names []string) {
		if len(names) > 0 {
			found.add("%s: %s", sentence, strings.Join(names, ", "))
		}
	}
	report("User cannot be deleted as they have open incidents assigned", s.incidents.openOf(userID))
	report("User cannot be deleted as they are on schedules", s.schedulesOf(userID))
	report("User cannot be deleted as they belong to escalation policies", s.policiesOf(userID))
	return found
}

// listContactMethods answers GET /users/{id}/contact_methods.
func (s *Simulator) listContactMethods(x *exchange) response {
	m := s.users.byID(x.id)
	if m == nil {
		return notFound()
	}
	return listing(x, "contact_methods", []contactMethod{m.contact}, func(contactMethod) any {
		return s.contactDocument(m, true)
	})
}

// listNotificationRules answers GET /users/{id}/notification_rules.
func (s *Simulator) listNotificationRules(x *exchange) response {
	m := s.users.byID(x.id)
	if m == nil {
		return notFound()
	}
	return listing(x, "notification_rules", m.rules, func(rule notificationRule) any {
		return s.ruleDocument(m, rule, true)
	})
}
