package simulator_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
)

const throttledBody = `{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly.  Please retry later."}`

func TestRESTLimit(t *testing.T) {
	clock := newManualClock()
	account := newAccount(append(clock.options(), simulator.WithLimits(api.Limits{REST: 3}), simulator.WithAPIKey("another-key-0000001"))...)
	for remaining := 2; remaining >= 0; remaining-- {
		answer := call(account, "GET", "/users", "")
		if got := answer.Header().Get("Ratelimit-Remaining"); answer.Code != 200 || got != strconv.Itoa(remaining) {
			t.Errorf("got %d with %s remaining, want 200 with %d", answer.Code, got, remaining)
		}
	}
	clock.advance(40 * time.Second)
	answer := call(account, "POST", "/users", `{"user":{"name":"Ann","email":"ann@example.com"}}`)
	wantAnswer(t, answer, 429, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`)
	header := answer.Header()
	if got := header.Get("Ratelimit-Limit") + header.Get("Ratelimit-Remaining") + header.Get("Ratelimit-Reset"); got != "3020" {
		t.Errorf("got headers %v, want limit 3, remaining 0, reset 20", header)
	}
	if got := len(account.Users()); got != 3 {
		t.Errorf("got %d users: a refused request had an effect", got)
	}
	if answer := send(account, "GET", "/users", "", "Authorization", "Token token=another-key-0000001"); answer.Code != 200 {
		t.Errorf("got %d with another key, want 200: each has its own limit", answer.Code)
	}
	clock.advance(20 * time.Second)
	if answer := call(account, "GET", "/users", ""); answer.Code != 200 {
		t.Errorf("got %d in the next window, want 200", answer.Code)
	}
}

func TestUnknownKeysAreNotCounted(t *testing.T) {
	account := newAccount(simulator.WithLimits(api.Limits{REST: 1}))
	for range 3 {
		if answer := send(account, "GET", "/users", "", "Authorization", "Token token=unknown-key"); answer.Code != 401 {
			t.Errorf("got %d, want 401", answer.Code)
		}
	}
}

// TestEventLimits: the limit counts the events of the last 60 seconds, not of the calendar
// minute.
func TestEventLimits(t *testing.T) {
	tests := []struct {
		name              string
		limits            api.Limits
		path, key         string
		accepted, tooMany int
	}{
		{"v1", api.Limits{EventsV1: 2}, pathV1, "service_key", 200, 403},
		{"v2", api.Limits{EventsV2: 2}, pathV2, "routing_key", 202, 429},
		{"changes", api.Limits{EventsV2: 2}, "/v2/change/enqueue", "routing_key", 202, 429},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clock := newManualClock()
			account := newAccount(append(clock.options(), simulator.WithLimits(test.limits))...)
			event := fields{test.key: checkoutKey, "event_type": "trigger", "event_action": "trigger", "description": "d", "payload": payload}
			for i, step := range []struct {
				wait   time.Duration
				status int
			}{
				{0, test.accepted},
				{40 * time.Second, test.accepted},
				{0, test.tooMany},
				{20 * time.Second, test.accepted},
				{0, test.tooMany},
				{39 * time.Second, test.tooMany},
				{1 * time.Second, test.accepted},
			} {
				clock.advance(step.wait)
				answer := send(account, "POST", test.path, encode(t, event))
				if answer.Code != step.status {
					t.Errorf("step %d: got %d %s, want %d", i, answer.Code, answer.Body, step.status)
				}
				if step.status == test.tooMany && answer.Body.String() != throttledBody {
					t.Errorf("got %s, want %s", answer.Body, throttledBody)
				}
			}
			if answer := send(account, "POST", test.path, encode(t, event.with(test.key, searchKey))); answer.Code != test.accepted {
				t.Errorf("got %d with another key: each has its own limit", answer.Code)
			}
		})
	}
}

func TestTimeFactor(t *testing.T) {
	clock := newManualClock()
	account := newAccount(append(clock.options(),
		simulator.WithLimits(api.Limits{REST: 1}), simulator.WithTimeFactor(100), simulator.WithTimeFactor(-1))...)
	statuses := func() string {
		return strconv.Itoa(call(account, "GET", "/users", "").Code) + " " + strconv.Itoa(call(account, "GET", "/users", "").Code)
	}
	if got := statuses(); got != "200 429" {
		t.Errorf("got %s", got)
	}
	clock.advance(590 * time.Millisecond)
	if got := call(account, "GET", "/users", ""); got.Code != 429 || got.Header().Get("Ratelimit-Reset") != "1" {
		t.Errorf("got %d, reset %s after 59 seconds", got.Code, got.Header().Get("Ratelimit-Reset"))
	}
	clock.advance(10 * time.Millisecond)
	if got := statuses(); got != "200 429" {
		t.Errorf("got %s after 60 seconds", got)
	}
	requests := account.Requests()
	if got := requests[len(requests)-1].At.Sub(requests[0].At); got != time.Minute {
		t.Errorf("got %v between the first and the last request, want a minute", got)
	}
}

func TestDefaultLimits(t *testing.T) {
	if got, want := api.DefaultLimits(), (api.Limits{REST: 960, EventsV2: 120, EventsV1: 120}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEventDelay(t *testing.T) {
	clock := newManualClock()
	account := newAccount(append(clock.options(), simulator.WithEventDelay(2*time.Second, 2*time.Second))...)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if got := account.Incidents(); len(got) != 0 {
		t.Errorf("got %v, want none before the delay is over", got)
	}
	clock.advance(1999 * time.Millisecond)
	sendEvent(t, account, checkoutKey, "resolve", "k", "")
	if answer := call(account, "GET", "/incidents", ""); pick(t, answer.Body.Bytes(), "incidents.#") != "0" {
		t.Errorf("got %s, want none", answer.Body)
	}
	clock.advance(time.Millisecond)
	if got := outcome(account); got != "triggered:t" {
		t.Errorf("got %q, want the trigger", got)
	}
	clock.advance(2 * time.Second)
	if got := outcome(account); got != "resolved:tr" {
		t.Errorf("got %q, want the resolution", got)
	}
	if got, want := account.Incidents()[0].Log[1].At, start.Add(3999*time.Millisecond); !got.Equal(want) {
		t.Errorf("got %v, want %v: when it was due", got, want)
	}
}

// TestEventDelayKeepsOrder draws many delays. Events of one key take effect in their order,
// and the delays follow from the seed.
func TestEventDelayKeepsOrder(t *testing.T) {
	run := func(seed int64) []time.Time {
		clock := newManualClock()
		account0 := newAccount(append(clock.options(), simulator.WithSeed(seed), simulator.WithEventDelay(0, time.Minute))...)
		for i := range 50 {
			key := strconv.Itoa(i)
			for _, kind := range []string{"trigger", "acknowledge", "resolve"} {
				sendEvent(t, account0, checkoutKey, kind, key, "d")
			}
		}
		clock.advance(time.Minute)
		var times []time.Time
		for _, incident := range account0.Incidents() {
			if len(incident.Log) != 3 || incident.Status != account.Resolved {
				t.Errorf("seed %d: got %v, want all three events in order", seed, incident)
			}
			times = append(times, incident.CreatedAt)
		}
		return times
	}
	first, again, other := run(1), run(1), run(2)
	if len(first) != 50 || len(again) != 50 || len(other) != 50 {
		t.Fatalf("got %d, %d and %d incidents, want 50", len(first), len(again), len(other))
	}
	differ := false
	for i := range first {
		if !first[i].Equal(again[i]) {
			t.Errorf("one seed gave two delays: %v and %v", first[i], again[i])
		}
		differ = differ || !first[i].Equal(other[i])
	}
	if !differ {
		t.Error("two seeds gave the same delays")
	}
}
