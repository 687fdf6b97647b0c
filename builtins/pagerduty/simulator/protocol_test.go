package simulator_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
)

func TestAuthorization(t *testing.T) {
	const refused = `{"error":{"message":"Authentication failed","code":2006}}`
	tests := []struct {
		authorization string
		status        int
	}{
		{"Token token=" + accountKey, 200},
		{"token token=" + accountKey, 200},
		{"Bearer " + accountKey, 200},
		{"", 401},
		{accountKey, 401},
		{"Token " + accountKey, 401},
		{"Token token=", 401},
		{"Bearer", 401},
		{"Bearer " + checkoutKey, 401},
		{"Basic " + accountKey, 401},
		{"Token token=wrong", 401},
	}
	for _, test := range tests {
		account := newAccount()
		answer := send(account, "GET", "/users", "", "Authorization", test.authorization)
		if answer.Code != test.status {
			t.Errorf("%q: got %d, want %d", test.authorization, answer.Code, test.status)
		}
		if test.status == 401 && answer.Body.String() != refused {
			t.Errorf("%q: got %s, want %s", test.authorization, answer.Body, refused)
		}
	}
}

func TestUserKey(t *testing.T) {
	account := newAccount(
		simulator.WithUser(account.User{ID: "PANN001", Name: "Ann", Email: "ann@example.com"}),
		simulator.WithUserKey("user-key-0000000001", "PANN001"),
	)
	asAnn := []string{"Authorization", "Bearer user-key-0000000001"}
	if body := send(account, "GET", "/users/me", "", asAnn...).Body.String(); !strings.Contains(body, `"id":"PANN001"`) {
		t.Errorf("got %s, want Ann", body)
	}
	wantAnswer(t, call(account, "GET", "/users/me", ""), 400, invalidInput(t, "An account API key does not belong to a user"))
	wantAnswer(t, send(account, "DELETE", "/users/PANN001", "", asAnn...), 204, "")
	if answer := send(account, "GET", "/users/me", "", asAnn...); answer.Code != 401 {
		t.Errorf("got %d with the key of a deleted user, want 401", answer.Code)
	}
}

func TestRoutes(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "//users", 404, ""},
		{"GET", "/users//", 404, ""},
		{"GET", "/users/a/b", 404, ""},
		{"GET", "/users/a%2Fb", 404, ""},
		{"GET", "/users/..", 404, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "/v2/enqueue", 405, "POST"},
		{"PUT", "/users", 405, "GET, POST"},
		{"DELETE", "/users/", 405, "GET, POST"},
		{"PATCH", "/users/PX", 405, "GET, PUT, DELETE"},
		{"GET", "/users/", 200, ""},
		{"GET", "/%75sers", 200, ""},
	}
	for _, test := range tests {
		answer := call(newAccount(), test.method, test.path, "")
		if answer.Code != test.status || answer.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: got %d %q, want %d %q", test.method, test.path,
				answer.Code, answer.Header().Get("Allow"), test.status, test.allow)
		}
		if test.status == 404 && answer.Body.String() != notFound {
			t.Errorf("%s %s: got %s, want %s", test.method, test.path, answer.Body, notFound)
		}
	}
}

func TestHeaders(t *testing.T) {
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	account := newAccount(simulator.WithClock(func() time.Time { return clock }))
	steps := []struct {
		wait             time.Duration
		remaining, reset string
	}{
		{0, "959", "60"},
		{500 * time.Millisecond, "958", "60"},
		{59 * time.Second, "957", "1"},
		{500 * time.Millisecond, "959", "60"},
		{-time.Hour, "959", "60"},
	}
	seen := map[string]bool{}
	for _, step := range steps {
		clock = clock.Add(step.wait)
		header := call(account, "GET", "/users", "").Header()
		got := []string{header.Get("Ratelimit-Limit"), header.Get("Ratelimit-Remaining"), header.Get("Ratelimit-Reset")}
		if diff := cmp.Diff([]string{"960", step.remaining, step.reset}, got); diff != "" {
			t.Errorf("after %v: %s", step.wait, diff)
		}
		if id := header.Get("X-Request-Id"); len(id) != 32 || seen[id] {
			t.Errorf("got request identifier %q", id)
		} else {
			seen[id] = true
		}
		if got := header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
			t.Errorf("got content type %q", got)
		}
	}
}

