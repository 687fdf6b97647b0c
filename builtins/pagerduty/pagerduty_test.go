package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
	"github.com/pdflow/pdflow/engine/redact"
)

const (
	testAPIKey     = "abcdefghijklmnopqrst"
	testServiceKey = "0123456789abcdef0123456789abcdef"
)

// object is short for the tables below.
type object = action.Object

// withoutAccount is the module where no account is configured.
var withoutAccount = Actions(func(string) (*client.Client, error) { return nil, nil })

// An account is a server that answers like PagerDuty, request by request, and a
// client that talks to it without waiting.
type account struct {
	*actiontest.Recorder
	t       *testing.T
	actions []*action.Action
	clock   *actiontest.Clock
	answers []http.HandlerFunc
}

func newAccount(t *testing.T, answers ...http.HandlerFunc) *account {
	t.Helper()
	a := &account{t: t, clock: actiontest.NewClock(), answers: answers}
	a.Recorder = actiontest.NewRecorder(t, []string{"Authorization", "From"}, func(w http.ResponseWriter, q *http.Request) {
		if len(a.answers) == 0 {
			t.Errorf("%s %s has no answer in this test", q.Method, q.URL)
			return
		}
		next := a.answers[0]
		a.answers = a.answers[1:]
		next(w, q)
	})
	c, err := client.New(client.Config{
		APIKey: testAPIKey, APIURL: a.URL, EventsURL: a.URL,
		Sleep: a.clock.Sleep, Now: a.clock.Now, Jitter: func() float64 { return 1 },
		RetryBudget: time.Nanosecond, // one try: what the client repeats is its own test's matter
	})
	if err != nil {
		t.Fatal(err)
	}
	a.actions = Actions(func(string) (*client.Client, error) { return c, nil })
	return a
}

// do runs a call as the engine does, with reconcile when its answer was lost.
func (a *account) do(name string, input object) (out object, reconciled bool, err error) {
	a.t.Helper()
	invocation, err := actiontest.Prepare(a.actions, name, input)
	if err != nil {
		return nil, false, err
	}
	ctx := action.WithScope(context.Background(), action.Scope{Clock: a.clock, Redactor: &redact.Redactor{}})
	before, err := invocation.Before(ctx)
	if err != nil {
		return nil, false, err
	}
	out, err = invocation.Do(ctx, before)
	var failure *action.Error
	if errors.As(err, &failure) && failure.Ambiguous {
		lost := err
		if out, reconciled, err = invocation.Reconcile(ctx, before); err == nil && !reconciled {
			err = lost
		}
	}
	return out, reconciled, err
}

func (a *account) done(name string, input, want object) {
	a.t.Helper()
	got, _, err := a.do(name, input)
	if err != nil {
		a.t.Errorf("%s: %v", name, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		a.t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// hangUp ends the connection after it read the request, so the client cannot know whether
// the request was acted on.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = connection.Close()
	}
}

const annJSON = `{"id":"PANN","self":"https://api.pagerduty.com/users/PANN","name":"Ann","email":"Ann@Example.com",` +
	`"summary":"Ann","color":"red","description":null,"job_title":null,"avatar_url":"https://a/","time_zone":"UTC","role":"user","billed":true}`

var (
	annAnswer    = answer(200, `{"user":`+annJSON+`}`)
	listOfAnn    = answer(200, `{"users":[{"id":"PX","email":"joann@example.com"},`+annJSON+`],"more":false}`)
	emptyList    = answer(200, `{"users":[],"more":false}`)
	missing      = answer(404, `{"error":{"message":"Not Found","code":2100}}`)
	deleted      = answer(204, "")
	alreadyTaken = answer(400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Email has already been taken"]}}`)
)

func annObject() object {
	return object{
		"id": "PANN", "self": "https://api.pagerduty.com/users/PANN", "name": "Ann", "email": "Ann@Example.com", "summary": "Ann",
		"color": "red", "description": "", "job_title": "", "avatar_url": "https://a/", "time_zone": "UTC", "role": "user",
	}
}

// rest is a request of the REST API without a body.
func rest(line string) actiontest.Request {
	return actiontest.Request{Line: line, Header: map[string]string{"Authorization": "Token token=" + testAPIKey, "From": ""}}
}

var (
	lookUp = rest("GET /users?limit=100&offset=0&query=ann%40example.com")
	create = actiontest.Request{
		Line: "POST /users", Body: `{"user":{"type":"user","name":"Ann","email":"ann@example.com","role":"user"}}`,
		Header: map[string]string{"Authorization": "Token token=" + testAPIKey, "From": "boss@example.com"},
	}
	newAnn = object{"email": "ann@example.com", "name": "Ann", "role": "user", "from_email": "boss@example.com"}
)

// TestRefusesBeforeSending checks that wrong inputs are refused before anything is sent:
// an account without answers fails the test when it gets a request.
func TestRefusesBeforeSending(t *testing.T) {
	a := newAccount(t)
	with := func(name string, v any) object {
		input := object{"email": "ann@example.com", "name": "Ann", "from_email": "boss@example.com"}
		input[name] = v
		return input
	}
	actiontest.Run(t, a.actions, action.Scope{}, []actiontest.Row{
		{Action: "pagerduty.get_user_by_id", Input: object{"id": "me"}, Kind: action.InvalidInput, Says: `"me" is not the id of a user`},
		{Action: "pagerduty.delete_user_by_id", Input: object{"id": ""}, Kind: action.InvalidInput, Says: "find it with get_user_by_email"},
		{Action: "pagerduty.get_user_by_email", Input: object{"email": "ann"}, Kind: action.InvalidInput, Says: "at least 6"},
		{Action: "pagerduty.create_user", Input: with("name", strings.Repeat("a", 101)), Kind: action.InvalidInput, Says: "at most 100"},
		{Action: "pagerduty.create_user", Input: with("from_email", "boss"), Kind: action.InvalidInput, Says: "from_email"},
		{Action: "pagerduty.create_user", Input: with("role", "onwer"), Kind: action.InvalidInput, Says: `did you mean "owner"?`},
		{Action: "pagerduty.send_acknowledge_event", Input: object{"incident_key": ""}, Kind: action.InvalidInput, Says: "incident_key is empty"},
		{Action: "pagerduty.get_incident", Input: object{"id": "db1"}, Kind: action.InvalidInput, Says: "an incident_key is not an id"},
		{Action: "pagerduty.list_incidents", Input: object{"statuses": []any{"open"}}, Kind: action.InvalidInput, Says: `there is no status "open"`},
		{Action: "pagerduty.list_incidents", Input: object{"limit": 0.0}, Kind: action.InvalidInput, Says: `"limit" must be from 1 to 10000`},
		{Action: "pagerduty.list_users", Input: object{"limit": 10_001.0}, Kind: action.InvalidInput, Says: `"limit" must be from 1 to 10000`},
		{Action: "pagerduty.list_users", Input: object{"team_ids": []any{"ops"}}, Kind: action.InvalidInput, Says: "is not the id of a team"},
		{Action: "pagerduty.get_on_call", Input: object{"schedule_ids": []any{"x"}}, Kind: action.InvalidInput, Says: "is not the id of a schedule"},
		{Action: "pagerduty.get_on_call", Input: object{"limit": -1.0}, Kind: action.InvalidInput, Says: `"limit"`},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": " "}, Kind: action.InvalidInput, Says: "is empty"},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": "x", "from_email": "boss"}, Kind: action.InvalidInput, Says: `"from_email"`},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": "x"}, Kind: action.InvalidInput, Says: "PAGERDUTY_FROM_EMAIL"},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"Q1"}, "status": "triggered"}, Kind: action.InvalidInput, Says: "triggered"},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"q1"}, "status": "resolved"}, Kind: action.InvalidInput, Says: "is not the id of an incident"},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"Q1"}, "status": "resolved", "from_email": "boss"}, Kind: action.InvalidInput, Says: `"from_email"`},
		{Action: "pagerduty.update_user", Input: object{"id": "P1"}, Kind: action.InvalidInput, Says: "there is nothing to change"},
		{Action: "pagerduty.update_user", Input: object{"id": "me", "name": "Ann"}, Kind: action.InvalidInput, Says: `"me" is not the id of a user`},
	})
	a.Check(t)
	if _, err := actiontest.Prepare(a.actions, "pagerduty.create_user", with("from_email", "")); err != nil {
		t.Errorf("the client checks an empty from_email, not the action: %v", err)
	}
}

