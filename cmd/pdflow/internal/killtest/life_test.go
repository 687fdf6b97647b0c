package killtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// A fate is one run from its beginning to its end, over as many lives as it
// takes. The journal is all that one life leaves to the next.
type fate struct {
	scenario *scenario
	town     *town
	journal  engine.Journal // to look at
	order    order          // what every life is told
	traps    []trap         // where it dies: the first, the second time
	// sabotage is what is broken in the first life.
	sabotage sabotage
	// live begins the run or goes on with it, until it ends or dies. It reports
	// whether it died as it should.
	live func(o order) (died bool, err error)

	events    []engine.Event // as the journal last had them
	lives     int
	deaths    int
	decisions int // of a person
}

const (
	// maxLives bounds the lives of a run: one that has not ended then is stuck.
	maxLives = 8
	// between is the time that passes from one life to the next: longer than any
	// wait of a scenario, and all of it together shorter than resume_within.
	between = time.Minute
)

// newFate returns the fate of a run that has not begun, in a town of its own.
func newFate(s *scenario, t *town, run string) *fate {
	return &fate{scenario: s, town: t, order: order{
		Scenario: s.name, Run: run, URL: t.server.URL, APIKey: t.APIKey(), ServiceKey: t.ServiceKey(),
	}}
}

// play lives until the run has ended, and says what was wrong with that.
func (f *fate) play() []finding {
	for {
		o, found, over := f.next()
		if over {
			return found
		}
		died, err := f.live(o)
		if found := f.lived(o, died, err); found != nil {
			return found
		}
	}
}

// next is what the next life is told. When there is none, it says what was wrong
// with the run.
func (f *fate) next() (o order, found []finding, over bool) {
	o = f.order
	o.Time.Ahead = time.Duration(f.lives) * between
	if f.lives == 0 {
		o.Sabotage = f.sabotage
	}
	switch status := statusOf(f.events); {
	case status != engine.Running && status != engine.NeedsAttention:
		return o, f.judge(), true
	case f.lives >= maxLives:
		return o, findings(stuck, "it has not ended after %d lives", f.lives), true
	case status == engine.NeedsAttention && len(doubts(f.events)) == 0 && !f.decided():
		return o, findings(wrong, "it needs attention, and no call of it is in doubt"), true
	case status == engine.NeedsAttention:
		o.Retry, o.Calls = true, f.decide()
		f.decisions++
	}
	if f.deaths < len(f.traps) {
		o.Trap = f.traps[f.deaths]
		if f.deaths == 0 { // the first trap counts from the beginning of the run
			o.Trap.Count -= passed(f.events, o.Trap.At)
		}
	}
	return o, nil, false
}

// lived takes notice of a life, and looks at what it leaves.
func (f *fate) lived(o order, died bool, err error) []finding {
	first := f.lives == 0
	f.lives++
	f.town.calm()
	if err != nil {
		return findings(wrong, "it could not go on: %v", err)
	}
	if died {
		f.deaths++
	}
	if found := f.look(); found != nil {
		return found
	}
	confirmed := o.Trap.At == kept || o.Trap.At == afterIntent || o.Trap.At == afterDone
	switch n := passed(f.events, o.Trap.At); {
	case !died && statusOf(f.events) == engine.Running:
		return findings(stuck, "its process has ended, and the run has not")
	case died && first && confirmed && n < o.Trap.Count:
		return findings(lost, "it died at %q number %d, and the journal has %d of that", o.Trap.At, o.Trap.Count, n)
	}
	return nil
}

// passed is how often a moment has come, as far as the journal tells.
func passed(events []engine.Event, at moment) int {
	if at == heard || at == kept {
		return len(events)
	}
	begun, returned := map[callPlace]bool{}, 0
	for _, e := range events {
		switch {
		case e.Kind == engine.CallStarted && e.Call.Effect != action.Reads.String():
			begun[placeOf(e)] = true
		case e.Kind == engine.CallReturned && begun[placeOf(e)]:
			returned++
		}
	}
	if at == beforeIntent || at == afterIntent {
		return len(begun)
	}
	return returned
}

