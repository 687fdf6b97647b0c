package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// exhausted returns a meter whose window is used up, and a client of it.
func exhausted(t *testing.T) (*meter, *Client) {
	t.Helper()
	m := &meter{restLimit: 2}
	c := m.virtual(t, V1, nil)
	if failures := parallel(2, 1, getUser(c)); len(failures) > 0 {
		t.Fatal(failures)
	}
	m.set(func(m *meter) { m.order = nil })
	return m, c
}

// TestOneProbe proves that after a reset one request goes first. The others follow when
// its answer has come.
func TestOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := exhausted(t)
		m.set(func(m *meter) { m.restLimit = 100 })
		begun := time.Now()
		var at []time.Duration
		m.set(func(m *meter) {
			latency := m.latency
			m.latency = func() {
				m.set(func(*meter) { at = append(at, time.Since(begun).Round(100*time.Millisecond)) })
				latency()
			}
		})
		if failures := parallel(4, 4, getUser(c)); len(failures) > 0 {
			t.Fatal(failures)
		}
		// The window began with the first answer, 200 ms ago.
		second := time.Minute - 200*time.Millisecond
		if diff := cmp.Diff([]time.Duration{second, second + 200*time.Millisecond, second + 200*time.Millisecond, second + 200*time.Millisecond}, at); diff != "" || m.refused != 0 {
			t.Errorf("%d refused; times (-want +got):\n%s", m.refused, diff)
		}
	})
}

// TestWritesBeforeReads proves the order of the calls that wait for one API key: writes
// go before reads, and older calls before younger ones.
func TestWritesBeforeReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := exhausted(t)
		m.set(func(m *meter) { m.restLimit = 1 }) // one request leaves in each minute
		for i := range 3 {
			go func() { _, _ = c.UserByID(context.Background(), fmt.Sprintf("PREAD%d", i)) }()
			synctest.Wait()
			go func() { _ = c.DeleteUser(context.Background(), fmt.Sprintf("PWRITE%d", i)) }()
			synctest.Wait()
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		want := []string{
			"DELETE /users/PWRITE0", "DELETE /users/PWRITE1", "DELETE /users/PWRITE2",
			"GET /users/PREAD0", "GET /users/PREAD1", "GET /users/PREAD2",
		}
		if diff := cmp.Diff(want, m.order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

// TestTriggersFirst proves the order of the events that wait for a key: triggers, then
// acknowledgements and resolutions, then change events, each in the order of the calls.
func TestTriggersFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{eventLimit: 1}
		c := m.virtual(t, V2, nil)
		if err := trigger(c)(0); err != nil {
			t.Fatal(err)
		}
		m.set(func(m *meter) { m.order = nil })
		send := func(a event.Action, key string) func() {
			return func() {
				_, _ = c.SendEvent(context.Background(), event.Alert{Action: a, Description: "x", IncidentKey: key})
			}
		}
		for _, call := range []func(){
			func() { _, _ = c.SendChangeEvent(context.Background(), event.Change{Summary: "c1"}, false) }, // is throttled, and starts a pause
			send(event.Resolve, "r1"), send(event.Trigger, "t1"), send(event.Acknowledge, "a1"), send(event.Trigger, "t2"),
		} {
			go call()
			time.Sleep(210 * time.Millisecond)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		var got []string
		for _, body := range m.order {
			for _, key := range []string{"c1", "r1", "t1", "a1", "t2"} {
				if strings.Contains(body, `"`+key+`"`) {
					got = append(got, key)
				}
			}
		}
		if diff := cmp.Diff([]string{"t1", "t2", "r1", "a1", "c1"}, got); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

// TestWaitEnds proves that a cancelled call stops waiting and sends nothing, and that
// another waiting call then becomes the sleeper.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := exhausted(t)
		m.set(func(m *meter) { m.restLimit = 100 })
		calls := m.sent()
		first, cancel := context.WithCancel(context.Background())
		failed, done := make(chan error, 3), make(chan error, 1)
		for range 3 {
			go func() { _, err := c.UserByID(first, "P1"); failed <- err }()
		}
		synctest.Wait()
		go func() { _, err := c.UserByID(context.Background(), "P1"); done <- err }()
		synctest.Wait()
		cancel()
		for range 3 {
			var f *Error
			if err := <-failed; !errors.As(err, &f) || f.Kind != Cancelled || f.Sent || !strings.Contains(err.Error(), "while waiting for PagerDuty's rate limit") {
				t.Errorf("got %v, want cancelled while waiting for the rate limit", err)
			}
		}
		synctest.Wait()
		if got := m.sent() - calls; got != 0 {
			t.Errorf("got %d requests for calls that were cancelled", got)
		}
		if err := <-done; err != nil {
			t.Errorf("the call that was not cancelled: %v", err)
		}
	})
}