// TestWithoutAnAccount checks that every action says what to set when there is no account.
func TestWithoutAnAccount(t *testing.T) {
	samples := object{
		"id": "PANN", "ids": []any{"Q1"}, "email": "ann@example.com", "name": "Ann", "from_email": "boss@example.com",
		"description": "x", "summary": "x", "content": "x", "incident_key": "k", "status": "resolved",
	}
	for _, a := range withoutAccount {
		input := object{}
		for _, f := range a.In.Fields {
			if sample, ok := samples[f.Name]; ok {
				input[f.Name] = sample
			}
		}
		_, err := actiontest.Call(withoutAccount, action.Scope{}, a.Name, input)
		actiontest.CheckError(t, a.Name, err, action.Unauthorized, "PAGERDUTY_API_KEY")
	}
}

func TestEveryErrorIsTyped(t *testing.T) {
	kinds := map[client.Kind]action.Kind{
		client.InvalidInput: action.InvalidInput, client.Unauthorized: action.Unauthorized, client.Forbidden: action.Forbidden,
		client.NotFound: action.NotFound, client.Conflict: action.Conflict, client.RateLimited: action.RateLimited,
		client.Unavailable: action.Unavailable, client.Timeout: action.Timeout, client.Cancelled: action.Cancelled,
	}
	for kind, want := range kinds {
		cause := &client.Error{
			Kind: kind, Op: "get user", Message: "no", StatusCode: 418, Code: 7, Hint: "try", RetryAfter: time.Second, Sent: true,
		}
		got := action.AsError(typed(fmt.Errorf("wrapped: %w", cause)))
		wanted := &action.Error{
			Kind: want, Message: "get user: no (HTTP 418)", Hint: "try", Status: 418, Code: 7, RetryAfter: time.Second,
			Ambiguous: true, Err: cause,
		}
		if diff := cmp.Diff(*wanted, *got, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if typed(nil) != nil {
		t.Error("no error became an error")
	}
	if other := errors.New("other"); typed(other) != other {
		t.Error("another error was changed")
	}
}

func TestStatusesBecomeKinds(t *testing.T) {
	for status, want := range map[int]action.Kind{
		400: action.InvalidInput, 401: action.Unauthorized, 402: action.Forbidden, 403: action.Forbidden, 409: action.Conflict,
		408: action.Timeout, 429: action.RateLimited, 500: action.Unavailable, 503: action.Unavailable,
	} {
		a := newAccount(t, answer(status, `{"error":{"message":"no","code":1}}`))
		_, _, err := a.do("pagerduty.get_user_by_id", object{"id": "PANN"})
		failure := actiontest.CheckError(t, fmt.Sprint(status), err, want, "no")
		if failure.Status != status || failure.Ambiguous {
			t.Errorf("%d: got %+v", status, failure)
		}
	}
}
