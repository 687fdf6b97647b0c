package action

// An Effect says what a repeat of an action does to the world, and so how the
// engine makes a repeat harmless.
type Effect int

const (
	// Pure is not a call at all: nothing is recorded, nothing leaves the
	// process.
	Pure Effect = iota
	// Reads looks at the world and changes nothing: it may be repeated freely.
	Reads
	// Repeats changes the world, and a repeat changes nothing more.
	Repeats
	// Keyed carries an idempotency key: the world joins a repeat to the first.
	Keyed
	// Reconciled can find out, after an unknown outcome, whether it happened.
	Reconciled
	// Once is never sent twice when the outcome of the first is unknown.
	Once
)

var effectNames = [...]string{"pure", "reads", "repeats", "keyed", "reconciled", "once"}

// String returns the effect's name in lower case, as the journal writes it.
func (e Effect) String() string {
	if e < Pure || e > Once {
		return "unknown"
	}
	return effectNames[e]
}

// Recorded reports whether the action is a call: an effect that a run records
// and replays, as opposed to a pure function.
func (e Effect) Recorded() bool { return e != Pure }

// Writes reports whether the action may change the world.
func (e Effect) Writes() bool { return e > Reads }
