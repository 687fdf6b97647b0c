package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// endpoint is a call of the client and what TestEveryStatusCode expects of it.
type endpoint struct {
	name    string
	version EventsVersion
	call    func(context.Context, *Client) error
	// retried are the statuses below 500 that are retried. server says that the statuses
	// from 500 on are retried.
	retried map[int]bool
	server  bool
	writes  bool
	kinds   map[int]Kind // in addition to the common ones
}

func endpoints() []endpoint {
	reading := map[int]bool{408: true, 429: true}
	send := func(ctx context.Context, c *Client) error {
		_, err := c.SendEvent(ctx, event.Alert{Action: event.Trigger, Description: "x", IncidentKey: "k"})
		return err
	}
	return []endpoint{
		{"get user", V1, func(ctx context.Context, c *Client) error { _, err := c.UserByID(ctx, "PABC123"); return err }, reading, true, false, nil},
		{"find user", V1, func(ctx context.Context, c *Client) error {
			_, _, err := c.UserByEmail(ctx, "ann@example.com")
			return err
		}, reading, true, false, nil},
		{"create user", V1, func(ctx context.Context, c *Client) error {
			_, err := c.CreateUser(ctx, NewUser{Email: "ann@example.com", Name: "Ann"})
			return err
		}, reading, false, true, nil},
		{"delete user", V1, func(ctx context.Context, c *Client) error { return c.DeleteUser(ctx, "PABC123") }, reading, true, true, map[int]Kind{400: Conflict}},
		{"event v1", V1, send, map[int]bool{403: true, 429: true}, true, true, map[int]Kind{403: RateLimited}},
		{"event v2", V2, send, map[int]bool{429: true}, true, true, nil},
		{"get incident", V1, func(ctx context.Context, c *Client) error { _, err := c.IncidentByID(ctx, "Q1"); return err }, reading, true, false, nil},
		{"list incidents", V1, func(ctx context.Context, c *Client) error {
			_, _, err := c.Incidents(ctx, IncidentFilter{Limit: 1})
			return err
		}, reading, true, false, nil},
		{"list users", V1, func(ctx context.Context, c *Client) error {
			_, _, err := c.Users(ctx, UserFilter{Limit: 1})
			return err
		}, reading, true, false, nil},
		{"get on-call", V1, func(ctx context.Context, c *Client) error {
			_, _, err := c.OnCalls(ctx, OnCallFilter{Limit: 1})
			return err
		}, reading, true, false, nil},
		{"update user", V1, func(ctx context.Context, c *Client) error {
			_, err := c.UpdateUser(ctx, "PABC123", UserChange{Name: "Ann"})
			return err
		}, reading, true, true, nil},
		{"add note", V1, note(false), map[int]bool{429: true}, false, true, nil},
		{"add note, repeatable", V1, note(true), reading, true, true, nil},
		{"change event", V1, change(false), map[int]bool{429: true}, false, true, nil},
		{"change event, repeatable", V1, change(true), map[int]bool{429: true}, true, true, nil},
	}
}

func note(repeatable bool) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error {
		_, err := c.AddNote(ctx, NewNote{IncidentID: "Q1", Content: "x", Repeatable: repeatable})
		return err
	}
}

func change(repeatable bool) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error {
		_, err := c.SendChangeEvent(ctx, event.Change{Summary: "x"}, repeatable)
		return err
	}
}

// TestEveryStatusCode proves for every call and every status code whether the client
// retries, which kind the error has, and whether it says that PagerDuty may have acted.
func TestEveryStatusCode(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7 // with the race detector
	}
	for _, e := range endpoints() {
		for status := 300; status < 600; status += step {
			c, s, clock := serveInProcess(t, e.version, answer{status: status, body: `{"error":{"message":"No","code":1}}`})
			err := e.call(context.Background(), c)
			var f *Error
			if !errors.As(err, &f) {
				t.Fatalf("%s, %d: got %v, want an *Error", e.name, status, err)
			}
			if got, want := s.tries(), wantTries(e, status); got != want {
				t.Errorf("%s, %d: got %d tries, want %d", e.name, status, got, want)
			}
			if got, want := f.Kind, wantKind(e, status); got != want {
				t.Errorf("%s, %d: got kind %s, want %s", e.name, status, got, want)
			}
			if want := e.writes && (status >= 500 || status == 408); f.Sent != want {
				t.Errorf("%s, %d: got Sent %v, want %v", e.name, status, f.Sent, want)
			}
			if waited := clock.time().Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); waited > 2*time.Minute {
				t.Errorf("%s, %d: it waited %s, more than the budget", e.name, status, waited)
			}
			keyless(t, err.Error())
		}
	}
}

// wantTries returns the expected number of requests. Without jitter the waits are 0.5, 1,
// 2, 4, 8, 16, 30, 30 and 30 seconds. Eight of them fit into two minutes, and five into
// the half minute of v1's 403.
func wantTries(e endpoint, status int) int {
	switch {
	case e.name == "event v1" && status == 403:
		return 6
	case e.name == "delete user" && (status == 400 || status == 409):
		return 4 // three requests find out what still needs the user
	case e.retried[status], status >= 500 && e.server:
		return 9
	}
	return 1
}

// insists reports whether the call tries again after an answer that is not PagerDuty's: a page is worth it.
func (e endpoint) insists() bool {
	return e.name == "event v1" || e.name == "event v2" || e.name == "change event, repeatable"
}

// TestForeignAnswers (S1, S2, S3) proves for every call and every status code that an answer which is not
// PagerDuty's is never a success, and never says that something does not exist. After the status of a success, a
// write may have been done.
func TestForeignAnswers(t *testing.T) {
	bodies := []string{"", "null", "{}", `{"ok":true}`, "<!DOCTYPE html><html>Not Found</html>", "[]", `"ok"`, `{"user":`}
	step := 1
	if testing.Short() {
		step = 41 // the race detector makes it slow, and every status runs without it
	}
	for _, e := range endpoints() {
		for status := 200; status < 600; status += step {
			for i, body := range bodies {
				if status >= 300 && i%4 != status%4 {
					continue // each body has every fourth of these statuses
				}
				if status == 204 && e.name == "delete user" {
					continue // it never has a body
				}
				c, s, _ := serveInProcess(t, e.version, answer{status: status, body: body})
				err := e.call(context.Background(), c)
				var f *Error
				if !errors.As(err, &f) {
					t.Fatalf("%s, %d, %q: got %v, want an *Error", e.name, status, body, err)
				}
				if f.Kind == NotFound || status < 300 && (f.Kind != Unavailable || f.Sent != e.writes) {
					t.Errorf("%s, %d, %q: got kind %s (Sent %v)", e.name, status, body, f.Kind, f.Sent)
				}
				if want := e.insists() && status != 401 && (status < 300 || body != `"ok"`); want && s.tries() < 5 {
					t.Errorf("%s, %d, %q: got %d tries of a page", e.name, status, body, s.tries())
				}
			}
		}
	}
}

// TestEventVerdicts (S1) proves what the texts of an Events API mean, whatever the status is.
func TestEventVerdicts(t *testing.T) {
	for _, test := range []struct {
		body  string
		kind  Kind // empty: a success
		tries int
		says  string
	}{
		{`{"status":"success","message":"Event processed","incident_key":"k","dedup_key":"k"}`, "", 1, ""},
		{`{"status":"invalid event","message":"Event object is invalid","errors":["Description is missing"]}`, InvalidInput, 1, "Description is missing"},
		{`{"status":"unrecognized object","message":"Event object format is unrecognized"}`, InvalidInput, 1, "unrecognized"},
		{`{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly."}`, RateLimited, 9, "too quickly"},
		{`{"status":"ok"}`, Unavailable, 9, "lacks the data"},
	} {
		for _, version := range []EventsVersion{V1, V2} {
			for _, status := range []int{200, 202} {
				c, s, _ := serve(t, version, answer{status: status, body: test.body})
				got, err := c.SendEvent(context.Background(), event.Alert{Action: event.Trigger, Description: "x", IncidentKey: "k"})
				var f *Error
				switch errors.As(err, &f); {
				case test.kind == "" && (err != nil || got.IncidentKey != "k"):
					t.Errorf("%s, %d %s: got %v, %v", version, status, test.body, got, err)
				case test.kind != "" && (f == nil || f.Kind != test.kind || !strings.Contains(err.Error(), test.says)):
					t.Errorf("%s, %d %s: got %v, want %s", version, status, test.body, err, test.kind)
				}
				if s.tries() != test.tries {
					t.Errorf("%s, %d %s: got %d tries, want %d", version, status, test.body, s.tries(), test.tries)
				}
			}
		}
	}
}

// TestAnotherUser proves that an answer about another user than the one that was asked for is none.
func TestAnotherUser(t *testing.T) {
	c, _, _ := serve(t, V1, ok(`{"user":{"id":"POTHER","email":"bob@example.com"}}`))
	for name, call := range map[string]func() error{
		"get": func() error { _, err := c.UserByID(context.Background(), "PABC123"); return err },
		"update": func() error {
			_, err := c.UpdateUser(context.Background(), "PABC123", UserChange{Name: "Ann"})
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s: another user passes", name)
		}
	}
}

func wantKind(e endpoint, status int) Kind {
	if kind, ok := e.kinds[status]; ok {
		return kind
	}
	switch {
	case status < 400 || status >= 500:
		return Unavailable
	}
	common := map[int]Kind{401: Unauthorized, 402: Forbidden, 403: Forbidden, 404: NotFound, 408: Timeout, 409: Conflict, 429: RateLimited}
	if kind, ok := common[status]; ok {
		return kind
	}
	return InvalidInput
}

// TestBodySentWhole proves that a retry sends the same body again. With an empty body,
// the event would be lost.
func TestBodySentWhole(t *testing.T) {
	c, s, _ := serve(t, V1, answer{status: 500}, answer{status: 403}, answer{reset: true}, ok(`{"status":"success","incident_key":"k"}`))
	if _, err := c.SendEvent(context.Background(), event.Alert{Action: event.Trigger, Description: "disk full", IncidentKey: "k"}); err != nil {
		t.Fatal(err)
	}
	if len(s.arrived) != 4 {
		t.Fatalf("got %d tries, want 4", len(s.arrived))
	}
	for i, request := range s.arrived {
		if request.Body != s.arrived[0].Body || request.Body == "" {
			t.Errorf("try %d: got the body %q, want %q", i+1, request.Body, s.arrived[0].Body)
		}
	}
}

// TestBrokenConnections proves which requests are retried after the connection broke
// without an answer.
func TestBrokenConnections(t *testing.T) {
	for _, e := range endpoints() {
		c, s, _ := serve(t, e.version, answer{reset: true})
		err := e.call(context.Background(), c)
		var f *Error
		if !errors.As(err, &f) || f.Kind != Unavailable || f.Sent != e.writes {
			t.Errorf("%s: got %+v, want unavailable with Sent %v", e.name, f, e.writes)
		}
		if once := e.writes && !e.server; (s.tries() == 1) != once {
			t.Errorf("%s: got %d tries, want one: %v", e.name, s.tries(), once)
		}
	}
}

// TestRefusedConnection proves that every request that was certainly not sent is
// retried, and that the error says so.
func TestRefusedConnection(t *testing.T) {
	for _, e := range endpoints() {
		c, _, clock := serve(t, e.version, ok(""))
		c.config.APIURL, c.config.EventsURL = "http://127.0.0.1:1", "http://127.0.0.1:1"
		err := e.call(context.Background(), c)
		var f *Error
		if !errors.As(err, &f) || f.Kind != Unavailable || f.Sent {
			t.Errorf("%s: got %+v, want unavailable and not sent", e.name, f)
		}
		if len(clock.slept) == 0 {
			t.Errorf("%s: the request was not retried", e.name)
		}
	}
}

// TestAccountLocked proves that a 400 that says that the account is locked is retried.
func TestAccountLocked(t *testing.T) {
	locked := answer{status: 400, body: `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["License error: Unable to perform request at this time. account could not be locked"]}}`}
	c, s, _ := serve(t, V1, locked, locked, answer{status: 201, body: `{"user":{"id":"P1"}}`})
	user, err := c.CreateUser(context.Background(), NewUser{Email: "ann@example.com", Name: "Ann"})
	if err != nil || user.ID != "P1" || s.tries() != 3 {
		t.Errorf("got %v, %v after %d tries, want P1 after 3", user, err, s.tries())
	}
}

// TestDeleteRepeated proves that a 404 is a failure, but a success after a try that may
// have deleted the user.
func TestDeleteRepeated(t *testing.T) {
	gone := answer{status: 404, body: `{"error":{"message":"Not Found","code":2100}}`}
	c, _, _ := serve(t, V1, gone)
	var f *Error
	if err := c.DeleteUser(context.Background(), "P1"); !errors.As(err, &f) || f.Kind != NotFound {
		t.Errorf("got %v, want not_found", err)
	}
	c, _, _ = serve(t, V1, answer{reset: true}, gone)
	if err := c.DeleteUser(context.Background(), "P1"); err != nil {
		t.Errorf("after a lost answer: got %v, want success", err)
	}
}

// TestUnknownStaysUnknown proves that Sent stays set: the answer to a later try does not
// show what an earlier try did.
func TestUnknownStaysUnknown(t *testing.T) {
	throttled := answer{status: 429}
	taken := answer{status: 400, body: `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Email has already been taken"]}}`}
	c, _, _ := serve(t, V1, answer{status: 408}, throttled, taken)
	_, err := c.CreateUser(context.Background(), NewUser{Email: "ann@example.com", Name: "Ann"})
	var f *Error
	if !errors.As(err, &f) || f.Kind != Conflict || !f.Sent {
		t.Errorf("create: got %+v, want a conflict that this call may have made", f)
	}
	c, _, _ = serve(t, V1, throttled, taken)
	_, err = c.CreateUser(context.Background(), NewUser{Email: "ann@example.com", Name: "Ann"})
	if !errors.As(err, &f) || f.Kind != Conflict || f.Sent {
		t.Errorf("create: got %+v, want a conflict that another process made", f)
	}
	c, _, _ = serve(t, V1, answer{status: 500}, throttled, noSuch)
	if err := c.DeleteUser(context.Background(), "PABC123"); err != nil {
		t.Errorf("delete: got %v, want success", err)
	}
	c, _, _ = serve(t, V1, throttled, noSuch)
	if err := c.DeleteUser(context.Background(), "PABC123"); !errors.As(err, &f) || f.Kind != NotFound {
		t.Errorf("delete: got %v, want not_found", err)
	}
}

// TestWaits proves how long the client waits after a 429 with a ratelimit-reset header.
func TestWaits(t *testing.T) {
	throttled := func(reset string) answer {
		return answer{status: 429, header: map[string]string{"ratelimit-reset": reset}}
	}
	for _, test := range []struct {
		reset string
		want  time.Duration // at least, of the first wait
		most  time.Duration
	}{
		{"20", 20 * time.Second, 21 * time.Second},
		{"99999", 60 * time.Second, 61 * time.Second},
		{"soon", 0, 500 * time.Millisecond},
		{"-5", 0, 500 * time.Millisecond},
		{"NaN", 0, 500 * time.Millisecond},
		{"", 0, 500 * time.Millisecond},
	} {
		c, _, clock := serve(t, V1, throttled(test.reset), ok(`{"user":{"id":"P1"}}`))
		if _, err := c.UserByID(context.Background(), "P1"); err != nil {
			t.Fatal(err)
		}
		if got := clock.slept[0]; got < test.want || got > test.most {
			t.Errorf("ratelimit-reset %q: waited %s, want %s to %s", test.reset, got, test.want, test.most)
		}
	}
}

// TestThrottledV1 proves that v1's 403 is retried for half a minute only, because it can
// mean something other than throttled.
func TestThrottledV1(t *testing.T) {
	c, _, clock := serve(t, V1, answer{status: 403})
	start := clock.time()
	_, err := c.SendEvent(context.Background(), event.Alert{Action: event.Trigger, Description: "x"})
	var f *Error
	if !errors.As(err, &f) || f.Kind != RateLimited || f.Sent {
		t.Errorf("got %+v, want rate_limited and not sent", f)
	}
	if waited := clock.time().Sub(start); waited > throttleBudget || waited < 5*time.Second {
		t.Errorf("waited %s, want up to %s", waited, throttleBudget)
	}
}

// TestCancelled proves that a call that ends while it waits for its next try is
// cancelled or has timed out, by the cause of the context.
func TestCancelled(t *testing.T) {
	for _, test := range []struct {
		cause error
		want  Kind
	}{{context.Canceled, Cancelled}, {context.DeadlineExceeded, Timeout}} {
		ctx, cancel := context.WithCancelCause(context.Background())
		c, s, _ := serve(t, V1, answer{status: 500})
		c.config.Sleep = func(ctx context.Context, _ time.Duration) error {
			cancel(test.cause)
			return ctx.Err()
		}
		_, err := c.UserByID(ctx, "P1")
		var f *Error
		if !errors.As(err, &f) || f.Kind != test.want || s.tries() != 1 {
			t.Errorf("got %v after %d tries, want %s after one", err, s.tries(), test.want)
		}
	}
}

// TestRedirect proves that the client does not follow a redirect, which could carry a key
// to another server.
func TestRedirect(t *testing.T) {
	c, s, _ := serve(t, V1, answer{status: http.StatusFound, header: map[string]string{"Location": "/elsewhere"}})
	_, err := c.UserByID(context.Background(), "P1")
	if err == nil || s.tries() != 1 {
		t.Errorf("got %v after %d requests, want an error after one", err, s.tries())
	}
	keyless(t, fmt.Sprintf("%v %+v %#v", err, c, c))
}
