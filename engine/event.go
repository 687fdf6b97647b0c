package engine

import (
	"encoding/json"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// An EventKind names what happened.
type EventKind string

// The kinds of events. Those of calls and logs do not change a run; they are
// what an attempt says of itself.
const (
	RunStarted      EventKind = "run.started"
	RunCancelled    EventKind = "run.cancelled" // somebody asked for it
	RunTimedOut     EventKind = "run.timed_out"
	RunFinished     EventKind = "run.finished"
	AttemptStarted  EventKind = "attempt.started"
	AttemptFinished EventKind = "attempt.finished"
	CallStarted     EventKind = "call.started"
	CallReturned    EventKind = "call.returned"
	Logged          EventKind = "log"
)

// An Event is one thing that happened in a run. Fields that its kind does not
// use are left out.
type Event struct {
	Sequence int       `json:"sequence"` // from 1, without gaps
	Time     time.Time `json:"time"`
	Kind     EventKind `json:"event"`
	Run      string    `json:"run"`
	Step     string    `json:"step,omitempty"`
	Attempt  int       `json:"attempt,omitempty"` // from 1

	Started *RunStart         `json:"started,omitempty"` // of run.started
	Outcome *Outcome          `json:"outcome,omitempty"` // of attempt.finished
	Call    *Call             `json:"call,omitempty"`    // of call.started, call.returned
	Log     *action.LogRecord `json:"log,omitempty"`     // of log
	Status  Status            `json:"status,omitempty"`  // of run.finished
	Outputs action.Object     `json:"outputs,omitempty"` // of run.finished
	Error   *Failure          `json:"error,omitempty"`   // of run.finished
}

// A RunStart is what a run knows from its beginning on.
type RunStart struct {
	Workflow string        `json:"workflow"`
	Source   string        `json:"source"` // SHA-256 of the workflow's text
	Inputs   action.Object `json:"inputs"` // secrets as references
	Trigger  Trigger       `json:"trigger"`
	Target   Target        `json:"target"`
}

// A Trigger is why a run began.
type Trigger struct {
	Kind        string     `json:"kind"` // manual, schedule, webhook, call
	ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
}

// A Target is which PagerDuty a run talks to. A run is never continued against
// another one.
type Target struct {
	Simulated  bool   `json:"simulated,omitempty"`
	Connection string `json:"connection,omitempty"`
	APIURL     string `json:"api_url,omitempty"`
	EventsURL  string `json:"events_url,omitempty"`
}

// A Call is one effect of an attempt. Its number counts the calls of the attempt
// from 1.
type Call struct {
	Number int             `json:"number"`
	Action string          `json:"action"`
	Effect string          `json:"effect"`
	Input  action.Object   `json:"input,omitempty"`
	Key    string          `json:"key,omitempty"`    // the idempotency key that was derived
	Before json.RawMessage `json:"before,omitempty"` // what a Reconciled action read first
	Output action.Object   `json:"output,omitempty"`
	Error  *Failure        `json:"error,omitempty"`
}

// An Observer sees the events of runs, one after the other.
type Observer interface {
	Observe(Event)
}
