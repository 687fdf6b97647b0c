package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// An EventKind names what happened.
type EventKind string

// The kinds of events. The events of calls and the log do not change a run: an attempt
// reports what it does.
const (
	EventQueued           EventKind = "run.queued"        // the run waits for other runs of its concurrency group
	EventSkipped          EventKind = "run.skipped"       // the run never starts; Reason says why
	EventStarted          EventKind = "run.started"       //
	EventAdmitted         EventKind = "run.admitted"      // the run waited for a slot since the event before
	EventResumed          EventKind = "run.resumed"       // a process continues an interrupted or suspended run
	EventRetried          EventKind = "run.retried"       // an ended run starts again from its failed steps
	EventSuspended        EventKind = "run.suspended"     // every attempt that is left waits for a decision
	EventCancelled        EventKind = "run.cancelled"     // someone asked for it
	EventTimedOut         EventKind = "run.timed_out"     // the steps, on_failure or finally took too long
	EventFinished         EventKind = "run.finished"      //
	EventStepExpanded     EventKind = "step.expanded"     // the list of a for_each is known and fixed
	EventAttemptStarted   EventKind = "attempt.started"   //
	EventAttemptFinished  EventKind = "attempt.finished"  //
	EventAttemptSuspended EventKind = "attempt.suspended" // the attempt waits for a decision
	EventAttemptDecided   EventKind = "attempt.decided"   // the decision, unless it is about a call
	EventCallStarted      EventKind = "call.started"      //
	EventCallReturned     EventKind = "call.returned"     //
	EventCallDecided      EventKind = "call.decided"      // a person said what a call of unknown outcome did
	EventLogged           EventKind = "log"               //
)

// Record reports whether an event of the kind only records what an attempt does, and
// leaves the state of the run as it is.
func (k EventKind) Record() bool {
	return k == EventCallStarted || k == EventCallReturned || k == EventCallDecided || k == EventLogged
}

// An Event is one fact about a run. Fields that its kind does not use are left out.
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
	Reason   string            `json:"reason,omitempty"`   // of run.queued, run.skipped
}

// A Start is what a run starts from. It stays the same for the whole run.
type Start struct {
	Workflow string        `json:"workflow"`
	Source   string        `json:"source"` // SHA-256 of the workflow's text
	Inputs   action.Object `json:"inputs"` // secrets as references
	Trigger  Trigger       `json:"trigger"`
	Target   Target        `json:"target"`
	// Previous is the last successful run of the workflow, where the workflow
	// reads it and there is one.
	Previous *Previous `json:"previous,omitempty"`
}

// A Previous is the last successful run of a workflow, as its next run sees it.
type Previous struct {
	Outputs action.Object `json:"outputs"`
	Status  Status        `json:"status"`
	EndedAt time.Time     `json:"ended_at"`
}

// A Trigger is why a run started.
type Trigger struct {
	Kind        string     `json:"kind"` // manual, schedule, webhook, call
	ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
	Schedule    string     `json:"schedule,omitempty"` // the id of the schedule
}

// A Target is the account that a run talks to. A run is never resumed against another
// target.
type Target struct {
	Simulator  string `json:"simulator,omitempty"` // the id of the stand-in; empty for the real service
	Connection string `json:"connection,omitempty"`
	Region     string `json:"region,omitempty"`
	APIURL     string `json:"api_url,omitempty"`
	EventsURL  string `json:"events_url,omitempty"`
	// Keys are fingerprints of the keys, by purpose, salted with the run's id.
	Keys map[string]string `json:"keys,omitempty"`
	// Others are the targets of single steps, in the order of their names.
	Others []Target `json:"others,omitempty"`
}

// Realm names the runs that share `previous`: the runs of one target. All stand-ins
// count as one target.
func (t Target) Realm() string {
	if t.Simulator != "" {
		return "simulator"
	}
	return t.Connection + " " + t.APIURL + " " + t.EventsURL
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
	Before json.RawMessage `json:"before,omitempty"` // what a Reconciled action read before it was sent
	// Again says that the result was recorded by an earlier attempt. Nothing was sent.
	Again  bool          `json:"again,omitempty"`
	Output action.Object `json:"output,omitempty"`
	Error  *Failure      `json:"error,omitempty"`
	// Stopped says that the attempt was stopped during the call. The error is the
	// reason of the stop, not the result of the call.
	Stopped bool `json:"stopped,omitempty"`
	// Decision is what a person said of the call. Number is then the sequence number
	// of the call.started event.
	Decision CallOutcome `json:"decision,omitempty"`
	// Transient says that no later attempt asks for the result, so that it need not stay
	// in memory. The flag is not recorded, since a replay reads every result from the
	// journal.
	Transient bool `json:"-"`
}

// An Observer receives the events of runs, one after the other.
type Observer interface {
	Observe(Event)
}

// An ObserverFunc is a function that observes events.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }

// WithKeys returns the target with the fingerprints of keys. They are salted with the
// run's id, so that equal keys look different in every run.
func (t Target) WithKeys(run string, keys map[string]string) Target {
	t.Keys = nil
	for name, key := range keys {
		if key == "" {
			continue
		}
		if t.Keys == nil {
			t.Keys = map[string]string{}
		}
		sum := sha256.Sum256([]byte(run + "\x00" + key))
		t.Keys[name] = hex.EncodeToString(sum[:8])
	}
	return t
}

// A TaskID names a task: a step, or an item of a for_each step.
type TaskID struct {
	Step string
	Item int // from 1; 0 for the step itself
}
