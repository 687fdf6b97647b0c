package simulator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

func TestDuplicate(t *testing.T) {
	account := newAccount(simulator.WithFaults(fault.Fault{Do: fault.Duplicate}))
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if got := outcome(account); got != "triggered:tt" {
		t.Errorf("got %q, want two triggers of one incident", got)
	}
	body := encode(t, fields{"service_key": checkoutKey, "event_type": "trigger", "description": "d"})
	if answer := send(account, "POST", pathV1, body); answer.Code != 200 {
		t.Errorf("got %d", answer.Code)
	}
	if got := len(account.Incidents()); got != 3 {
		t.Errorf("got %d incidents, want two more for a trigger without a key", got)
	}
	if answer := call(account, "POST", "/users", annBody); answer.Code != 201 {
		t.Errorf("got %d, want the first answer", answer.Code)
	}
	if got := len(account.Users()); got != 4 {
		t.Errorf("got %d users, want 4", got)
	}
}

func TestStaleReads(t *testing.T) {
	clock := newManualClock()
	account := newAccount(append(clock.options(), simulator.WithFaults(fault.Fault{
		Do: fault.StaleRead, Delay: fault.Duration(2 * time.Second), Match: fault.Match{Endpoint: "rest"},
	}))...)
	seen := func() string {
		users := call(account, "GET", "/users?query=ann", "").Body.Bytes()
		incidents := call(account, "GET", "/incidents", "").Body.Bytes()
		return pick(t, users, "users.#") + " users, " + pick(t, incidents, "incidents.#") + " incidents"
	}
	id := createUser(t, account, "Ann", "ann@example.com")
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if got := seen(); got != "0 users, 0 incidents" {
		t.Errorf("got %s right after the writes", got)
	}
	clock.advance(time.Second)
	if answer := call(account, "PUT", "/users/"+id, `{"user":{"name":"Ann Lee"}}`); answer.Code != 200 {
		t.Errorf("got %d: a write is not stale", answer.Code)
	}
	if len(account.Users()) != 4 || len(account.Incidents()) != 1 {
		t.Error("the account itself is stale")
	}
	clock.advance(time.Second)
	if got := seen(); got != "1 users, 1 incidents" {
		t.Errorf("got %s two seconds after the writes", got)
	}
	name := func() string { return pick(t, call(account, "GET", "/users/"+id, "").Body.Bytes(), "user.name") }
	if got := name(); got != `"Ann"` {
		t.Errorf("got %s, want the name from before the update", got)
	}
	clock.advance(time.Second)
	if got := name(); got != `"Ann Lee"` {
		t.Errorf("got %s, want the new name", got)
	}
}

func TestClockJump(t *testing.T) {
	clock := newManualClock()
	account := newAccount(append(clock.options(), simulator.WithLimits(api.Limits{REST: 1}), simulator.WithEventDelay(time.Minute, time.Minute),
		simulator.WithFaults(fault.Fault{Do: fault.ClockJump, Delay: fault.Duration(time.Minute), Match: fault.Match{Endpoint: "/incidents", Nth: 2}}))...)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if got := pick(t, call(account, "GET", "/incidents", "").Body.Bytes(), "incidents.#"); got != "0" {
		t.Errorf("got %s incidents", got)
	}
	answer := call(account, "GET", "/incidents", "")
	if answer.Code != 200 || pick(t, answer.Body.Bytes(), "incidents.#") != "1" {
		t.Errorf("got %d %s after the jump, want a new window and the event's effect", answer.Code, answer.Body)
	}
	if got, want := account.Incidents()[0].CreatedAt, start.Add(time.Minute); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestMatch sends a series of requests to a rule. It lists the numbers of the requests to
// which the rule was applied.
func TestMatch(t *testing.T) {
	tests := []struct {
		name  string
		match fault.Match
		want  []int
	}{
		{"everything", fault.Match{}, []int{1, 2, 3, 4, 5, 6, 7}},
		{"endpoint", fault.Match{Endpoint: "/users"}, []int{1, 2, 5, 6}},
		{"parameter", fault.Match{Endpoint: "/users/{id}"}, []int{3}},
		{"rest", fault.Match{Endpoint: "rest"}, []int{1, 2, 3, 5, 6}},
		{"events", fault.Match{Endpoint: "events"}, []int{4, 7}},
		{"method", fault.Match{Method: "POST"}, []int{2, 4, 6, 7}},
		{"endpoint and method", fault.Match{Endpoint: "/users", Method: "POST"}, []int{2, 6}},
		{"incident key", fault.Match{Key: "disk"}, []int{4}},
		{"address", fault.Match{Key: "ann@example.com"}, []int{2}},
		{"identifier", fault.Match{Key: "PANN001"}, []int{3}},
		{"second", fault.Match{Endpoint: "/users", Nth: 2}, []int{2}},
		{"every other", fault.Match{Every: 2}, []int{2, 4, 6}},
		{"three times", fault.Match{Times: 3}, []int{1, 2, 3}},
		{"every other, twice", fault.Match{Every: 2, Times: 2}, []int{2, 4}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := newAccount(simulator.WithFaults(fault.Fault{Do: "status", Status: 500, Match: test.match}))
			sendSeries(t, account)
			if diff := cmp.Diff(test.want, struck(account)); diff != "" {
				t.Error(diff)
			}
			if got := account.Faults()[0].Applied; got != len(test.want) {
				t.Errorf("got %d applied, want %d", got, len(test.want))
			}
		})
	}
}

