package builtins

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

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

const (
	testAPIKey     = "abcdefghijklmnopqrst"
	testServiceKey = "0123456789abcdef0123456789abcdef"
)

// An account is a server that answers like PagerDuty, request by request, and a
// client that talks to it without waiting.
type account struct {
	*recorder
	t       *testing.T
	config  Config
	clock   *testClock
	answers []http.HandlerFunc
}

func newAccount(t *testing.T, answers ...http.HandlerFunc) *account {
	t.Helper()
	a := &account{t: t, clock: newTestClock(), answers: answers}
	a.recorder = newRecorder(t, []string{"Authorization", "From"}, func(w http.ResponseWriter, q *http.Request) {
		if len(a.answers) == 0 {
			t.Errorf("%s %s has no answer in this test", q.Method, q.URL)
			return
		}
		next := a.answers[0]
		a.answers = a.answers[1:]
		next(w, q)
	})
	client, err := pagerduty.New(pagerduty.Config{
		APIKey: testAPIKey, APIURL: a.URL, EventsURL: a.URL,
		Sleep: a.clock.Sleep, Now: a.clock.Now, Jitter: func() float64 { return 1 },
		RetryBudget: time.Nanosecond, // one try: what the client repeats is its own test's matter
	})
	if err != nil {
		t.Fatal(err)
	}
	a.config = Config{PagerDuty: client}
	return a
}

