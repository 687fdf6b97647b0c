package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestCancelledBefore proves that nothing is sent if the context has ended already.
func TestCancelledBefore(t *testing.T) {
	for _, e := range endpoints() {
		c, s, _ := serve(t, e.version, ok(""))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		var f *Error
		if err := e.call(ctx, c); !errors.As(err, &f) || f.Kind != Cancelled || f.Sent || s.tries() != 0 {
			t.Errorf("%s: got %+v after %d requests, want cancelled and not sent", e.name, f, s.tries())
		}
		if !errors.Is(f, context.Canceled) {
			t.Errorf("%s: the cause is %v, want context.Canceled", e.name, f.Err)
		}
	}
}

// TestCancelledMeanwhile proves that a write that is cancelled while PagerDuty has the
// request has Sent set.
func TestCancelledMeanwhile(t *testing.T) {
	for _, e := range endpoints() {
		ctx, cancel := context.WithCancel(context.Background())
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done() // until the caller closes
		}))
		c, _, _ := serve(t, e.version, ok(""))
		c.config.APIURL, c.config.EventsURL = server.URL, server.URL
		checkCancelled(t, e, e.call(ctx, c))
		server.Close()
	}
}

// TestCancelledWithinAnswer proves the same for a call that is cancelled after the
// status has arrived: the error is not the error of the status.
func TestCancelledWithinAnswer(t *testing.T) {
	for _, e := range endpoints() {
		for _, status := range []int{200, 400, 500} {
			ctx, cancel := context.WithCancel(context.Background())
			c, _, _ := serve(t, e.version, ok(""))
			c.config.HTTPClient = &http.Client{Transport: cuttingTransport{status, cancel}}
			checkCancelled(t, e, e.call(ctx, c))
		}
	}
}

func checkCancelled(t *testing.T, e endpoint, err error) {
	t.Helper()
	var f *Error
	if !errors.As(err, &f) || f.Kind != Cancelled || f.Sent != e.writes || f.StatusCode != 0 {
		t.Errorf("%s: got %+v, want cancelled with Sent %v", e.name, f, e.writes)
	}
}

// cuttingTransport answers with a status. It cancels the call when the client reads the
// body.
type cuttingTransport struct {
	status int
	giveUp func()
}

func (t cuttingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: t.status, Header: http.Header{}, Body: io.NopCloser(t), Request: r}, nil
}

func (t cuttingTransport) Read([]byte) (int, error) { t.giveUp(); return 0, context.Canceled }

// TestCancelledBetween proves that the error of a wait that ended early still has the
// last failure, and that Sent stays set.
func TestCancelledBetween(t *testing.T) {
	c, _, _ := serve(t, V1, answer{status: 503, body: `{"error":{"message":"Down for maintenance"}}`})
	c.config.Sleep = func(context.Context, time.Duration) error { return context.DeadlineExceeded }
	err := c.DeleteUser(context.Background(), "PABC123")
	var f *Error
	if !errors.As(err, &f) || f.Kind != Timeout || !f.Sent || f.StatusCode != 503 || !strings.Contains(f.Message, "Down for maintenance") {
		t.Errorf("got %+v, want a timeout after a 503, sent", f)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is %v, want context.DeadlineExceeded", f.Err)
	}
}