// look reads the journal. What was there before must be there still.
func (f *fate) look() []finding {
	events, err := f.journal.Events(context.Background(), f.order.Run)
	if err != nil && !(errors.Is(err, engine.ErrNoRun) && len(f.events) == 0) {
		return findings(lost, "it cannot be read: %v", err)
	}
	if len(events) < len(f.events) || len(f.events) > 0 && !reflect.DeepEqual(events[:len(f.events)], f.events) {
		return findings(lost, "of %d events that were recorded %d are left, or they have changed", len(f.events), len(events))
	}
	f.events = events
	return nil
}

// statusOf is the status of a run by its events; Running until it has ended.
func statusOf(events []engine.Event) engine.Status {
	status := engine.Running
	for _, e := range events {
		switch e.Kind {
		case engine.RunFinished:
			status = e.Status
		case engine.RunSuspended:
			status = engine.Suspended
		case engine.RunResumed, engine.RunRetried:
			status = engine.Running
		}
	}
	return status
}

// A callPlace says which call an event speaks of.
type callPlace struct {
	run, step             string
	item, attempt, number int
}

func placeOf(e engine.Event) callPlace {
	return callPlace{e.Run, e.Step, e.Item, e.Attempt, e.Call.Number}
}

// doubts are the calls of which nobody knows whether they were done: a repeat of
// them would do harm, they were begun, and neither they nor a later call of the
// same kind has an answer.
func doubts(events []engine.Event) []engine.Event {
	var open []engine.Event
	digests := map[callPlace]string{}
	known := func(same func(engine.Event) bool) { open = slices.DeleteFunc(open, same) }
	for _, e := range events {
		switch {
		case e.Kind == engine.CallStarted:
			digests[placeOf(e)] = e.Call.Digest
			if e.Call.Effect == action.Once.String() || e.Call.Effect == action.Reconciled.String() {
				open = append(open, e)
			}
		case e.Kind == engine.CallReturned && (e.Call.Error == nil || e.Call.Error.Kind != action.UnknownOutcome):
			known(func(o engine.Event) bool { return o.Call.Digest == digests[placeOf(e)] })
		case e.Kind == engine.CallDecided:
			known(func(o engine.Event) bool { return o.Sequence == e.Call.Number })
		}
	}
	return open
}

// decide is a person who looks at the service whether each order in doubt was done.
// What became of a user pdflow finds out by itself, once it is asked to retry.
func (f *fate) decide() map[int]engine.Decision {
	decided := map[int]engine.Decision{}
	for _, e := range doubts(f.events) {
		if e.Call.Effect != action.Once.String() {
			continue
		}
		address, _ := e.Call.Input["url"].(string)
		if asked, err := url.Parse(address); err == nil && f.town.count("POST", asked.Path) > 0 {
			decided[e.Sequence] = engine.CallDone
		} else {
			decided[e.Sequence] = engine.CallRepeat
		}
	}
	return decided
}

// decided reports whether a person has said something of a call before.
func (f *fate) decided() bool {
	return slices.ContainsFunc(f.events, func(e engine.Event) bool { return e.Kind == engine.CallDecided })
}

// story tells the run for a person who looks for a mistake.
func (f *fate) story() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  events of the run %s after %d deaths and %d decisions:\n", f.order.Run, f.deaths, f.decisions)
	for _, e := range f.events {
		fmt.Fprintf(&b, "  %4d %-18s %s\n", e.Sequence, e.Kind, told(e))
	}
	b.WriteString("  requests to PagerDuty:\n")
	for _, r := range f.town.Requests() {
		fmt.Fprintf(&b, "  %d %s %s\n", r.Status, r.Method, r.Path)
	}
	return b.String()
}

// told is what an event says, as far as it helps.
func told(e engine.Event) string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if e.Step != "" {
		add("%s, item %d, attempt %d", e.Step, e.Item, e.Attempt)
	}
	if e.Call != nil {
		add("call %d %s %v", e.Call.Number, e.Call.Action, e.Call.Input)
		if e.Call.Error != nil {
			add("failed: %v", e.Call.Error)
		}
	}
	if e.Outcome != nil {
		add("%s", e.Outcome.Status)
		if e.Outcome.Error != nil {
			add("because %v", e.Outcome.Error)
		}
	}
	if e.Status != "" {
		add("%s", e.Status)
	}
	return strings.Join(words, " ")
}