// do runs a call as the engine does, with reconcile when its answer was lost.
func (a *account) do(name string, input object) (out object, reconciled bool, err error) {
	a.t.Helper()
	invocation, err := prepare(a.config, name, input)
	if err != nil {
		return nil, false, err
	}
	ctx := action.WithScope(context.Background(), &action.Scope{Clock: a.clock, Redactor: &action.Redactor{}})
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
func rest(line string) seen {
	return seen{Line: line, Header: map[string]string{"Authorization": "Token token=" + testAPIKey, "From": ""}}
}

var (
	lookUp = rest("GET /users?limit=100&offset=0&query=ann%40example.com")
	create = seen{
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
	a.check(t,
		seen{
			Line: "POST /generic/2010-04-15/create_event.json", Header: none,
			Body: head + `"trigger","incident_key":"k","description":"disk full","client":"cron","client_url":"https://cron.example.com",` +
				`"details":{"free":0},"contexts":[{"href":"https://a/","type":"link"}]}`,
		},
		seen{Line: "POST /generic/2010-04-15/create_event.json", Header: none, Body: head + `"acknowledge","incident_key":"k"}`},
		seen{
			Line: "POST /generic/2010-04-15/create_event.json", Header: none,
			Body: head + `"resolve","incident_key":"k","description":"fixed","details":{}}`,
		},
	)
}

func TestTriggerTakesTheEnginesKey(t *testing.T) {
	for _, test := range []struct{ own, want string }{{"", "derived"}, {"mine", "mine"}} {
		a := newAccount(t, answer(200, `{}`))
		invocation, err := prepare(a.config, "pagerduty.send_trigger_event", object{
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
		if err := json.Unmarshal([]byte(a.requests[0].Body), &body); err != nil || body.IncidentKey != test.want {
			t.Errorf("got the key %q, %v, want %q", body.IncidentKey, err, test.want)
		}
	}
}

func TestServiceKeyIsRevealedToEventsOnly(t *testing.T) {
	a := newAccount(t, answer(200, `{}`))
	var destination action.Destination
	scope := &action.Scope{Reveal: func(_ action.Secret, to action.Destination) (string, error) {
		if destination != "" {
			return "", action.Errorf(action.Permission, "secret KEY is not bound")
		}
		destination = to
		return testServiceKey, nil
	}}
	input := object{"description": "x", "service_key": action.Secret{Name: "KEY"}}
	if _, err := call(a.config, scope, "pagerduty.send_trigger_event", input); err != nil {
		t.Fatal(err)
	}
	if destination != action.ToEvents || !strings.Contains(a.requests[0].Body, testServiceKey) {
		t.Errorf("got %q revealed to %s", a.requests[0].Body, destination)
	}
	_, err := call(a.config, scope, "pagerduty.send_trigger_event", input)
	checkError(t, "a secret that is not bound", err, action.Permission, "not bound")
	_, err = call(a.config, nil, "pagerduty.send_resolve_event", object{"incident_key": "k"})
	checkError(t, "no key at all", err, action.InvalidInput, "PAGERDUTY_SERVICE_KEY")
}

func TestGetUsers(t *testing.T) {
	a := newAccount(t, listOfAnn, emptyList, annAnswer, missing)
	a.done("pagerduty.get_user_by_email", object{"email": "ann@example.com"}, object{"found": true, "user": annObject()})
	a.done("pagerduty.get_user_by_email", object{"email": "ann@example.com"}, object{"found": false, "user": nobody()})
	a.done("pagerduty.get_user_by_id", object{"id": "PANN"}, object{"found": true, "user": annObject()})
	a.done("pagerduty.get_user_by_id", object{"id": "PGONE"}, object{"found": false, "user": nobody()})
	a.check(t, lookUp, lookUp, rest("GET /users/PANN"), rest("GET /users/PGONE"))
}

func TestCreateUser(t *testing.T) {
	created := answer(201, `{"user":`+annJSON+`}`)
	want := object{"success": true, "user": annObject()}

	a := newAccount(t, emptyList, created)
	a.done("pagerduty.create_user", newAnn, want)
	a.check(t, lookUp, create)

	a = newAccount(t, listOfAnn)
	_, _, err := a.do("pagerduty.create_user", newAnn)
	checkError(t, "an address in use", err, action.Conflict, "ann@example.com is the address of Ann (PANN) already")
	a.check(t, lookUp)

	a = newAccount(t, emptyList, alreadyTaken)
	_, _, err = a.do("pagerduty.create_user", newAnn)
	failure := checkError(t, "an address taken meanwhile", err, action.Conflict, "Email has already been taken")
	if failure.Ambiguous || failure.Status != 400 || failure.Code != 2001 {
		t.Errorf("got %+v, want a known outcome with status 400 and code 2001", failure)
	}
	a.check(t, lookUp, create)
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
			checkError(t, test.name, err, action.Unavailable, test.says)
		} else if err != nil || !reconciled {
			t.Errorf("%s: reconciled %v, %v", test.name, reconciled, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if len(a.clock.slept) != test.slept || len(a.answers) != 0 {
			t.Errorf("%s: slept %v with %d answers left, want %d times and none", test.name, a.clock.slept, len(a.answers), test.slept)
		}
		posts := 0
		for _, request := range a.requests {
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
		requests []seen
	}{
		{"there", []http.HandlerFunc{annAnswer, deleted}, want, []seen{get, del}},
		{"not there", []http.HandlerFunc{missing}, no, []seen{get}},
		{"gone meanwhile", []http.HandlerFunc{annAnswer, missing}, no, []seen{get, del}},
		{"lost answer, deleted", []http.HandlerFunc{annAnswer, hangUp, missing}, want, []seen{get, del, get}},
	} {
		a := newAccount(t, test.answers...)
		a.done("pagerduty.delete_user_by_id", object{"id": "PANN"}, test.want)
		a.check(t, test.requests...)
	}

	a := newAccount(t, annAnswer, hangUp, annAnswer)
	_, _, err := a.do("pagerduty.delete_user_by_id", object{"id": "PANN"})
	checkError(t, "lost answer, not deleted", err, action.Unavailable, "broke before it answered")

	a = newAccount(t, annAnswer, answer(400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["User has open incidents"]}}`),
		answer(200, `{"incidents":[]}`), answer(200, `{"schedules":[]}`), answer(200, `{"escalation_policies":[]}`))
	_, _, err = a.do("pagerduty.delete_user_by_id", object{"id": "PANN"})
	checkError(t, "a user who is needed", err, action.Conflict, "take the user off open incidents")
}

// TestDeleteReconcilesWhatWasNeverThere: nothing was sent, so nothing is open.
func TestDeleteReconcilesWhatWasNeverThere(t *testing.T) {
	a := newAccount(t)
	invocation, err := prepare(a.config, "pagerduty.delete_user_by_id", object{"id": "PANN"})
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
	runRows(t, a.config, nil, []row{
		{action: "pagerduty.get_user_by_id", input: object{"id": "me"}, kind: action.InvalidInput, says: `"me" is not the id of a user`},
		{action: "pagerduty.delete_user_by_id", input: object{"id": ""}, kind: action.InvalidInput, says: "find it with get_user_by_email"},
		{action: "pagerduty.get_user_by_email", input: object{"email": "ann"}, kind: action.InvalidInput, says: "at least 6"},
		{action: "pagerduty.create_user", input: with("name", strings.Repeat("a", 101)), kind: action.InvalidInput, says: "at most 100"},
		{action: "pagerduty.create_user", input: with("from_email", "boss"), kind: action.InvalidInput, says: "from_email"},
		{action: "pagerduty.create_user", input: with("role", "onwer"), kind: action.InvalidInput, says: `did you mean "owner"?`},
		{action: "pagerduty.send_trigger_event", input: object{"description": " "}, kind: action.InvalidInput, says: "description is empty"},
		{action: "pagerduty.send_trigger_event", input: object{"description": strings.Repeat("ä", 1025)}, kind: action.InvalidInput, says: "at most 1,024"},
		{action: "pagerduty.send_trigger_event", input: object{"description": "x", "contexts": []any{object{"type": "lnk"}}}, kind: action.InvalidInput, says: "contexts[1]"},
		{action: "pagerduty.send_resolve_event", input: object{"incident_key": strings.Repeat("k", 256)}, kind: action.InvalidInput, says: "at most 255"},
		{action: "pagerduty.send_acknowledge_event", input: object{"incident_key": ""}, kind: action.InvalidInput, says: "incident_key is empty"},
		{action: "pagerduty.send_acknowledge_event", input: object{"incident_key": "k", "service_key": testAPIKey}, kind: action.InvalidInput, says: "looks like a REST API key"},
	})
	a.check(t)
	if _, err := prepare(a.config, "pagerduty.create_user", with("from_email", "")); err != nil {
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
		_, err := call(Config{}, nil, name, input)
		checkError(t, name, err, action.Unauthorized, "PAGERDUTY_API_KEY")
	}
}

func TestEveryPagerDutyErrorIsConverted(t *testing.T) {
	kinds := map[pagerduty.Kind]action.Kind{
		pagerduty.InvalidInput: action.InvalidInput, pagerduty.Unauthorized: action.Unauthorized, pagerduty.Forbidden: action.Forbidden,
		pagerduty.NotFound: action.NotFound, pagerduty.Conflict: action.Conflict, pagerduty.RateLimited: action.RateLimited,
		pagerduty.Unavailable: action.Unavailable, pagerduty.Timeout: action.Timeout, pagerduty.Cancelled: action.Cancelled,
	}
	for kind, want := range kinds {
		cause := &pagerduty.Error{
			Kind: kind, Op: "get user", Message: "no", StatusCode: 418, Code: 7, Hint: "try", RetryAfter: time.Second, Sent: true,
		}
		got := action.AsError(pagerdutyError(fmt.Errorf("wrapped: %w", cause)))
		wanted := &action.Error{
			Kind: want, Message: "get user: no (HTTP 418)", Hint: "try", Status: 418, Code: 7, RetryAfter: time.Second,
			Ambiguous: true, Err: cause,
		}
		if diff := cmp.Diff(*wanted, *got, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if pagerdutyError(nil) != nil {
		t.Error("no error became one")
	}
	if other := errors.New("other"); pagerdutyError(other) != other {
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
		failure := checkError(t, fmt.Sprint(status), err, want, "no")
		if failure.Status != status || failure.Ambiguous {
			t.Errorf("%d: got %+v", status, failure)
		}
	}
}
