package pagerduty

import (
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

func TestOnCallAndUsers(t *testing.T) {
	duty := func(level string) string {
		return `{"user":` + annJSON + `,"escalation_level":` + level + `,"escalation_policy":{"id":"PE1","summary":"Default"},"schedule":null,"start":null,"end":null}`
	}
	onCall := func(level float64) object {
		return object{
			"user": annObject(), "escalation_level": level, "escalation_policy": object{"id": "PE1", "name": "Default"},
			"start": "", "end": "",
		}
	}
	a := newAccount(t, answer(200, `{"oncalls":[`+duty("2")+`,`+duty("1")+`],"more":false}`), answer(200, `{"users":[`+annJSON+`],"more":true}`), annAnswer, missing)
	a.done("pagerduty.get_on_call", object{"escalation_policy_ids": []any{"PE1"}},
		object{"users": []any{annObject()}, "on_calls": []any{onCall(1), onCall(2)}, "more": false})
	a.done("pagerduty.list_users", object{"query": "ann", "limit": 1.0}, object{"users": []any{annObject()}, "more": true})
	a.done("pagerduty.update_user", object{"id": "PANN", "name": "Ann"}, object{"user": annObject()})
	_, _, err := a.do("pagerduty.update_user", object{"id": "PGONE", "name": "Ann"})
	actiontest.CheckError(t, "a user who does not exist", err, action.NotFound, "Not Found")
	put := rest("PUT /users/PANN")
	put.Body = `{"user":{"type":"user","name":"Ann"}}`
	gone := put
	gone.Line = "PUT /users/PGONE"
	a.Check(t, rest("GET /oncalls?escalation_policy_ids%5B%5D=PE1&include%5B%5D=users&limit=100&offset=0"), rest("GET /users?limit=100&offset=0&query=ann"), put, gone)
}
