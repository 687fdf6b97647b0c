package actiontest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A Request is what a [Recorder] received.
type Request struct {
	Line, Body string            // Line is the method and the URI
	Header     map[string]string // the headers that the recorder keeps
}

// A Recorder is a server on the loopback interface that keeps the requests that it
// receives.
type Recorder struct {
	*httptest.Server
	mu       sync.Mutex
	requests []Request
}

// NewRecorder starts a server that keeps the named headers of every request and
// answers with answer. It is closed at the end of the test.
func NewRecorder(t *testing.T, headers []string, answer http.HandlerFunc) *Recorder {
	t.Helper()
	r := &Recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		request := Request{Line: q.Method + " " + q.URL.RequestURI(), Body: string(body), Header: map[string]string{}}
		for _, name := range headers {
			request.Header[name] = q.Header.Get(name)
		}
		r.mu.Lock()
		r.requests = append(r.requests, request)
		r.mu.Unlock()
		answer(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

// Requests returns what was received so far.
func (r *Recorder) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// Check compares what was received with what must have been.
func (r *Recorder) Check(t *testing.T, want ...Request) {
	t.Helper()
	if diff := cmp.Diff(want, r.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
