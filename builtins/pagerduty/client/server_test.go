package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testAPIKey     = "u+TestKeyThatIsTwen1"
	testServiceKey = "0123456789abcdef0123456789abcdef"
)

// arrived is a request as the server received it.
type arrived struct {
	Method, Path string
	Header       http.Header
	Body         string
}

// answer is the next answer of a service.
type answer struct {
	status int
	header map[string]string
	body   string
	// reset closes the connection instead of answering.
	reset bool
}

// service answers requests from a list. It repeats the last answer.
type service struct {
	mu      sync.Mutex
	answers []answer
	arrived []arrived
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.arrived = append(s.arrived, arrived{r.Method, r.URL.RequestURI(), r.Header, string(body)})
	next := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()
	if next.reset {
		panic(http.ErrAbortHandler) // breaks the connection without an answer
	}
	for name, value := range next.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func (s *service) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrived)
}

// virtualClock is a clock on which only sleeping takes time.
type virtualClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func (c *virtualClock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), append(c.slept, d)
	return ctx.Err()
}

func (c *virtualClock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// serve starts a service and returns a client of it.
func serve(t *testing.T, version EventsVersion, answers ...answer) (*Client, *service, *virtualClock) {
	t.Helper()
	s := &service{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, clock := clientOf(t, version, Config{APIURL: server.URL, EventsURL: server.URL})
	return c, s, clock
}

// serveInProcess is [serve] without a network, for tests of many thousand calls.
func serveInProcess(t *testing.T, version EventsVersion, answers ...answer) (*Client, *service, *virtualClock) {
	t.Helper()
	s := &service{answers: answers}
	c, clock := clientOf(t, version, Config{APIURL: "http://127.0.0.1", EventsURL: "http://127.0.0.1", HTTPClient: &http.Client{Transport: s}})
	return c, s, clock
}

// RoundTrip answers a request that did not go over a network.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// clientOf returns a client on a virtual clock. The jitter makes every wait as long as it can be.
func clientOf(t *testing.T, version EventsVersion, config Config) (*Client, *virtualClock) {
	t.Helper()
	clock := &virtualClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	c, err := New(Config{
		APIKey: testAPIKey, ServiceKey: testServiceKey, FromEmail: "ops@example.com",
		APIURL: config.APIURL, EventsURL: config.EventsURL, HTTPClient: config.HTTPClient, EventsAPI: version,
		Sleep: clock.sleep, Now: clock.time, Jitter: func() float64 { return 0.999 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, clock
}

func ok(body string) answer { return answer{status: 200, body: body} }

// The answers of PagerDuty that several tests need.
var (
	acceptedEvent = answer{status: 202, body: `{"status":"success"}`}
	noSuch        = answer{status: 404, body: `{"error":{"message":"Not Found","code":2100}}`}
)

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%q is not JSON: %v", body, err)
	}
	return v
}

// keyless fails the test if a text contains a key.
func keyless(t *testing.T, text string) {
	t.Helper()
	for _, key := range []string{testAPIKey, testServiceKey} {
		if strings.Contains(text, key) {
			t.Errorf("%q contains a key", text)
		}
	}
}
