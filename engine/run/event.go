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

// The kinds of events. Those of calls and logs do not change a run; they are
// what an attempt says of itself.
const (
	EventQueued           EventKind = "run.queued"        // it waits for other runs of its concurrency group
	EventSkipped          EventKind = "run.skipped"       // it does not run: a Reason says why
	EventStarted          EventKind = "run.started"       //
	EventAdmitted         EventKind = "run.admitted"      // it waited for a slot since the event before
	EventResumed          EventKind = "run.resumed"       // a process goes on with an interrupted or suspended run
	EventRetried          EventKind = "run.retried"       // an ended run goes on from its failed steps
	EventSuspended        EventKind = "run.suspended"     // nothing can go on before a person decides a call
	EventCancelled        EventKind = "run.cancelled"     // somebody asked for it
	EventTimedOut         EventKind = "run.timed_out"     // the time of its steps, on_failure or finally is over
	EventFinished         EventKind = "run.finished"      //
	EventStepExpanded     EventKind = "step.expanded"     // the list of a for_each, fixed from now on
	EventAttemptStarted   EventKind = "attempt.started"   //
	EventAttemptFinished  EventKind = "attempt.finished"  //
	EventAttemptSuspended EventKind = "attempt.suspended" // it came upon a call that a person must decide
	EventCallStarted      EventKind = "call.started"      //
	EventCallReturned     EventKind = "call.returned"     //
	EventCallDecided      EventKind = "call.decided"      // a person said what became of a call
	EventLogged           EventKind = "log"               //
)

// Record reports whether the event is an attempt's own record, of a call or a
// log line, and not a change of the run.
func (k EventKind) Record() bool {
	return k == EventCallStarted || k == EventCallReturned || k == EventCallDecided || k == EventLogged
}

// An Event is one thing that happened in a run. Fields that its kind does not
// use are left out.
type Event struct {
	Sequence int       `json:"sequence"` // from 1, without gaps
	Time     time.Time `json:"time"`
	Kind     EventKind `json:"event"`
	Run      string    `json:"run"`
	Step     string    `json:"step,omitempty"`
	Item     int       `json:"item,omitempty"`    // of a for_each, from 1
	Attempt  int       `json:"attempt,omitempty"` // from 1

	Started *Start            `json:"started,omitempty"` // of run.started
	Items   []any             `json:"items,omitempty"`   // of step.expanded
	Outcome *Outcome          `json:"outcome,omitempty"` // of attempt.finished, attempt.suspended
	Call    *Call             `json:"call,omitempty"`    // of call.started, call.returned, call.decided
	Log     *action.LogRecord `json:"log,omitempty"`     // of log
	Status  Status            `json:"status,omitempty"`  // of run.finished
	Outputs action.Object     `json:"outputs,omitempty"` // of run.finished
	Error   *Failure          `json:"error,omitempty"`   // of run.finished, run.suspended
	Reason  string            `json:"reason,omitempty"`  // of run.skipped
}

// A RunStart is what a run knows from its beginning on.
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

// A Previous is what a run knows of the last successful run of its workflow.
type Previous struct {
	Outputs action.Object `json:"outputs"`
	Status  Status        `json:"status"`
	EndedAt time.Time     `json:"ended_at"`
}

// A Trigger is why a run began.
type Trigger struct {
	Kind        string     `json:"kind"` // manual, schedule, webhook, call
	ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
	Schedule    string     `json:"schedule,omitempty"` // the id of the schedule
}

// A Target is which PagerDuty a run talks to. A run is never continued against
// another one.
type Target struct {
	Simulator  string `json:"simulator,omitempty"` // the id of a simulator; empty for PagerDuty itself
	Connection string `json:"connection,omitempty"`
	Region     string `json:"region,omitempty"`
	APIURL     string `json:"api_url,omitempty"`
	EventsURL  string `json:"events_url,omitempty"`
	// Keys are fingerprints of the keys, by what each is for; the salt is the
	// run's id.
	Keys map[string]string `json:"keys,omitempty"`
	// Others are those that single steps talk to, in the order of their names.
	Others []Target `json:"others,omitempty"`
}

// Realm names the target as far as runs of one workflow share what they know
// through `previous`: all simulators are one.
func (t Target) Realm() string {
	if t.Simulator != "" {
		return "simulator"
	}
	return t.Connection + " " + t.APIURL + " " + t.EventsURL
}

// A Call is one effect of an attempt. Its number counts the calls of the attempt
// from 1.
type Call struct {
	Number int             `json:"number"`
	Action string          `json:"action"`
	Effect string          `json:"effect,omitempty"`
	Input  action.Object   `json:"input,omitempty"`
	Digest string          `json:"digest,omitempty"` // of the action and its input, salted by the run
	Key    string          `json:"key,omitempty"`    // the idempotency key that was derived
	Before json.RawMessage `json:"before,omitempty"` // what a Reconciled action read first
	// Again says that the result is that of an earlier attempt: nothing was sent.
	Again  bool          `json:"again,omitempty"`
	Output action.Object `json:"output,omitempty"`
	Error  *Failure      `json:"error,omitempty"`
	// Stopped says that the attempt was stopped meanwhile: the error tells why the
	// call was left, and nothing of what became of it.
	Stopped bool `json:"stopped,omitempty"`
	// Decision is what a person said of the call, in call.decided; its Number is
	// then the sequence number of the call.started.
	Decision Decision `json:"decision,omitempty"`
	// Fleeting says that no later attempt asks for the result, so that it need not stay
	// in memory. It is not recorded: a replay, which reads the journal, asks for all.
	Transient bool `json:"-"`
}

// A Decision is what a person says of a call whose outcome is unknown.
type Decision string

// The decisions.
const (
	DecideDone   Decision = "done"   // it was done: go on, with an output as far as one is known
	DecideRepeat Decision = "repeat" // it was not done, or may be done twice: send it
	DecideFail   Decision = "fail"   // let the call fail with unknown_outcome
)

// An Observer sees the events of runs, one after the other.
type Observer interface {
	Observe(Event)
}

// withKeys returns the target with the fingerprints of keys. The salt is the
// run's id: equal keys look different in every run.
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