// TestDeadlineWhileWaiting proves that a call does not wait beyond its deadline.
func TestDeadlineWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := exhausted(t)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		_, err := c.UserByID(ctx, "P1")
		var f *Error
		if !errors.As(err, &f) || f.Kind != Timeout || time.Since(begun) != 10*time.Second {
			t.Errorf("got %v after %s, want a timeout after 10s", err, time.Since(begun))
		}
	})
}

// TestSharedPacing proves that clients that share a Pacing wait together for the same
// key. Other keys and other Pacings do not wait.
func TestSharedPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared Pacing
		m := &meter{restLimit: 2}
		a, b := m.virtual(t, V1, &shared), m.virtual(t, V1, &shared)
		otherKey := m.virtual(t, V1, &shared)
		otherKey.config.APIKey = strings.Repeat("b", 20)
		alone := m.virtual(t, V1, nil)
		if failures := parallel(2, 1, getUser(a)); len(failures) > 0 {
			t.Fatal(failures)
		}
		m.set(func(m *meter) { m.restLimit = 100 })
		for _, test := range []struct {
			name string
			c    *Client
			want time.Duration
		}{
			{"another key", otherKey, 200 * time.Millisecond},
			{"another pacing", alone, 200 * time.Millisecond},
			{"the same key and pacing", b, time.Minute - 400*time.Millisecond}, // the window began 800 ms ago; the answer takes 200
		} {
			begun := time.Now()
			if err := getUser(test.c)(0); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(begun); got.Round(100*time.Millisecond) != test.want {
				t.Errorf("%s: got an answer after %s, want %s", test.name, got, test.want)
			}
		}
		keyless(t, fmt.Sprintf("%v %+v %#v", &shared, &shared, &shared))
	})
}

// TestThrottledEventsV1 proves that a throttled event of v1 fails after half a minute.
// Events that were not throttled wait in the queue instead.
func TestThrottledEventsV1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{eventLimit: documentedEvents}
		c := m.virtual(t, V1, nil)
		failures := parallel(500, 20, trigger(c))
		for _, err := range failures {
			var f *Error
			if !errors.As(err, &f) || f.Kind != RateLimited || f.Sent {
				t.Errorf("got %v, want rate_limited and not sent", err)
			}
		}
		t.Logf("%d accepted, %d failed, %d requests", m.own, len(failures), m.calls)
		if m.own+len(failures) != 500 || len(failures) > 20 {
			t.Errorf("got %d accepted and %d failed, want 500 together and at most one failed for each worker", m.own, len(failures))
		}
	})
}

// TestSharedEventKey proves that no event is lost if another process uses most of the
// limit of a key. The client finds the limit only by trying.
func TestSharedEventKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{eventLimit: 40}
		c := m.virtual(t, V2, nil)
		if failures := parallel(100, 10, trigger(c)); len(failures) > 0 || m.own != 100 {
			t.Errorf("got %d accepted and %v, want 100 and no failure", m.own, failures)
		}
	})
}

