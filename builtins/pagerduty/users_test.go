package pagerduty

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

func TestGetUsers(t *testing.T) {
	a := newAccount(t, listOfAnn, emptyList, annAnswer, missing)
	a.done("pagerduty.get_user_by_email", object{"email": "ann@example.com"}, object{"found": true, "user": annObject()})
	a.done("pagerduty.get_user_by_email", object{"email": "ann@example.com"}, object{"found": false})
	a.done("pagerduty.get_user_by_id", object{"id": "PANN"}, object{"found": true, "user": annObject()})
	a.done("pagerduty.get_user_by_id", object{"id": "PGONE"}, object{"found": false})
	a.Check(t, lookUp, lookUp, rest("GET /users/PANN"), rest("GET /users/PGONE"))
}

func TestCreateUser(t *testing.T) {
	created := answer(201, `{"user":`+annJSON+`}`)
	want := object{"success": true, "user": annObject()}

	a := newAccount(t, emptyList, created)
	a.done("pagerduty.create_user", newAnn, want)
	a.Check(t, lookUp, create)

	a = newAccount(t, listOfAnn)
	_, _, err := a.do("pagerduty.create_user", newAnn)
	actiontest.CheckError(t, "an address in use", err, action.Conflict, "ann@example.com is already the address of Ann (PANN)")
	a.Check(t, lookUp)

	a = newAccount(t, emptyList, alreadyTaken)
	_, _, err = a.do("pagerduty.create_user", newAnn)
	failure := actiontest.CheckError(t, "an address taken meanwhile", err, action.Conflict, "Email has already been taken")
	if failure.Ambiguous || failure.Status != 400 || failure.Code != 2001 {
		t.Errorf("got %+v, want a known outcome with status 400 and code 2001", failure)
	}
	a.Check(t, lookUp, create)
}

func TestCreateUserReconciles(t *testing.T) {
	want := object{"success": true, "user": annObject()}
	broken := answer(500, `{"error":{"message":"Internal","code":2000}}`)
	for _, test := range []struct {
		name    string
		answers []http.HandlerFunc // after the first look-up
		want    object             // nil: the failure stays
		says    string
		slept   int
	}{
		{"there at once", []http.HandlerFunc{hangUp, listOfAnn}, want, "", 0},
		{"there in the end", []http.HandlerFunc{hangUp, emptyList, emptyList, listOfAnn}, want, "", 2},
		{"after a failure of the server", []http.HandlerFunc{broken, listOfAnn}, want, "", 0},
		{"never there", []http.HandlerFunc{hangUp, emptyList, emptyList, emptyList}, nil, "broke before it answered", 2},
		{"not to be found out", []http.HandlerFunc{hangUp, emptyList, broken}, nil, "find user: Internal", 1},
	} {
		a := newAccount(t, append([]http.HandlerFunc{emptyList}, test.answers...)...)
		got, reconciled, err := a.do("pagerduty.create_user", newAnn)
		if test.want == nil {
			actiontest.CheckError(t, test.name, err, action.Unavailable, test.says)
		} else if err != nil || !reconciled {
			t.Errorf("%s: reconciled %v, %v", test.name, reconciled, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if len(a.clock.Slept()) != test.slept || len(a.answers) != 0 {
			t.Errorf("%s: slept %v with %d answers left, want %d times and none", test.name, a.clock.Slept(), len(a.answers), test.slept)
		}
		posts := 0
		for _, request := range a.Requests() {
			if strings.HasPrefix(request.Line, "POST") {
				posts++
			}
		}
		if posts != 1 {
			t.Errorf("%s: the user was sent %d times", test.name, posts)
		}
	}
}

func TestDeleteUser(t *testing.T) {
	want := object{"success": true, "user": annObject()}
	no := object{"success": false}
	get, del := rest("GET /users/PANN"), rest("DELETE /users/PANN")
	for _, test := range []struct {
		name     string
		answers  []http.HandlerFunc
		want     object
		requests []actiontest.Request
	}{
		{"there", []http.HandlerFunc{annAnswer, deleted}, want, []actiontest.Request{get, del}},
		{"not there", []http.HandlerFunc{missing}, no, []actiontest.Request{get}},
		{"gone meanwhile", []http.HandlerFunc{annAnswer, missing}, no, []actiontest.Request{get, del}},
		{"lost answer, deleted", []http.HandlerFunc{annAnswer, hangUp, missing}, want, []actiontest.Request{get, del, get}},
	} {
		a := newAccount(t, test.answers...)
		a.done("pagerduty.delete_user_by_id", object{"id": "PANN"}, test.want)
		a.Check(t, test.requests...)
	}

	a := newAccount(t, annAnswer, hangUp, annAnswer)
	_, _, err := a.do("pagerduty.delete_user_by_id", object{"id": "PANN"})
	actiontest.CheckError(t, "lost answer, not deleted", err, action.Unavailable, "broke before it answered")

	a = newAccount(t, annAnswer, answer(400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["User has open incidents"]}}`),
		answer(200, `{"incidents":[]}`), answer(200, `{"schedules":[]}`), answer(200, `{"escalation_policies":[]}`))
	_, _, err = a.do("pagerduty.delete_user_by_id", object{"id": "PANN"})
	actiontest.CheckError(t, "a user who is needed", err, action.Conflict, "take the user off open incidents")
}

// TestDeleteReconcilesWhatWasNeverThere checks that the outcome is known when there was no
// user before, since then nothing was sent.
func TestDeleteReconcilesWhatWasNeverThere(t *testing.T) {
	a := newAccount(t)
	invocation, err := actiontest.Prepare(a.actions, "pagerduty.delete_user_by_id", object{"id": "PANN"})
	if err != nil {
		t.Fatal(err)
	}
	out, done, err := invocation.Reconcile(context.Background(), []byte(`{"found":false,"user":{}}`))
	if diff := cmp.Diff(object{"success": false}, out); err != nil || !done || diff != "" {
		t.Errorf("got %v, %v (-want +got):\n%s", done, err, diff)
	}
}

// TestRefusedDeletionNamesWhy checks that the message names what the user is needed for.
func TestRefusedDeletionNamesWhy(t *testing.T) {
	a := newAccount(t, annAnswer, answer(400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["User has open incidents"]}}`),
		answer(200, `{"incidents":[{"id":"Q1","summary":"[#7] disk full","html_url":"https://a/1"}]}`), answer(200, `{"schedules":[]}`), answer(200, `{"escalation_policies":[]}`))
	_, _, err := a.do("pagerduty.delete_user_by_id", object{"id": "PANN"})
	actiontest.CheckError(t, "a user who is needed", err, action.Conflict, "open incidents: [#7] disk full https://a/1")
}
