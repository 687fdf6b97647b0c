package simulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

// FuzzServeHTTP checks that every request is answered, with JSON that decodes
// or with the one plain text, and recorded.
func FuzzServeHTTP(f *testing.F) {
	f.Add("GET", "/users", "query=a&limit=1&include[]=contact_methods", "")
	f.Add("POST", "/users", "", `{"user":{"name":"Ann","email":"ann@example.com"}}`)
	f.Add("PUT", "/users/PANN001", "", `{"user":{"name":null,"role":1}}`)
	f.Add("DELETE", "/users/PANN001", "", "")
	f.Add("GET", "/incidents", "statuses[]=triggered&offset=9999", "")
	f.Add("POST", pathV1, "", `{"service_key":"`+checkoutKey+`","event_type":"trigger","description":"d","contexts":[1]}`)
	f.Add("POST", pathV2, "", `{"routing_key":"`+unknownKey+`","event_action":"resolve","dedup_key":"k"}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		account := newAccount(simulator.WithUser(simulator.User{ID: "PANN001", Name: "Ann", Email: "ann@example.com"}))
		request := &http.Request{
			Method: method,
			URL:    &url.URL{Path: path, RawQuery: query},
			Header: http.Header{"Authorization": {"Token token=" + accountKey}},
			Body:   http.NoBody,
		}
		if body != "" {
			request.Body = readCloser{strings.NewReader(body)}
		}
		recorder := httptest.NewRecorder()
		account.ServeHTTP(recorder, request)
		checkAnswer(t, recorder)
		if got := account.Requests(); len(got) != 1 || got[0].Status != recorder.Code {
			t.Errorf("got records %v, want one with status %d", got, recorder.Code)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func checkAnswer(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	body := answer.Body.Bytes()
	switch {
	case answer.Code < 200 || answer.Code > 499:
		t.Errorf("got status %d", answer.Code)
	case answer.Code == http.StatusNoContent && len(body) == 0:
	case bytes.Equal(body, []byte("Invalid routing key")):
	case !json.Valid(body):
		t.Errorf("got %q, want JSON", body)
	}
}