// TestHangingProbe proves that a probe that hangs does not hold up other events for
// longer than probeTimeout.
func TestHangingProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{eventLimit: 1}
		c := m.virtual(t, V2, nil)
		if err := trigger(c)(0); err != nil {
			t.Fatal(err)
		}
		go func() { _ = trigger(c)(1) }() // is throttled: from now on the key is paced
		time.Sleep(210 * time.Millisecond)
		m.set(func(m *meter) {
			m.eventLimit = 100
			m.latency = func() { // the probe hangs
				m.set(func(m *meter) { m.latency = func() {} })
				time.Sleep(20 * time.Second)
			}
		})
		begun := time.Now()
		if err := trigger(c)(2); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited > probeTimeout+time.Second {
			t.Errorf("got an answer after %s, want it after little more than %s", waited, probeTimeout)
		}
		time.Sleep(time.Minute) // the probe that hangs ends
		synctest.Wait()
	})
}

// TestEventsAreNotPaced proves that no event is held back before PagerDuty has
// throttled one, nor after a minute without events.
func TestEventsAreNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{eventLimit: 10_000}
		c := m.virtual(t, V2, nil)
		for range 2 {
			begun := time.Now()
			if failures := parallel(300, 300, trigger(c)); len(failures) > 0 || time.Since(begun) != 200*time.Millisecond {
				t.Errorf("got %v after %s, want 300 events at once", failures, time.Since(begun))
			}
			m.set(func(m *meter) { m.eventLimit = 300 })
			if err := trigger(c)(0); err != nil { // is throttled at first
				t.Fatal(err)
			}
			m.set(func(m *meter) { m.eventLimit = 10_000 })
			time.Sleep(2 * time.Minute)
		}
	})
}

// TestManyKeys proves that a Pacing forgets keys that are no longer used.
func TestManyKeys(t *testing.T) {
	var p Pacing
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k := clock{now: func() time.Time { return now }}
	for i := range 10 * pruneFrom {
		place := p.ticket(request{credential: fmt.Sprint(i), priority: lookups}, k)
		if err := func() error { _, err := place.wait(context.Background()); return err }(); err != nil {
			t.Fatal(err)
		}
		place.release(feedback{sent: true, accepted: true})
		now = now.Add(time.Second)
	}
	if got := len(p.queues); got > 2*pruneFrom {
		t.Errorf("got %d keys remembered after %d, want at most %d", got, 10*pruneFrom, 2*pruneFrom)
	}
}

// TestHeaders proves how the rate limit headers of an answer are read.
func TestHeaders(t *testing.T) {
	for _, test := range []struct {
		limit, remaining, reset string
		want                    feedback
	}{
		{"960", "12", "20", feedback{stated: true, total: 960, remaining: 12, reset: 20 * time.Second}},
		{"960", "0", "0.5", feedback{stated: true, total: 960, reset: 500 * time.Millisecond}},
		{"", "12", "20", feedback{stated: true, remaining: 12, reset: 20 * time.Second}},
		{"960", "", "20", feedback{total: 960, reset: 20 * time.Second}},
		{"960", "12", "", feedback{total: 960, remaining: 12}},
		{"960", "12", "0", feedback{total: 960, remaining: 12}},
		{"-1", "-1", "-1", feedback{}},
		{"many", "few", "soon", feedback{}},
		{"960", "12", "99999", feedback{stated: true, total: 960, remaining: 12, reset: maxReset}},
	} {
		header := http.Header{}
		header.Set("ratelimit-limit", test.limit)
		header.Set("ratelimit-remaining", test.remaining)
		header.Set("ratelimit-reset", test.reset)
		var got feedback
		got.readHeaders(header)
		if got != test.want {
			t.Errorf("%s, %s, %s: got %+v, want %+v", test.limit, test.remaining, test.reset, got, test.want)
		}
	}
}
