package run

// A Suspension says what a suspended attempt waits for. A run is suspended while all of
// its remaining attempts are. It then holds no slot and no concurrency group, and its
// timeouts do not count the time.
type Suspension struct {
	Reason Reason `json:"reason"`
	// Call is the sequence number of the call.started event of the call whose outcome
	// is unknown, for CallUnknown.
	Call int `json:"call,omitempty"`
	// Run is the id of the run that the attempt waits for, for ChildRun.
	Run string `json:"run,omitempty"`
}

// A Reason is why an attempt is suspended.
type Reason string

// The reasons.
const (
	CallUnknown Reason = "call"     // a person must say what a call did whose outcome is unknown
	Approval    Reason = "approval" // a person must approve or deny
	ChildRun    Reason = "run"      // another run must end
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

// A CallOutcome is a decision about a call whose outcome is unknown.
type CallOutcome string

// The outcomes.
const (
	CallDone   CallOutcome = "done"   // it was done: continue with what is known of its output from its input
	CallRepeat CallOutcome = "repeat" // it was not done, or may be done twice: send it again
	CallFailed CallOutcome = "fail"   // let the call fail with unknown_outcome
)

// Valid reports whether o is one of the outcomes.
func (o CallOutcome) Valid() bool { return o == CallDone || o == CallRepeat || o == CallFailed }
