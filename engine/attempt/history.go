package attempt

import (
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A RecordedCall is a call of a task that the history of the run has. An earlier attempt
// made it, or this attempt before it was interrupted.
type RecordedCall struct {
	run.Call
	Attempt  int
	Sequence int       // of its call.started, or of its calh.returned when it has no call.started
	Time     time.Time // of that event
	Returned bool      // the history has its result; false when the attempt was stopped during the call
	// Decided is what a person decided about the call; empty without a decision.
	Decided run.CallOutcome
}

// Unknown reports whether the call is a write whose outcome is unknown and was not decided.
func (c *RecordedCall) Unknown() bool {
	return c.Decided == "" && c.Effect != action.Reads.String() && (!c.Returned || c.Error != nil && c.Error.Kind == action.UnknownOutcome)
}

// output returns the recorded output. A journal may return an empty output as nil.
func (c *RecordedCall) output() action.Object {
	if c.Output == nil {
		return action.Object{}
	}
	return c.Output
}

// A History has the recorded calls of a run by task, in order. It does not keep the input
// and output of transient calls. Its owner deletes tasks that need no further
// attempt.
type History map[run.TaskID][]RecordedCall

// ValueSize estimates how many bytes of memory a value takes.
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

// kept returns the bytes that the calls of a task keep in memory for retries. Reads do not
// count, since a retry makes them anew.
func kept(calls []RecordedCall) int {
	size := 0
	for n := range calls {
		if calls[n].Effect != action.Reads.String() {
			size += ValueSize(calls[n].Input) + ValueSize(calls[n].Output)
		}
	}
	return size
}

// Add adds an event of a call to the history. Other events change nothing.
func (h History) Add(e run.Event) {
	id := run.TaskID{Step: e.Step, Item: e.Item}
	switch e.Kind {
	case run.EventCallStarted:
		c := RecordedCall{Call: *e.Call, Attempt: e.Attempt, Sequence: e.Sequence, Time: e.Time}
		if c.Transient {
			c.Input = nil
		}
		h[id] = append(h[id], c)
	case run.EventCallReturned:
		h.returned(id, e)
	case run.EventCallDecided:
		if c := h.at(id, e.Call.Number); c != nil {
			c.Decided = e.Call.Decision
		}
	}
}

// returned adds a result to its call. A call that got the result of an earlier attempt has
// no call.started.
func (h History) returned(id run.TaskID, e run.Event) {
	calls := h[id]
	for i := len(calls) - 1; i >= 0 && calls[i].Attempt == e.Attempt; i-- {
		if calls[i].Number == e.Call.Number {
			calls[i].Returned, calls[i].Error = !e.Call.Stopped, e.Call.Error
			if !calls[i].Transient {
				calls[i].Output = e.Call.Output
			}
			return
		}
	}
	h[id] = append(calls, RecordedCall{Call: *e.Call, Attempt: e.Attempt, Sequence: e.Sequence, Time: e.Time, Returned: true})
}

// at returns the call of a task whose first event has the sequence number; nil if there is
// none.
func (h History) at(id run.TaskID, sequence int) *RecordedCall {
	for i := range h[id] {
		if h[id][i].Sequence == sequence {
			return &h[id][i]
		}
	}
	return nil
}

// Find returns the call whose first event has the sequence number, and its task. The call
// is nil if there is none.
func (h History) Find(sequence int) (run.TaskID, *RecordedCall) {
	for id := range h {
		if c := h.at(id, sequence); c != nil {
			return id, c
		}
	}
	return run.TaskID{}, nil
}
