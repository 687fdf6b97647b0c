package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

const (
	accountKey  = "account-key-00000001"
	checkoutKey = "0123456789abcdef0123456789abcdef"
	searchKey   = "fedcba9876543210fedcba9876543210"
	unknownKey  = "ffffffffffffffffffffffffffffffff"

	pathV1 = "/generic/2010-04-15/create_event.json"
	pathV2 = "/v2/enqueue"
)

// newAccount returns an account with the keys above and further options.
func newAccount(options ...simulator.Option) *simulator.Simulator {
	return simulator.New(append([]simulator.Option{
		simulator.WithAPIKey(accountKey),
		simulator.WithServiceKey("Checkout", checkoutKey),
		simulator.WithServiceKey("Search", searchKey),
	}, options...)...)
}

// send makes a request with headers given as name, value, name, value.
func send(handler http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

// call makes a REST request with the account's key.
func call(handler http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	return send(handler, method, target, body, append(headers, "Authorization", "Token token="+accountKey)...)
}

// wantAnswer checks the status and the whole body.
func wantAnswer(t *testing.T, answer *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if answer.Code != status {
		t.Errorf("got status %d, want %d", answer.Code, status)
	}
	if got := answer.Body.String(); got != body {
		t.Errorf("got body  %s\nwant body %s", got, body)
	}
}

// decode reads a JSON body.
func decode[T any](t *testing.T, body io.Reader) T {
	t.Helper()
	var value T
	if err := json.NewDecoder(body).Decode(&value); err != nil {
		t.Fatalf("decoding the answer: %v", err)
	}
	return value
}

// encode writes a JSON body.
func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fields is a JSON object under construction.
type fields map[string]any

// with returns a copy with one field changed, or left out when it is absent.
func (f fields) with(name string, value any) fields {
	changed := fields{}
	for k, v := range f {
		changed[k] = v
	}
	changed[name] = value
	if value == absent {
		delete(changed, name)
	}
	return changed
}

// absent is the value of a field to leave out.
var absent = &struct{}{}

// createUser creates a user that must be accepted and returns the ID.
func createUser(t *testing.T, handler http.Handler, name, email string) string {
	t.Helper()
	answer := call(handler, "POST", "/users", encode(t, fields{"user": fields{"name": name, "email": email}}))
	if answer.Code != http.StatusCreated {
		t.Fatalf("creating %s: %d %s", email, answer.Code, answer.Body)
	}
	return decode[struct{ User struct{ ID string } }](t, answer.Body).User.ID
}

// sendEvent sends a v1 event that must be accepted.
func sendEvent(t *testing.T, handler http.Handler, serviceKey, kind, incidentKey, description string) {
	t.Helper()
	answer := send(handler, "POST", pathV1, encode(t, fields{
		"service_key": serviceKey, "event_type": kind, "incident_key": incidentKey, "description": description,
	}))
	wantAnswer(t, answer, 200, `{"status":"success","message":"Event processed","incident_key":"`+incidentKey+`"}`)
}
