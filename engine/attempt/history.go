package attempt

import (
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A RecordedCall is a call that a step, or an item of one, made before: in this
// attempt or in an earlier one.
type RecordedCall struct {
	run.Call
	Attempt  int
	Sequence int       // of its call.started, or of its call.returned when it has only that
	Time     time.Time // when it was begun
	Returned bool      // its result is known; not when the attempt was stopped meanwhile
	// Decided is what a person said of it; empty when nobody did.
	Decided run.CallOutcome
}

// unknown reports whether the call is a write that was begun, and nobody knows
// what became of it.
func (c *RecordedCall) Unknown() bool {
	return c.Decided == "" && c.Effect != action.Reads.String() && (!c.Returned || c.Error != nil && c.Error.Kind == action.UnknownOutcome)
}

// output is the recorded output. A journal may not tell an empty one from none.
func (c *RecordedCall) output() action.Object {
	if c.Output == nil {
		return action.Object{}
	}
	return c.Output
}

// A callLog is what the attempts of a run recorded of their calls. Those of steps
// that have ended are forgotten unless the run may be retried, and of fleeting calls
// what they sent and got.
type History map[run.TaskID][]RecordedCall

// valueSize is about how many bytes a value takes.
func ValueSize(v any) int {
	size := 16
	switch v := v.(type) {
	case string:
		size += len(v)
	case []any:
		for _, item := range v {
			size += ValueSize(item)
		}
	case action.Object:
		for name, field := range v {
			size += len(name) + ValueSize(field)
		}
	}
	return size
}

// kept is the size of what the calls of a unit keep. Reads do not count: only a replay
// has what they sent and got.
func kept(calls []RecordedCall) int {
	size := 0
	for n := range calls {
		if calls[n].Effect != action.Reads.String() {
			size += ValueSize(calls[n].Input) + ValueSize(calls[n].Output)
		}
	}
	return size
}

// add takes an event.
func (l History) Add(e run.Event) {
	id := run.TaskID{Step: e.Step, Item: e.Item}
	switch e.Kind {
	case run.EventCallStarted:
		c := RecordedCall{Call: *e.Call, Attempt: e.Attempt, Sequence: e.Sequence, Time: e.Time}
		if c.Transient {
			c.Input = nil
		}
		l[id] = append(l[id], c)
	case run.EventCallReturned:
		l.returned(id, e)
	case run.EventCallDecided:
		if c := l.at(id, e.Call.Number); c != nil {
			c.Decided = e.Call.Decision
		}
	}
}

// returned adds a result to the call that it belongs to. A result of an earlier
// attempt that was given back has no call.started.
func (l History) returned(id run.TaskID, e run.Event) {
	calls := l[id]
	for i := len(calls) - 1; i >= 0 && calls[i].Attempt == e.Attempt; i-- {
		if calls[i].Number == e.Call.Number {
			calls[i].Returned, calls[i].Error = !e.Call.Stopped, e.Call.Error
			if !calls[i].Transient {
				calls[i].Output = e.Call.Output
			}
			return
		}
	}
	l[id] = append(calls, RecordedCall{Call: *e.Call, Attempt: e.Attempt, Sequence: e.Sequence, Time: e.Time, Returned: true})
}

// at returns the call that began with an event.
func (l History) at(id run.TaskID, sequence int) *RecordedCall {
	for i := range l[id] {
		if l[id][i].Sequence == sequence {
			return &l[id][i]
		}
	}
	return nil
}

// find returns the call that began with an event, wherever it was made.
func (l History) Find(sequence int) (run.TaskID, *RecordedCall) {
	for id := range l {
		if c := l.at(id, sequence); c != nil {
			return id, c
		}
	}
	return run.TaskID{}, nil
}
