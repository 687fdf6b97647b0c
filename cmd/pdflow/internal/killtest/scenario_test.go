package killtest

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A scenario is a workflow of testdata/kill, and what must be true when its run has ended, however often
// its processes were killed.
type scenario struct {
	name    string
	status  run.Status // empty: success
	outputs action.Object
	// incidents are "description: status", in any order.
	incidents []string
	users     []string       // the addresses of those created
	deleted   []string       // the ids of those deleted
	orders    []string       // the paths of requests that may be sent once only
	notes     []string       // the paths of requests that may be repeated
	losses    lossRule       // answers that never arrive; nil: only the first answers of a trial
	patience  time.Duration  // how long the client tries one call; 0: its default
	varies    *regexp.Regexp // the parts of texts that differ from run to run
	// attention says that a run needs a decision even if its process is never killed.
	attention bool
	// before is how many runs of the workflow end before the run that is killed.
	before int
	check  func(events []run.Event) error
}

// corpus is all scenarios. `*` stands for the parts of a text that vary.
var corpus = []*scenario{
	{
		name: "events", outputs: action.Object{"key": "db1-disk"},
		incidents: []string{"disk full: resolved", "disk full again: triggered"},
	},
	{
		name: "script", outputs: action.Object{"ended": 3.0},
		incidents: []string{"disk full on db1: resolved", "disk full on db2: resolved", "disk full on db3: resolved"},
	},
	{
		name: "branches", outputs: action.Object{"created": true},
		incidents: []string{
			"first branch: triggered", "second branch, page 1: triggered", "second branch, page 2: triggered",
			"joined 2 and third@example.com: triggered",
		},
		users: []string{"third@example.com"},
	},
	{
		name: "team", outputs: action.Object{"emails": []any{"ann@example.com", "dee@example.com"}},
		users: []string{"ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"},
	},
	{
		name: "fanout", outputs: action.Object{"places": []any{1.0, 2.0, 3.0, 4.0, 5.0}},
		incidents: []string{
			"disk full on db1: triggered", "disk full on db2: resolved", "disk full on db3: triggered",
			"disk full on db4: resolved", "disk full on db5: triggered",
		},
	},
	{
		name: "retry", outputs: action.Object{"status": 200.0}, losses: losing("/flaky", 2, reset),
		incidents: []string{"looking at it: triggered", "it answered 200: triggered"},
	},
	{
		name: "hire", outputs: action.Object{"created": true, "found": true},
		incidents: []string{"Ann Example has a login: triggered"},
		users:     []string{"ann@example.com"},
	},
	{
		name: "leave", outputs: action.Object{"deleted": true, "found": false},
		incidents: []string{"Lee Leaver has left: triggered"},
		deleted:   []string{leaver},
	},
	{
		name: "once", outputs: action.Object{"noted": 200.0},
		incidents: []string{"before the order: triggered", "after the order: triggered"},
		orders:    []string{"/order"}, notes: []string{"/note"},
	},
	{
		name: "orders", outputs: action.Object{"ordered": []any{"disk", "fan", "cable", "rack"}},
		incidents: []string{"everything is ordered: triggered"},
		orders:    []string{"/order/disk", "/order/fan", "/order/cable", "/order/rack"},
	},
	{
		name: "overdue", outputs: action.Object{"ordered": "success"},
		incidents: []string{"before the order: triggered", "the order is a success: triggered"},
		orders:    []string{"/order"}, losses: losing("/order", 1, withheld), attention: true,
	},
	{
		name: "slow_hire", outputs: action.Object{"email": "ann@example.com"},
		users: []string{"ann@example.com"}, losses: losing("/users", 1, withheld), attention: true,
	},
	{
		name: "slow_leave", outputs: action.Object{"deleted": true, "name": "Lee Leaver"},
		deleted: []string{leaver}, losses: losing("/users/"+leaver, 1, withheld), attention: true,
	},
	{
		name: "insist", outputs: action.Object{"answered": true},
		incidents: []string{"nobody answers: triggered"},
		losses:    losing(eventsPath, 6, reset), patience: 120 * time.Millisecond,
	},
	{
		name: "failing", status: run.Failed,
		incidents: []string{"maintenance: resolved", "about to break: triggered", "work failed: triggered", "cleaned up: triggered"},
	},
	{
		name: "finally", outputs: action.Object{"guest": "guest@example.com"},
		incidents: []string{"maintenance: resolved"},
		users:     []string{"guest@example.com"}, deleted: []string{"guest@example.com"},
	},
	{
		name: "sleep", outputs: action.Object{"waited": true},
		incidents: []string{"before the wait: triggered", "after the wait: triggered"},
		check:     sleptOnce,
	},
	{
		name: "clock", outputs: action.Object{"described": "at *, *"}, losses: losing("/flaky", 2, reset),
		incidents: []string{"at *, *: triggered"},
		varies:    regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9][0-9.e+]+`),
	},
	{
		name: "reading", outputs: action.Object{"described": "load * after *"},
		incidents: []string{"load * after *: triggered"},
		varies:    regexp.MustCompile(`[0-9]+`),
	},
	{
		name: "tolerant", outputs: action.Object{"tried": "failure"},
		incidents: []string{"trying: triggered", "the try ended as failure: triggered"},
	},
	{
		name: "previous", outputs: action.Object{"runs": 2.0}, before: 1,
		incidents: []string{"run 1: triggered", "run 2: triggered"},
	},
	{
		name: "patience", outputs: action.Object{"done": "success"},
		incidents: []string{"no answer in time: triggered"},
		losses:    losing(eventsPath, 1, withheld),
	},
	{
		name: "twice", outputs: action.Object{"pages": 2.0}, losses: losing("/flaky", 2, reset),
		incidents: []string{"twice: triggered", "twice: triggered"},
	},
}

// named returns the scenario of a name.
func named(name string) (*scenario, error) {
	for _, s := range corpus {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no scenario %q", name)
}

// wanted returns the status that the run must end with.
func (s *scenario) wanted() run.Status {
	if s.status == "" {
		return run.Success
	}
	return s.status
}

// neutral replaces the parts of a text that vary.
func (s *scenario) neutral(text string) string {
	if s.varies == nil {
		return text
	}
	return s.varies.ReplaceAllString(text, "*")
}

// eventsPath is the path of the events API.
const eventsPath = "/generic/2010-04-15/create_event.json"

// A lossRule decides how the answer to a request is lost. Nth counts the requests of one method and path.
type lossRule func(method, path string, nth int) loss

// losing returns a rule that loses the first answers of a path, except answers to reads at PagerDuty.
func losing(place string, most int, how loss) lossRule {
	return func(method, path string, nth int) loss {
		if path == place && nth <= most && (method != http.MethodGet || isService(path)) {
			return how
		}
		return delivered
	}
}

// sleptOnce checks that a sleep is not cut short when its process is killed, and that a run which is
// resumed after the end of the sleep does not sleep again.
func sleptOnce(events []run.Event) error {
	const asked = 30 * time.Second
	var begun, resumed time.Time
	for _, e := range events {
		sleeps := e.Call != nil && e.Call.Action == "time.sleep"
		switch {
		case sleeps && e.Kind == run.EventCallStarted:
			begun = e.Time
		case e.Kind == run.EventResumed && !begun.IsZero():
			resumed = e.Time
		case sleeps && e.Kind == run.EventCallReturned && e.Time.Sub(begun) < asked:
			return fmt.Errorf("the run slept %s, want %s", e.Time.Sub(begun), asked)
		case sleeps && e.Kind == run.EventCallReturned && !resumed.IsZero() && e.Time.Sub(resumed) >= asked:
			return fmt.Errorf("the run slept another %s after it was resumed", e.Time.Sub(resumed))
		}
	}
	if begun.IsZero() {
		return errors.New("the run never slept")
	}
	return nil
}
