package pagerduty

import (
	"context"
	"encoding/json"
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
	ctx := action.WithScope(context.Background(), action.Scope{Clock: a.clock, Redactor: &action.Redactor{}})
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

// hangUp ends the connection after the request was read: it may have been acted
// on, and nobody says so.
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

func nobody() object {
	empty := annObject()
	for name := range empty {
		empty[name] = ""
	}
	return empty
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

func TestSendEvents(t *testing.T) {
	accepted := answer(200, `{"status":"success","message":"Event processed","incident_key":"k"}`)
	output := object{"status": "success", "message": "Event processed", "incident_key": "k"}
	a := newAccount(t, accepted, accepted, accepted)
	a.done("pagerduty.send_trigger_event", object{
		"description": "disk full", "client": "cron", "client_url": "https://cron.example.com", "service_key": testServiceKey,
		"details": object{"free": 0.0}, "contexts": []any{object{"type": "link", "href": "https://a/"}}, "incident_key": "k",
	}, output)
	a.done("pagerduty.send_acknowledge_event", object{"incident_key": "k", "service_key": testServiceKey}, output)
	a.done("pagerduty.send_resolve_event", object{
		"incident_key": "k", "service_key": testServiceKey, "description": "fixed", "details": object{},
	}, output)
	none := map[string]string{"Authorization": "", "From": ""}
	head := `{"service_key":"` + testServiceKey + `","event_type":`
	a.Check(t,
		actiontest.Request{
			Line: "POST /generic/2010-04-15/create_event.json", Header: none,
			Body: head + `"trigger","incident_key":"k","description":"disk full","client":"cron","client_url":"https://cron.example.com",` +
				`"details":{"free":0},"contexts":[{"href":"https://a/","type":"link"}]}`,
		},
		actiontest.Request{Line: "POST /generic/2010-04-15/create_event.json", Header: none, Body: head + `"acknowledge","incident_key":"k"}`},
		actiontest.Request{
			Line: "POST /generic/2010-04-15/create_event.json", Header: none,
			Body: head + `"resolve","incident_key":"k","description":"fixed","details":{}}`,
		},
	)
}

func TestTriggerTakesTheEnginesKey(t *testing.T) {
	for _, test := range []struct{ own, want string }{{"", "derived"}, {"mine", "mine"}} {
		a := newAccount(t, answer(200, `{}`))
		invocation, err := actiontest.Prepare(a.actions, "pagerduty.send_trigger_event", object{
			"description": "x", "service_key": testServiceKey, "incident_key": test.own,
		})
		if err != nil {
			t.Fatal(err)
		}
		invocation.UseKey("derived")
		if _, err := invocation.Do(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		var body struct {
			IncidentKey string `json:"incident_key"`
		}
		if err := json.Unmarshal([]byte(a.Requests()[0].Body), &body); err != nil || body.IncidentKey != test.want {
			t.Errorf("got the key %q, %v, want %q", body.IncidentKey, err, test.want)
		}
	}
}

func TestServiceKeyIsRevealedToEventsOnly(t *testing.T) {
	a := newAccount(t, answer(200, `{}`))
	var destination action.Destination
	scope := action.Scope{Reveal: func(_ action.Secret, to action.Destination) (string, error) {
		if destination != "" {
			return "", action.Errorf(action.Permission, "secret KEY is not bound")
		}
		destination = to
		return testServiceKey, nil
	}}
	input := object{"description": "x", "service_key": action.Secret{Name: "KEY"}}
	if _, err := actiontest.Call(a.actions, scope, "pagerduty.send_trigger_event", input); err != nil {
		t.Fatal(err)
	}
	if destination != action.Place(serviceKey) || !strings.Contains(a.Requests()[0].Body, testServiceKey) {
		t.Errorf("got %q revealed to %s", a.Requests()[0].Body, destination)
	}
	_, err := actiontest.Call(a.actions, scope, "pagerduty.send_trigger_event", input)
	actiontest.CheckError(t, "a secret that is not bound", err, action.Permission, "not bound")
	_, err = actiontest.Call(a.actions, action.Scope{}, "pagerduty.send_resolve_event", object{"incident_key": "k"})
	actiontest.CheckError(t, "no key at all", err, action.InvalidInput, "PAGERDUTY_SERVICE_KEY")
}

func TestGetUsers(t *testing.T) {
	a := newAccount(t, listOfAnn, emptyList, annAnswer, missing)
	a.done("pagerduty.get_user_by_email", object{"email": "ann@example.com"}, object{"found": true, "user": annObject()})
	a.done("pagerduty.get_user_by_email", object{"email": "ann@example.com"}, object{"found": false, "user": nobody()})
	a.done("pagerduty.get_user_by_id", object{"id": "PANN"}, object{"found": true, "user": annObject()})
	a.done("pagerduty.get_user_by_id", object{"id": "PGONE"}, object{"found": false, "user": nobody()})
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
	no := object{"success": false, "user": nobody()}
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

// TestDeleteReconcilesWhatWasNeverThere: nothing was sent, so nothing is open.
func TestDeleteReconcilesWhatWasNeverThere(t *testing.T) {
	a := newAccount(t)
	invocation, err := actiontest.Prepare(a.actions, "pagerduty.delete_user_by_id", object{"id": "PANN"})
	if err != nil {
		t.Fatal(err)
	}
	out, done, err := invocation.Reconcile(context.Background(), []byte(`{"found":false,"user":{}}`))
	if diff := cmp.Diff(object{"success": false, "user": nobody()}, out); err != nil || !done || diff != "" {
		t.Errorf("got %v, %v (-want +got):\n%s", done, err, diff)
	}
}

// TestPagerDutyRefusesBeforeSending: an account without answers fails the test
// when it is asked anything.
func TestPagerDutyRefusesBeforeSending(t *testing.T) {
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
		{Action: "pagerduty.send_trigger_event", Input: object{"description": " "}, Kind: action.InvalidInput, Says: "description is empty"},
		{Action: "pagerduty.send_trigger_event", Input: object{"description": strings.Repeat("ä", 1025)}, Kind: action.InvalidInput, Says: "at most 1,024"},
		{Action: "pagerduty.send_trigger_event", Input: object{"description": "x", "contexts": []any{object{"type": "lnk"}}}, Kind: action.InvalidInput, Says: "contexts[1]"},
		{Action: "pagerduty.send_resolve_event", Input: object{"incident_key": strings.Repeat("k", 256)}, Kind: action.InvalidInput, Says: "at most 255"},
		{Action: "pagerduty.send_acknowledge_event", Input: object{"incident_key": ""}, Kind: action.InvalidInput, Says: "incident_key is empty"},
		{Action: "pagerduty.send_acknowledge_event", Input: object{"incident_key": "k", "service_key": testAPIKey}, Kind: action.InvalidInput, Says: "looks like a REST API key"},
	})
	a.Check(t)
	if _, err := actiontest.Prepare(a.actions, "pagerduty.create_user", with("from_email", "")); err != nil {
		t.Errorf("an empty from_email is the client's matter: %v", err)
	}
}

func TestWithoutAnAccount(t *testing.T) {
	for name, input := range map[string]object{
		"pagerduty.send_trigger_event":     {"description": "x"},
		"pagerduty.send_acknowledge_event": {"incident_key": "k"},
		"pagerduty.send_resolve_event":     {"incident_key": "k"},
		"pagerduty.create_user":            newAnn,
		"pagerduty.get_user_by_email":      {"email": "ann@example.com"},
		"pagerduty.get_user_by_id":         {"id": "PANN"},
		"pagerduty.delete_user_by_id":      {"id": "PANN"},
	} {
		_, err := actiontest.Call(withoutAccount, action.Scope{}, name, input)
		actiontest.CheckError(t, name, err, action.Unauthorized, "PAGERDUTY_API_KEY")
	}
}

func TestEveryPagerDutyErrorIsConverted(t *testing.T) {
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
		t.Error("no error became one")
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
