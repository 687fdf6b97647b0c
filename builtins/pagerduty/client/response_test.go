package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestIncompleteAnswers proves that a success without the data that was asked for is an
// error, not an empty result. An empty result of a lookup would create a user again.
func TestIncompleteAnswers(t *testing.T) {
	account := endpoint{name: "account", call: func(ctx context.Context, c *Client) error { _, err := c.Account(ctx); return err }}
	for _, e := range append(append(endpoints()[:3], endpoints()[6:12]...), account) {
		for _, body := range []string{"", "null", "{}", `{"user":null,"users":null}`, `{"error":"no"}`, "<html>", `{"user":{"id":"P1"`, `{"user":[]}`} {
			c, s, _ := serve(t, V1, ok(body))
			var f *Error
			if err := e.call(context.Background(), c); !errors.As(err, &f) || f.Kind != Unavailable || f.Sent != e.writes || s.tries() != 1 {
				t.Errorf("%s, %q: got %+v after %d tries, want unavailable after one", e.name, body, f, s.tries())
			}
		}
	}
}

// TestUnreadableSuccess proves that a write whose success cannot be decoded has Sent set.
func TestUnreadableSuccess(t *testing.T) {
	c, _, _ := serve(t, V1, answer{status: 201, body: "<html>"})
	_, err := c.CreateUser(context.Background(), NewUser{Email: "ann@example.com", Name: "Ann"})
	var f *Error
	if !errors.As(err, &f) || f.Kind != Unavailable || !f.Sent {
		t.Errorf("got %+v, want unavailable and sent", f)
	}
}

// TestConnectionsAreReused proves that every answer is read to its end, also the answer
// of a failure.
func TestConnectionsAreReused(t *testing.T) {
	var opened atomic.Int32
	s := &service{answers: []answer{{status: 404, body: "{}"}, {status: 200, body: `{"user":{"id":"P1"}}`}}}
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := New(Config{APIKey: testAPIKey, APIURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, _ = c.UserByID(context.Background(), "P1")
	}
	if got := opened.Load(); got != 1 {
		t.Errorf("got %d connections for 5 calls, want 1", got)
	}
}

// TestOversizedAnswer proves that an endless answer does not fill the memory.
func TestOversizedAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, endless{}) // until the client closes the connection
	}))
	defer server.Close()
	c, err := New(Config{
		APIKey: testAPIKey, APIURL: server.URL, RetryBudget: time.Nanosecond,
		Jitter: func() float64 { return 0.5 }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var f *Error
	if _, err := c.UserByID(context.Background(), "P1"); !errors.As(err, &f) || f.Kind != Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

// endless is an endless stream of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }
