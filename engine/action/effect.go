package action

// An Effect says what a repeat of a call does, and so what the engine does to make a
// repeat harmless. The zero Effect is invalid.
type Effect int

// The effects, from harmless to harmful. Their meaning for the engine is in one table
// below, which the methods of Effect read.
const (
	// Pure is a function of its input: the engine records nothing, and nothing leaves
	// the process.
	Pure Effect = iota + 1
	// Reads changes nothing: a call may be repeated freely.
	Reads
	// Repeats changes something, and a repeat changes nothing more.
	Repeats
	// Keyed sends an idempotency key, by which the service recognises a repeat.
	Keyed
	// Reconciled can find out, when an answer was lost, whether the call was done.
	Reconciled
	// Once must not be sent again when it is unknown whether the call was done.
	Once
)

// A LostAnswer says what the engine does with a call whose answer was lost. The call
// may have been done.
type LostAnswer int

const (
	// Resend sends the call again.
	Resend LostAnswer = iota
	// Reconcile finds out whether the call was done, and sends it again if not.
	Reconcile
	// AskPerson leaves the decision to a person.
	AskPerson
)

var effects = [...]struct {
	name   string
	doc    string // for the reference page
	writes bool
	lost   LostAnswer
}{
	0:          {name: "unknown", writes: true, lost: AskPerson},
	Pure:       {"pure", "It is a pure function: nothing is recorded.", false, Resend},
	Reads:      {"reads", "It only reads, so it may be repeated freely.", false, Resend},
	Repeats:    {"repeats", "A repeat changes nothing more.", true, Resend},
	Keyed:      {"keyed", "It sends a key, by which the service recognises a repeat.", true, Resend},
	Reconciled: {"reconciled", "A repeat first finds out whether the call was done.", true, Reconcile},
	Once:       {"once", "It is not sent again when it is unknown whether it was done.", true, AskPerson},
}

func (e Effect) valid() bool { return e >= Pure && e <= Once }

// row returns an index of the table.
func (e Effect) row() Effect {
	if !e.valid() {
		return 0
	}
	return e
}

// String returns the effect's name in lower case, as the journal writes it.
func (e Effect) String() string { return effects[e.row()].name }

// Recorded reports whether a use of the action is a call, which a run records and
// replays. Only a pure function is not.
func (e Effect) Recorded() bool { return e != Pure }

// Writes reports whether the action may change something outside of the run.
func (e Effect) Writes() bool { return effects[e.row()].writes }

// NeedsKey reports whether the call is sent with an idempotency key that the engine
// derives.
func (e Effect) NeedsKey() bool { return e == Keyed }

// LostAnswer returns what to do with a call whose answer was lost.
func (e Effect) LostAnswer() LostAnswer { return effects[e.row()].lost }

// A Late says whether a call that was started and has no result may be sent again when
// more time has passed than the workflow's resume_within.
type Late int

const (
	// LateByEffect allows it unless the call is [Keyed]: the service may have forgotten
	// the key.
	LateByEffect Late = iota
	// LateNever refuses it: since then, a person may have changed what the call would
	// change again.
	LateNever
	// LateWithOwnKey allows it if the author gave the key ([Spec.Key]), and refuses it
	// if the engine derived the key.
	LateWithOwnKey
)
