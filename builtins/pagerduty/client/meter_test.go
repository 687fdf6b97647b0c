package client

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// meter is a server that only enforces a rate limit, and counts.
type meter struct {
	now     func() time.Time
	latency func() // returns when the server may answer

	restLimit    int  // requests of a fixed window, which its first request begins
	eventLimit   int  // events in any minute
	headerless   bool // a throttled answer has no headers
	silent       bool // no answer has headers
	wholeSeconds bool // the reset is rounded up
	rounding     func(float64) float64
	elsewhere    float64 // part of the window that another process uses, evenly

	mu                  sync.Mutex
	begins              time.Time // of the window
	used                int
	events              []time.Time // accepted in the last minute
	calls, refused, own int
	order               []string // paths or bodies of the accepted requests
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	latency := m.latency
	m.mu.Unlock()
	latency()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if strings.HasPrefix(r.URL.Path, "/v2") || r.URL.Path == pathV1 {
		m.takeEvent(w, r, string(body))
		return
	}
	taken := m.take()
	m.headers(w.Header(), taken)
	if !taken {
		m.refused++
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	m.own++
	m.order = append(m.order, r.Method+" "+r.URL.Path)
	_, _ = io.WriteString(w, `{"user":{"id":"P1"},"users":[]}`)
}

// take counts a request in the window, and reports whether it is accepted. The other
// process has used the share of the time that has passed; its refused requests do not
// count.
func (m *meter) take() bool {
	now := m.now()
	if m.begins.IsZero() || now.Sub(m.begins) >= time.Minute {
		m.begins, m.used = now, 0
	}
	if m.spent(now) >= m.restLimit {
		return false
	}
	m.used++
	return true
}

func (m *meter) spent(now time.Time) int {
	share := float64(m.restLimit) * m.elsewhere
	return m.used + int(share*min(1, now.Sub(m.begins).Seconds()*6/60)) // within the first ten seconds
}

func (m *meter) headers(header http.Header, taken bool) {
	if m.silent || m.headerless && !taken {
		return
	}
	reset := m.begins.Add(time.Minute).Sub(m.now()).Seconds()
	if m.wholeSeconds {
		reset = math.Ceil(reset)
		if m.rounding != nil {
			reset = m.rounding(reset)
		}
	}
	header.Set("ratelimit-limit", strconv.Itoa(m.restLimit))
	header.Set("ratelimit-remaining", strconv.Itoa(max(0, m.restLimit-m.spent(m.now()))))
	header.Set("ratelimit-reset", strconv.FormatFloat(reset, 'f', -1, 64))
}

func (m *meter) takeEvent(w http.ResponseWriter, r *http.Request, body string) {
	now := m.now()
	for len(m.events) > 0 && now.Sub(m.events[0]) >= time.Minute {
		m.events = m.events[1:]
	}
	if len(m.events) >= m.eventLimit {
		m.refused++
		status := http.StatusTooManyRequests
		if r.URL.Path == pathV1 {
			status = http.StatusForbidden
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly.  Please retry later."}`)
		return
	}
	m.events = append(m.events, now)
	m.own++
	m.order = append(m.order, body)
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"success"}`)
}

// set changes the meter under its lock.
func (m *meter) set(change func(*meter)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

// sent returns how many requests arrived.
func (m *meter) sent() (calls int) {
	m.set(func(m *meter) { calls = m.calls })
	return calls
}

// RoundTrip answers without a network, for tests on virtual time.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	m.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// virtual returns a client of the meter. Both use the virtual time of the synctest
// bubble.
func (m *meter) virtual(t testing.TB, version EventsVersion, pacing *Pacing) *Client {
	t.Helper()
	m.set(func(m *meter) {
		m.now, m.latency = time.Now, func() { time.Sleep(200 * time.Millisecond) }
	})
	c, err := New(Config{
		APIKey: testAPIKey, ServiceKey: testServiceKey, FromEmail: "ops@example.com", EventsAPI: version,
		HTTPClient: &http.Client{Transport: m}, Pacing: pacing, Jitter: func() float64 { return 0.5 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parallel makes calls numbered from 0 with some workers, and returns the errors.
func parallel(calls, workers int, call func(int) error) (failures []error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	numbers := make(chan int, calls)
	for i := range calls {
		numbers <- i
	}
	close(numbers)
	for range workers {
		all.Go(func() {
			for i := range numbers {
				if err := call(i); err != nil {
					mu.Lock()
					failures = append(failures, fmt.Errorf("call %d: %w", i, err))
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return failures
}

func getUser(c *Client) func(int) error {
	return func(int) error { _, err := c.UserByID(context.Background(), "P1"); return err }
}

func trigger(c *Client) func(int) error {
	return func(i int) error {
		_, err := c.SendEvent(context.Background(), event.Alert{Action: event.Trigger, Description: "x", IncidentKey: strconv.Itoa(i)})
		return err
	}
}
