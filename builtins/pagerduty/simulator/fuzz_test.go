package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

// FuzzServeHTTP checks that every request is recorded and is answered with valid JSON or
// with the one plain text.
func FuzzServeHTTP(f *testing.F) {
	f.Add("GET", "/users", "query=a&limit=1&include[]=contact_methods", "")
	f.Add("POST", "/users", "", `{"user":{"name":"Ann","email":"ann@example.com"}}`)
	f.Add("PUT", "/users/PANN001", "", `{"user":{"name":null,"role":1}}`)
	f.Add("DELETE", "/users/PDAN001", "", "")
	f.Add("GET", "/incidents", "statuses[]=triggered&offset=9999&since=2026-01-01", "")
	f.Add("POST", "/incidents", "", `{"incident":{"title":"t","service":{"id":"PSERV01"},"assignments":[{"assignee":{"id":"PANN001"}}]}}`)
	f.Add("PUT", "/incidents", "", `{"incidents":[{"id":"QOPEN01","status":"resolved"},{"id":"QDONE01"},7]}`)
	f.Add("PUT", "/incidents/QOPEN01", "include[]=services", `{"incident":{"status":"resolved","escalation_policy":{"id":"PPOLICY"}}}`)
	f.Add("POST", "/incidents/QOPEN01/notes", "", `{"note":{"content":"c"}}`)
	f.Add("POST", "/webhook_subscriptions", "", `{"webhook_subscription":{"delivery_method":{"type":"http_delivery_method","url":"http://127.0.0.1:9/"},"events":["incident.resolved"],"filter":{"type":"account_reference"}}}`)
	f.Add("GET", "/services/PSERV01/integrations/PINTEG1", "", "")
	f.Add("POST", "/v2/change/enqueue", "", `{"routing_key":"`+checkoutKey+`","payload":{"summary":"s"},"links":[1]}`)
	f.Add("POST", pathV1, "", `{"service_key":"`+checkoutKey+`","event_type":"trigger","description":"d","contexts":[1]}`)
	f.Add("POST", pathV2, "", `{"routing_key":"`+unknownKey+`","event_action":"resolve","dedup_key":"k"}`)
	state, err := account.ParseState([]byte(company))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		account := simulator.New(simulator.WithState(state), simulator.WithWebhookTransport(&subscriber{statuses: []int{400}}))
		defer account.Close()
		recorder := httptest.NewRecorder()
		account.ServeHTTP(recorder, fuzzedRequest(method, path, query, body))
		checkAnswer(t, recorder)
		if got := account.Requests(); len(got) != 1 || got[0].Status != recorder.Code {
			t.Errorf("got records %v, want one with status %d", got, recorder.Code)
		}
	})
}

func fuzzedRequest(method, path, query, body string) *http.Request {
	request := &http.Request{
		Method: method,
		URL:    &url.URL{Path: path, RawQuery: query},
		Header: http.Header{"Authorization": {"Token token=" + accountKey}, "From": {"ann@example.com"}},
		Body:   http.NoBody,
	}
	if body != "" {
		request.Body = readCloser{strings.NewReader(body)}
	}
	return request
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func checkAnswer(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	body := answer.Body.Bytes()
	switch {
	case answer.Code < 200 || answer.Code > 499:
		t.Errorf("got status %d", answer.Code)
	case (answer.Code == http.StatusNoContent || answer.Code == http.StatusAccepted) && len(body) == 0:
	case string(body) == "Invalid routing key":
	case !json.Valid(body):
		t.Errorf("got %q, want JSON", body)
	}
}

// FuzzParseState checks that a document is either refused with problems, or makes a state
// that survives its own JSON and an account that answers.
func FuzzParseState(f *testing.F) {
	f.Add([]byte(company))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"users":[],"services":[],"on_calls":[],"tokens":[]}`))
	f.Add([]byte(`{"services":[{"name":"A","integrations":[{}]}],"incidents":[{"service":"A","title":"t","status":"acknowledged"}]}`))
	f.Add([]byte(`{"user":[{"name":7}],"users":null,"users":{}}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		state, err := account.ParseState(document)
		if err != nil {
			checkProblems(t, err)
			return
		}
		account0 := simulator.New(simulator.WithState(state))
		for _, target := range []string{"/users", "/incidents", "/oncalls", "/services", "/escalation_policies", "/schedules"} {
			answer := send(account0, "GET", target, "", "Authorization", "Token token="+account0.APIKey())
			if want := 200; answer.Code != want && account0.APIKey() != "" {
				t.Errorf("%s: got %d %s", target, answer.Code, answer.Body)
			}
		}
		again, err := account.ParseState([]byte(encode(t, state)))
		if err != nil {
			t.Fatalf("its own JSON is refused: %v", err)
		}
		if first, second := encode(t, state), encode(t, again); first != second {
			t.Errorf("got %s, want %s", second, first)
		}
	})
}

// FuzzParseFaults checks that a document is either refused with problems, or makes rules
// with which every request is still recorded.
func FuzzParseFaults(f *testing.F) {
	f.Add([]byte(`{"faults":[{"do":"status","status":503,"body":"<x","match":{"endpoint":"/users","nth":1}}]}`))
	f.Add([]byte(`{"faults":[{"do":"headers","headers":{"a":"b"},"remove":["date"],"match":{"probability":0.5,"every":2,"times":1}}]}`))
	f.Add([]byte(`{"faults":[{"do":"stale_read","delay":"1h2m3s"},{"do":"clock_jump","delay":"1s"},{"do":"duplicate"}]}`))
	f.Add([]byte(`{"faults":[{"do":"reset_before","name":"x"},{"do":"truncated_body","match":{"method":"GET"}}]}`))
	f.Add([]byte(`{"fault":1}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		plan, err := fault.Parse(document)
		if err != nil {
			checkProblems(t, err)
			return
		}
		again, err := fault.Parse([]byte(encode(t, plan)))
		if err != nil {
			t.Fatalf("its own JSON is refused: %v", err)
		}
		if diff := cmp.Diff(encode(t, plan), encode(t, again)); diff != "" {
			t.Error(diff)
		}
		account := newAccount(simulator.WithFaults(plan.Faults...))
		account.Close() // so that a request that hangs ends at once
		for range 3 {
			serveOrBreakOff(t, account, fuzzedRequest("GET", "/users", "", ""))
			serveOrBreakOff(t, account, fuzzedRequest("POST", pathV1, "", `{"service_key":"`+checkoutKey+`","event_type":"trigger","description":"d"}`))
		}
		if got := len(account.Requests()); got != 6 {
			t.Errorf("got %d requests recorded, want 6", got)
		}
	})
}

// serveOrBreakOff lets a handler answer or end the connection.
func serveOrBreakOff(t *testing.T, handler http.Handler, request *http.Request) {
	t.Helper()
	defer func() {
		if reason := recover(); reason != nil && reason != http.ErrAbortHandler {
			t.Errorf("got a panic: %v", reason)
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), request)
}

func checkProblems(t *testing.T, err error) {
	t.Helper()
	problems, ok := err.(strictjson.Problems)
	if !ok || len(problems) == 0 {
		t.Fatalf("got %v, want problems", err)
	}
	for _, problem := range problems {
		if problem.Message == "" {
			t.Errorf("got a problem of %q without a message", problem.Path)
		}
	}
}
