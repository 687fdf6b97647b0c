package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

const controlToken = "control-token-that-is-long-and-random"

// steer makes a request to the control API with its token.
func steer(handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	return send(handler, method, "http://127.0.0.1"+path, body, "Authorization", "Bearer "+controlToken)
}

func TestControlChecksTokenHostAndOrigin(t *testing.T) {
	tests := []struct {
		name, url, authorization, origin string
		status                           int
	}{
		{"owner", "http://127.0.0.1:8080/sim/state", "Bearer " + controlToken, "", 200},
		{"owner by name", "http://localhost/sim/state", "Bearer " + controlToken, "", 200},
		{"owner by IPv6", "http://[::1]:8080/sim/state", "Bearer " + controlToken, "", 200},
		{"owner by bare IPv6", "http://[::1]/sim/state", "Bearer " + controlToken, "", 200},
		{"same origin", "http://127.0.0.1:8080/sim/state", "Bearer " + controlToken, "http://127.0.0.1:8080", 200},
		{"no token", "http://127.0.0.1/sim/state", "", "", 401},
		{"wrong token", "http://127.0.0.1/sim/state", "Bearer wrong", "", 401},
		{"longer token", "http://127.0.0.1/sim/state", "Bearer " + controlToken + "x", "", 401},
		{"API key", "http://127.0.0.1/sim/state", "Token token=" + accountKey, "", 401},
		{"rebound name", "http://evil.example.com/sim/state", "Bearer " + controlToken, "", 403},
		{"name that begins right", "http://localhost.example.com/sim/state", "Bearer " + controlToken, "", 403},
		{"another origin", "http://127.0.0.1:8080/sim/state", "Bearer " + controlToken, "http://evil.example.com", 403},
		{"another port's origin", "http://127.0.0.1:8080/sim/state", "Bearer " + controlToken, "http://127.0.0.1:9", 403},
		{"null origin", "http://127.0.0.1:8080/sim/state", "Bearer " + controlToken, "null", 403},
	}
	for _, test := range tests {
		account := newAccount(simulator.WithControlToken(controlToken))
		headers := []string{"Authorization", test.authorization}
		if test.origin != "" {
			headers = append(headers, "Origin", test.origin)
		}
		if got := send(account, "GET", test.url, "", headers...); got.Code != test.status {
			t.Errorf("%s: got %d %s, want %d", test.name, got.Code, got.Body, test.status)
		}
		if got := account.Requests(); len(got) != 0 {
			t.Errorf("%s: got %v recorded, want nothing: it is not a request to PagerDuty", test.name, got)
		}
	}
}

func TestWithoutTokenThereIsNoControlAPI(t *testing.T) {
	for _, account := range []*simulator.Simulator{newAccount(), newAccount(simulator.WithControlToken(""))} {
		for _, path := range []string{"/sim/state", "/sim/faults", "/sim/clock", "/sim/reset"} {
			wantAnswer(t, send(account, "POST", "http://127.0.0.1"+path, "", "Authorization", "Bearer "), 404, notFound)
		}
	}
}

