package run

// A Suspension says what a suspended attempt waits for. While every attempt that is
// left is suspended, so is the run: it holds no slot and no concurrency group, and
// none of its timeouts count the time.
type Suspension struct {
	Reason Reason `json:"reason"`
	// Call is the sequence number of the call.started event of the call whose outcome
	// is unknown, for CallUnknown.
	Call int `json:"call,omitempty"`
	// Run is the id of the run that the attempt waits for, for ChildRun.
	Run string `json:"run,omitempty"`
}

// A Reason is the kind of thing that a suspended attempt waits for.
type Reason string

// The reasons.
const (
	CallUnknown Reason = "call"     // a person says what a call of unknown outcome did
	Approval    Reason = "approval" // a person approves or denies
	ChildRun    Reason = "run"      // another run ends
)

// A Decision answers a suspended attempt. Reason is the reason of its suspension, and
// the fields of that reason are set.
type Decision struct {
	Reason Reason `json:"reason"`
	// Call and Outcome answer CallUnknown. Call is the sequence number of the
	// call.started event.
	Call    int         `json:"call,omitempty"`
	Outcome CallOutcome `json:"outcome,omitempty"`
	// Approved answers Approval.
	Approved bool `json:"approved,omitempty"`
	// Result answers ChildRun: how the other run ended.
	Result *Outcome `json:"result,omitempty"`
}

// A CallOutcome is what a person says of a call whose outcome is unknown.
type CallOutcome string

// The outcomes.
const (
	CallDone   CallOutcome = "done"   // it was done: continue with the output that the input implies
	CallRepeat CallOutcome = "repeat" // it was not done, or may be done twice: send it
	CallFailed CallOutcome = "fail"   // let the call fail with unknown_outcome
)

// Valid reports whether o is one of the outcomes.
func (o CallOutcome) Valid() bool { return o == CallDone || o == CallRepeat || o == CallFailed }

// An Actor is who caused an event: who started, cancelled, resumed or decided. The
// program that accepts a command says who gave it; the command itself cannot.
type Actor struct {
	Kind ActorKind `json:"kind"`
	Name string    `json:"name,omitempty"`
}

// String returns the actor as KIND:NAME.
func (a Actor) String() string { return string(a.Kind) + ":" + a.Name }

// An ActorKind is how an actor was identified.
type ActorKind string

// The kinds of actors.
const (
	ActorUser     ActorKind = "user"     // of the command line, as USER@HOST
	ActorSocket   ActorKind = "socket"   // of the control socket, by user id
	ActorToken    ActorKind = "token"    // of the HTTP API, by the name of the token
	ActorHook     ActorKind = "hook"     // a webhook, by its name
	ActorSchedule ActorKind = "schedule" // a schedule, by its id
)
