package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
)

// A wireRequest is a request as it arrived at an HTTP server.
type wireRequest struct {
	Method, Path, Authorization, From, ContentType string
	Body                                           any
}

// A wire answers like PagerDuty for one user, and keeps the requests. It shares no code with the client or
// the simulator.
type wire struct {
	mu       sync.Mutex
	requests []wireRequest
}

func (w *wire) ServeHTTP(response http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := wireRequest{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("From"), r.Header.Get("Content-Type"), nil}
	if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		_ = json.Unmarshal(body, &seen.Body)
	}
	w.requests = append(w.requests, seen)
	response.Header().Set("Content-Type", "application/json")
	user := `{"user":{"id":"PABC123","type":"user","name":"Ann Lee","email":"ann@example.com","role":"user"}}`
	switch {
	case strings.HasPrefix(r.URL.Path, "/generic/"):
		_, _ = io.WriteString(response, `{"status":"success","message":"Event processed","incident_key":"db1"}`)
	case r.URL.Path == "/v2/enqueue":
		response.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(response, `{"status":"success","message":"Event processed","dedup_key":"db1"}`)
	case r.Method == http.MethodGet && r.URL.Path == "/users":
		_, _ = io.WriteString(response, `{"users":[],"limit":100,"offset":0,"more":false,"total":null}`)
	case r.Method == http.MethodPost && r.URL.Path == "/users":
		response.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(response, user)
	case r.Method == http.MethodDelete:
		response.WriteHeader(http.StatusNoContent)
	default:
		_, _ = io.WriteString(response, user)
	}
}

const allSeven = `
permissions:
  pagerduty: [send_trigger_event, send_acknowledge_event, send_resolve_event, get_user_by_email, get_user_by_id, create_user, delete_user_by_id]
steps:
  - uses: pagerduty.send_trigger_event
    with:
      incident_key: db1
      description: disk full
      client: monitor
      client_url: https://monitor.example.com
      details: {free: 4}
      contexts: [{type: link, href: "https://example.com", text: graph}]
  - uses: pagerduty.send_acknowledge_event
    with: {incident_key: db1, description: on it, details: {who: ann}}
  - uses: pagerduty.send_resolve_event
    with: {incident_key: db1}
  - uses: pagerduty.get_user_by_email
    with: {email: ann+x@example.com}
  - uses: pagerduty.create_user
    with: {email: ann@example.com, name: Ann Lee, role: user, from_email: ops@example.com}
  - uses: pagerduty.get_user_by_id
    with: {id: PABC123}
  - uses: pagerduty.delete_user_by_id
    with: {id: PABC123}
`

const (
	wireAPIKey     = "u+TestKeyThatIsTwen1"
	wireServiceKey = "0123456789abcdef0123456789abcdef"
)

func runAllSeven(t *testing.T, eventsAPI string) []wireRequest {
	t.Helper()
	server := &wire{}
	listening := httptest.NewServer(server)
	defer listening.Close()
	file := filepath.Join(t.TempDir(), "seven.yaml")
	if err := os.WriteFile(file, []byte(allSeven), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := clitest.Run(t, map[string]string{
		"PAGERDUTY_API_URL": listening.URL, "PAGERDUTY_EVENTS_URL": listening.URL, "PAGERDUTY_EVENTS_API": eventsAPI,
		"PAGERDUTY_API_KEY": wireAPIKey, "PAGERDUTY_SERVICE_KEY": wireServiceKey,
	}, "run", file)
	if ran.Code != console.ExitDone {
		t.Fatalf("got exit code %d, want 0; it printed:\n%s", ran.Code, ran.Stderr)
	}
	return server.requests
}

// rest returns a request of the REST API.
func rest(method, path, from string, body any) wireRequest {
	return wireRequest{method, path, "Token token=" + wireAPIKey, from, "application/json", body}
}

// event returns a request of an events API, which has its key in the body.
func event(path string, body map[string]any) wireRequest {
	return wireRequest{"POST", path, "", "", "application/json", any(body)}
}

func restRequests() []wireRequest {
	user := map[string]any{"user": map[string]any{"type": "user", "name": "Ann Lee", "email": "ann@example.com", "role": "user"}}
	return []wireRequest{
		rest("GET", "/users?limit=100&offset=0&query=ann%2Bx%40example.com", "", nil),
		rest("GET", "/users?limit=100&offset=0&query=ann%40example.com", "", nil),
		rest("POST", "/users", "ops@example.com", user),
		rest("GET", "/users/PABC123", "", nil),
		rest("GET", "/users/PABC123", "", nil),
		rest("DELETE", "/users/PABC123", "", nil),
	}
}

// TestRequests: each of the seven actions sends exactly the expected requests.
func TestRequests(t *testing.T) {
	const path = "/generic/2010-04-15/create_event.json"
	want := append([]wireRequest{
		event(path, map[string]any{
			"service_key": wireServiceKey, "event_type": "trigger", "incident_key": "db1", "description": "disk full",
			"client": "monitor", "client_url": "https://monitor.example.com", "details": map[string]any{"free": 4.0},
			"contexts": []any{map[string]any{"type": "link", "href": "https://example.com", "text": "graph"}},
		}),
		event(path, map[string]any{
			"service_key": wireServiceKey, "event_type": "acknowledge", "incident_key": "db1", "description": "on it",
			"details": map[string]any{"who": "ann"},
		}),
		event(path, map[string]any{"service_key": wireServiceKey, "event_type": "resolve", "incident_key": "db1"}),
	}, restRequests()...)
	if diff := cmp.Diff(want, runAllSeven(t, "")); diff != "" {
		t.Errorf("requests differ (-want +got):\n%s", diff)
	}
}

// TestRequestsV2: the same with Events API v2.
func TestRequestsV2(t *testing.T) {
	const path = "/v2/enqueue"
	want := append([]wireRequest{
		event(path, map[string]any{
			"routing_key": wireServiceKey, "event_action": "trigger", "dedup_key": "db1",
			"client": "monitor", "client_url": "https://monitor.example.com",
			"links": []any{map[string]any{"href": "https://example.com", "text": "graph"}},
			"payload": map[string]any{
				"summary": "disk full", "source": "monitor", "severity": "error", "custom_details": map[string]any{"free": 4.0},
			},
		}),
		event(path, map[string]any{"routing_key": wireServiceKey, "event_action": "acknowledge", "dedup_key": "db1"}),
		event(path, map[string]any{"routing_key": wireServiceKey, "event_action": "resolve", "dedup_key": "db1"}),
	}, restRequests()...)
	if diff := cmp.Diff(want, runAllSeven(t, "v2")); diff != "" {
		t.Errorf("requests differ (-want +got):\n%s", diff)
	}
}