func TestControlRoutes(t *testing.T) {
	account := newAccount(simulator.WithControlToken(controlToken))
	tests := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/sim/stat", "", 404, `{"error":"the control API has no such path (did you mean \"/sim/state\"?)"}`},
		{"PUT", "/sim/clock", "", 405, `{"error":"expected the method GET or POST"}`},
		{"POST", "/sim/faults", strings.Repeat(" ", 512_001), 413, `{"error":"a document may have 512 KB"}`},
		{"POST", "/sim/faults", `{"faults":[{"do":"explod"}]}`, 400, ""},
		{"POST", "/sim/state", `{"user":[]}`, 400, `{"error":"the document has mistakes","problems":[{"path":"user","message":"unknown field (did you mean \"users\"?)"}]}`},
		{"POST", "/sim/clock", `{}`, 400, `{"error":"the document has mistakes","problems":[{"path":"","message":"expected either {\"advance\": \"1m\"} or {\"now\": \"2026-01-31T09:00:00Z\"}"}]}`},
		{"POST", "/sim/clock", `{"now":"2025-01-01T00:00:00Z"}`, 400, `{"error":"the document has mistakes","problems":[{"path":"now","message":"expected a time after 2026-01-01T00:00:00Z; the account's time does not go back"}]}`},
		{"POST", "/sim/clock", `{"advance":"soon"}`, 400, `{"error":"the document has mistakes","problems":[{"path":"advance","message":"\"soon\" is not a duration; expected one such as 250ms, 2s or 1m30s"}]}`},
	}
	for _, test := range tests {
		answer := steer(account, test.method, test.path, test.body)
		if answer.Code != test.status || test.want != "" && answer.Body.String() != test.want {
			t.Errorf("%s %s %.40s: got %d %s, want %d %s", test.method, test.path, test.body, answer.Code, answer.Body, test.status, test.want)
		}
	}
}

func TestControlFaults(t *testing.T) {
	account := newAccount(simulator.WithControlToken(controlToken), simulator.WithFaults(fault.Fault{Do: "status", Status: 500}))
	answer := steer(account, "POST", "/sim/faults/", `{"faults":[{"name":"no","do":"status","status":503,"match":{"endpoint":"/users","nth":1}}]}`)
	if answer.Code != 200 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	if got := call(account, "GET", "/users", "").Code; got != 503 {
		t.Errorf("got %d, want the new rule", got)
	}
	wantAnswer(t, steer(account, "GET", "/sim/faults", ""), 200,
		`{"faults":[{"name":"no","match":{"endpoint":"/users","nth":1},"do":"status","status":503,"matched":1,"applied":1}]}`)
	wantAnswer(t, steer(account, "DELETE", "/sim/faults", ""), 204, "")
	wantAnswer(t, steer(account, "GET", "/sim/faults", ""), 200, `{"faults":[]}`)
	wantAnswer(t, steer(account, "POST", "/sim/reset", ""), 204, "")
	if got := call(account, "GET", "/users", "").Code; got != 500 {
		t.Errorf("got %d after the reset, want the rule from the start", got)
	}
}

func TestControlClock(t *testing.T) {
	account := newAccount(simulator.WithControlToken(controlToken), simulator.WithEventDelay(time.Minute, time.Minute))
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if got := pick(t, steer(account, "GET", "/sim/state", "").Body.Bytes(), "pending_events"); got != "1" {
		t.Errorf("got %s pending events", got)
	}
	wantAnswer(t, steer(account, "POST", "/sim/clock", `{"advance":"1m"}`), 200, `{"now":"2026-01-01T00:01:00Z"}`)
	if got := len(account.Incidents()); got != 1 {
		t.Errorf("got %d incidents after the delay", got)
	}
	wantAnswer(t, steer(account, "POST", "/sim/clock", `{"now":"2026-01-02T00:00:00Z"}`), 200, `{"now":"2026-01-02T00:00:00Z"}`)
	wantAnswer(t, steer(account, "GET", "/sim/clock", ""), 200, `{"now":"2026-01-02T00:00:00Z"}`)
	call(account, "GET", "/users", "")
	if got, want := account.Requests()[1].At, time.Date(2026, 1, 2, 0, 0, 1, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestControlClockEndsWaits moves the clock by the control API, which ends a wait that has a
// timer.
func TestControlClockEndsWaits(t *testing.T) {
	clock := newManualClock()
	clock.set = make(chan time.Duration, 10)
	to := &subscriber{statuses: []int{500, 200}}
	account := newCompany(t, append(clock.options(), simulator.WithControlToken(controlToken),
		simulator.WithWebhookTransport(to), simulator.WithWebhookRetries(time.Hour))...)
	subscribe(t, account, subscription)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	<-clock.set // the timeout of the attempt
	<-clock.set // the wait before the retry
	steer(account, "POST", "/sim/clock", `{"advance":"1h"}`)
	settled(t, account)
	if got := len(to.all()); got != 2 {
		t.Errorf("got %d attempts, want 2", got)
	}
}

func TestControlState(t *testing.T) {
	account := newCompany(t, simulator.WithControlToken(controlToken))
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	call(account, "POST", "/users", `{"user":{"name":"Eve","email":"eve@example.com"}}`)
	body := steer(account, "GET", "/sim/state", "").Body.Bytes()
	for path, want := range map[string]string{
		"users.#": "5", "services.0.name": `"Checkout"`, "incidents.2.incident_key": `"k"`, "schedules.0.users.0": `"PBOB001"`,
		"on_calls.0.user": `"PBOB001"`, "requests.#": "2", "requests.0.key": `"k"`, "requests.0.endpoint": `"` + pathV1 + `"`,
		"requests.1.key": `"eve@example.com"`, "requests.1.processed": "true", "requests.1.status": "201",
		"faults.#": "0", "deliveries.#": "0", "change_events.#": "0",
	} {
		if got := pick(t, body, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	for _, key := range []string{accountKey, checkoutKey, searchKey, "user-key-0000000001", controlToken} {
		if strings.Contains(string(body), key) {
			t.Errorf("the state holds the key %s", key)
		}
	}
}

func TestControlSetsState(t *testing.T) {
	account := newCompany(t, simulator.WithControlToken(controlToken), simulator.WithAPIKey(searchKey))
	wantAnswer(t, steer(account, "POST", "/sim/state", `{"tokens":[{"key":"`+accountKey+`"}],"users":[{"name":"Eve","email":"eve@example.com"}]}`), 204, "")
	if users := account.Users(); len(users) != 1 || users[0].Name != "Eve" {
		t.Errorf("got %v, want Eve", users)
	}
	for _, key := range []string{accountKey, searchKey} {
		if answer := send(account, "GET", "/users", "", "Authorization", "Token token="+key); answer.Code != 200 {
			t.Errorf("got %d, want the keys of the state and of the options to work", answer.Code)
		}
	}
	wantAnswer(t, steer(account, "POST", "/sim/state", `{}`), 204, "")
	if got := len(account.Users()); got != 3 {
		t.Errorf("got %d users, want the default ones", got)
	}
}

// TestReset sends the same requests before and after a reset. The account answers byte for
// byte as a new one; only the time differs.
func TestReset(t *testing.T) {
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	account := newAccount(simulator.WithSeed(3), simulator.WithClock(func() time.Time { return clock }),
		simulator.WithLimits(api.Limits{REST: 100}), simulator.WithControlToken(controlToken))
	keys := account.APIKey() + account.ServiceKey()
	first := transcript(t, account)
	account.Reset()
	if len(account.Requests()) != 0 || len(account.Incidents()) != 0 {
		t.Error("the reset left something behind")
	}
	if diff := cmp.Diff(first, transcript(t, account)); diff != "" {
		t.Error(diff)
	}
	if got := account.APIKey() + account.ServiceKey(); got != keys {
		t.Error("the reset changed the keys")
	}
}

func TestResetOfGeneratedKeys(t *testing.T) {
	account := simulator.New()
	keys := []string{account.APIKey(), account.ServiceKey()}
	account.Reset()
	if diff := cmp.Diff(keys, []string{account.APIKey(), account.ServiceKey()}); diff != "" {
		t.Error(diff)
	}
	sendEvent(t, account, keys[1], "trigger", "k", "d")
}