func sendSeries(t *testing.T, account *simulator.Simulator) {
	t.Helper()
	event := fields{"service_key": checkoutKey, "routing_key": checkoutKey, "event_type": "trigger", "event_action": "trigger", "description": "d", "payload": payload}
	call(account, "GET", "/users", "")
	call(account, "POST", "/users", annBody)
	call(account, "GET", "/users/PANN001", "")
	send(account, "POST", pathV1, encode(t, event.with("incident_key", "disk")))
	call(account, "GET", "/users/", "")
	call(account, "POST", "/users", `{"user":{"name":"Bob","email":"bob@example.com"}}`)
	send(account, "POST", pathV2, encode(t, event.with("dedup_key", "fan")))
}

func struck(account *simulator.Simulator) []int {
	var numbers []int
	for i, request := range account.Requests() {
		if request.Fault != "" {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

func TestFirstRuleThatAppliesIsUsed(t *testing.T) {
	account := newAccount(simulator.WithFaults(
		fault.Fault{Name: "first", Do: "status", Status: 500, Match: fault.Match{Nth: 2}},
		fault.Fault{Do: "status", Status: 502, Match: fault.Match{Method: "GET"}},
		fault.Fault{Name: "last", Do: "status", Status: 503},
	))
	var got []int
	for _, method := range []string{"GET", "GET", "POST", "GET"} {
		got = append(got, call(account, method, "/users", "").Code)
	}
	if diff := cmp.Diff([]int{502, 500, 503, 502}, got); diff != "" {
		t.Error(diff)
	}
	want := []fault.Count{
		{Name: "first", Do: "status", Matched: 4, Applied: 1},
		{Name: "fault 2", Do: "status", Matched: 2, Applied: 2},
		{Name: "last", Do: "status", Matched: 1, Applied: 1},
	}
	if diff := cmp.Diff(want, account.Faults()); diff != "" {
		t.Error(diff)
	}
}

// TestProbability draws 2,000 times. The share is close to the probability, the requests
// follow from the seed, and two rules do not draw the same requests.
func TestProbability(t *testing.T) {
	run := func(seed int64) (first, second []int) {
		rule := func(share float64) fault.Fault {
			return fault.Fault{Do: "status", Status: 500, Match: fault.Match{Probability: share}}
		}
		account := newAccount(simulator.WithSeed(seed), simulator.WithFaults(rule(0.2), rule(0.2)))
		for range 2000 {
			call(account, "GET", "/users", "")
		}
		for i, request := range account.Requests() {
			switch request.Fault {
			case "fault 1":
				first = append(first, i)
			case "fault 2":
				second = append(second, i)
			}
		}
		return first, second
	}
	first, second := run(1)
	if len(first) < 340 || len(first) > 460 || len(second) < 260 || len(second) > 380 {
		t.Errorf("got %d and %d of 2000, want about 400 and 320", len(first), len(second))
	}
	again, _ := run(1)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("one seed gave two draws: %s", diff)
	}
	if other, _ := run(2); cmp.Equal(first, other) {
		t.Error("two seeds gave the same draws")
	}
}

func TestRequestsWithoutRouteHaveNoFaults(t *testing.T) {
	account := newAccount(simulator.WithFaults(fault.Fault{Do: "status", Status: 500}))
	wantAnswer(t, call(account, "GET", "/nothing", ""), 404, notFound)
	if got := account.Faults()[0].Matched; got != 0 {
		t.Errorf("got %d matched, want 0", got)
	}
}

// TestExactlyOnce shows how a test of a client counts requests: by their keys.
func TestExactlyOnce(t *testing.T) {
	account := newAccount(simulator.WithFaults(fault.Fault{Do: "status", Status: 503, Match: fault.Match{Nth: 1}}))
	call(account, "POST", "/users", annBody)
	call(account, "POST", "/users", annBody)
	requests := account.Requests()
	for _, request := range requests {
		if request.Endpoint != "/users" || request.Key != "ann@example.com" || request.BodyHash != requests[0].BodyHash || len(request.BodyHash) != 64 {
			t.Errorf("got %+v, want the same request twice", request)
		}
	}
	if requests[0].Processed || !requests[1].Processed {
		t.Errorf("got %v, want the second one processed only", requests)
	}
}