func TestRequestsAreRecordedWithoutKeys(t *testing.T) {
	var logged []api.Request
	account := newAccount(
		simulator.WithLog(func(r api.Request) { logged = append(logged, r) }),
		simulator.WithAPIKey("secret+key/000000001"),
	)
	call(account, "GET", "/users?query=ops", "")
	call(account, "DELETE", "/users/"+accountKey, "")
	send(account, "POST", pathV1+"?service_key="+checkoutKey, "")
	send(account, "GET", "/users?a=secret+key/000000001&b=secret%2Bkey%2F000000001", "")
	want := []api.Request{
		{Method: "GET", Path: "/users?query=ops", Status: 200},
		{Method: "DELETE", Path: "/users/REDACTED", Status: 404},
		{Method: "POST", Path: pathV1 + "?service_key=REDACTED", Status: 400},
		{Method: "GET", Path: "/users?a=REDACTED&b=REDACTED", Status: 401},
	}
	inJSON := func(requests []api.Request) string { return encode(t, requests) }
	if diff := cmp.Diff(inJSON(want), inJSON(account.Requests())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(account.Requests(), logged); diff != "" {
		t.Error(diff)
	}
	if got, want := encode(t, want[0]), `{"method":"GET","path":"/users?query=ops","status":200}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUnknownKeysAreNeverRecorded puts a key that the account does not know in every place
// where a client might put it.
func TestUnknownKeysAreNeverRecorded(t *testing.T) {
	const secret = "u+SecretOfSomebody01"
	account := newAccount(simulator.WithControlToken(controlToken))
	for _, authorization := range []string{"Token token=" + secret, "Bearer " + secret, secret} {
		send(account, "GET", "/users/"+secret, "", "Authorization", authorization)
		send(account, "GET", "/users?x="+percentEncoded(secret), "", "Authorization", authorization)
		send(account, "POST", pathV1, `{"service_key":"`+secret+`","incident_key":"`+secret+`"}`, "Authorization", authorization)
	}
	for _, name := range []string{"token", "api_key", "Service_Key", "routing%5Fkey", "access_token"} {
		send(account, "GET", "/users?a=b&"+name+"="+secret+"&c=d", "")
	}
	got := encode(t, account.Requests()) + steer(account, "GET", "/sim/state", "").Body.String()
	for _, form := range []string{secret, percentEncoded(secret)} {
		if strings.Contains(got, form) {
			t.Errorf("the records hold the key: %s", got)
		}
	}
	if last := account.Requests()[len(account.Requests())-1].Path; last != "/users?a=b&access_token=REDACTED&c=d" {
		t.Errorf("got %s, want the rest of the query kept", last)
	}
}

func percentEncoded(text string) string { return strings.ReplaceAll(text, "+", "%2B") }

// brokenBody fails after it has returned a complete event.
type brokenBody struct{ *strings.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	if b.Len() == 0 {
		return 0, errors.New("connection reset")
	}
	return b.Reader.Read(p)
}

func TestBodyThatBreaksOff(t *testing.T) {
	account := newAccount()
	body := brokenBody{strings.NewReader(encode(t, eventV2))}
	recorder := httptest.NewRecorder()
	account.ServeHTTP(recorder, httptest.NewRequest("POST", pathV2, body))
	wantAnswer(t, recorder, 400, unrecognized)
	if got := account.Incidents(); len(got) != 0 {
		t.Errorf("half a request had an effect: %v", got)
	}
}

func TestRequestWithoutBody(t *testing.T) {
	request, err := http.NewRequest("POST", "http://localhost"+pathV2, nil)
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	newAccount().ServeHTTP(recorder, request)
	wantAnswer(t, recorder, 400, unrecognized)
}
