package run

import (
	"encoding/json"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// An EventKind names what happened.
type EventKind string

// The kinds of events.
const (
	EventQueued           EventKind = "run.queued"  // the run waits for other runs of its concurrency group
	EventSkipped          EventKind = "run.skipped" // the run never starts; Reason says why
	EventStarted          EventKind = "run.started"
	EventAdmitted         EventKind = "run.admitted"  // the run waited for a slot since the event before
	EventResumed          EventKind = "run.resumed"   // a process continues an interrupted or suspended run
	EventRetried          EventKind = "run.retried"   // an ended run starts again from its failed steps
	EventSuspended        EventKind = "run.suspended" // every attempt that is left waits for a decision
	EventCancelled        EventKind = "run.cancelled" // the actor asked for it
	EventTimedOut         EventKind = "run.timed_out" // the steps, on_failure or finally took too long
	EventFinished         EventKind = "run.finished"
	EventStepExpanded     EventKind = "step.expanded" // the list of a for_each is known and fixed
	EventAttemptStarted   EventKind = "attempt.started"
	EventAttemptFinished  EventKind = "attempt.finished"
	EventAttemptSuspended EventKind = "attempt.suspended" // the attempt waits for a decision
	EventAttemptDecided   EventKind = "attempt.decided"   // a person decided, or another run ended; not for calls
	EventCallStarted      EventKind = "call.started"
	EventCallReturned     EventKind = "call.returned"
	EventCallDecided      EventKind = "call.decided" // a person decided about a call whose outcome is unknown
	EventLogged           EventKind = "log"
)

// Record reports whether an event of the kind only records something about a call or a log
// line. Such an event enables nothing.
func (k EventKind) Record() bool {
	return k == EventCallStarted || k == EventCallReturned || k == EventCallDecided || k == EventLogged
}

// An Event is one fact about a run. Fields that its kind does not use are zero.
type Event struct {
	Sequence int       `json:"sequence"` // from 1, without gaps
	Time     time.Time `json:"time"`
	Kind     EventKind `json:"event"`
	Run      string    `json:"run"`
	Step     string    `json:"step,omitempty"`
	Item     int       `json:"item,omitempty"`    // of a for_each, from 1
	Attempt  int       `json:"attempt,omitempty"` // from 1
	// Actor is who caused the event, for events that a person or a trigger causes.
	Actor *Actor `json:"actor,omitempty"`

	Started  *Start            `json:"started,omitempty"`  // of run.queued, run.skipped, run.started
	Items    []any             `json:"items,omitempty"`    // of step.expanded
	Outcome  *Outcome          `json:"outcome,omitempty"`  // of attempt.finished, attempt.suspended
	Decision *Decision         `json:"decision,omitempty"` // of attempt.decided
	Call     *Call             `json:"call,omitempty"`     // of call.started, call.returned, call.decided
	Log      *action.LogRecord `json:"log,omitempty"`      // of log
	Status   Status            `json:"status,omitempty"`   // of run.finished
	Outputs  action.Object     `json:"outputs,omitempty"`  // of run.finished
	Error    *Failure          `json:"error,omitempty"`    // of run.finished, run.suspended
	Reason   string            `json:"reason,omitempty"`   // of run.queued, run.skipped; [Died] of run.resumed
}

// A Call is one recorded use of an action within an attempt. Number counts the calls
// of the attempt from 1.
type Call struct {
	Number int             `json:"number"`
	Action string          `json:"action"`
	Effect string          `json:"effect,omitempty"`
	Input  action.Object   `json:"input,omitempty"`
	Digest string          `json:"digest,omitempty"` // of the action and its input, salted with the run's id
	Key    string          `json:"key,omitempty"`    // the derived idempotency key
	Before json.RawMessage `json:"before,omitempty"` // the state that a Reconciled action read before it was sent
	// Again says that the result was recorded by an earlier attempt. Nothing was sent.
	Again  bool          `json:"again,omitempty"`
	Output action.Object `json:"output,omitempty"`
	Error  *Failure      `json:"error,omitempty"`
	// Stopped says that the attempt was stopped during the call. The error is the
	// reason of the stop, not the result of the call.
	Stopped bool `json:"stopped,omitempty"`
	// Decision is what a person decided about the call, in call.decided. Number is then the
	// sequence number of the call.started event.
	Decision CallOutcome `json:"decision,omitempty"`
	// Transient says that no later attempt needs the result, so it does not stay in memory.
	// The flag is not recorded: a replay reads every result from the journal.
	Transient bool `json:"-"`
}

// An Observer receives the events of a run, one after the other.
type Observer interface {
	Observe(Event)
}

// An ObserverFunc is a function that observes events.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }

// A TaskID names a task: a step, or an item of a for_each step.
type TaskID struct {
	Step string
	Item int // from 1; 0 for the step itself
}
