package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/schedule"
	"github.com/pdflow/pdflow/engine/source"
)

// DefaultConnection is the connection of workflows that name none.
const DefaultConnection = "default"

// Defaults of a workflow that says nothing else.
const (
	DefaultTimeout     = time.Hour       // of a run
	DefaultStepTimeout = 5 * time.Minute // of one attempt of a step
	// DefaultInstructions is the instruction budget of one script: about a second
	// of pure computation on a small machine.
	DefaultInstructions = 50_000_000
	// DefaultMemory is how much one script may hold: some thousand times what a
	// runbook's step needs, and little enough for many at a time on a small machine.
	DefaultMemory = 64 << 20
	// DefaultOutput is how much a step may return, in bytes of JSON text.
	DefaultOutput = 256 << 10
	// MaxOutput is how much a file may ask for: outputs are recorded, and every later
	// step may read them.
	MaxOutput = 4 << 20
	// DefaultScriptTime is how long one script may compute; waiting in a call
	// does not count.
	DefaultScriptTime = 30 * time.Second
	// DefaultResumeWithin is how late a call without a result may be sent again.
	DefaultResumeWithin = 15 * time.Minute
	// The defaults of `retry:`.
	DefaultRetryDelay    = time.Second
	DefaultRetryBackoff  = 2.0
	DefaultRetryMaxDelay = time.Minute
)

// A Workflow is what a file says, with the places where it says so.
type Workflow struct {
	File        string // as given to Parse
	Source      []byte
	Name        string
	Description string
	Inputs      *action.Schema
	Secrets     []SecretBinding // also of the inputs that are secret
	Permissions permission.Permissions
	Schedules   []Schedule
	// Connection names the account that steps talk to which name none.
	Connection source.Text
	// Defaults are inputs of `defaults.with`.
	Defaults []source.Field
	Limits   Limits
	Timeout  time.Duration
	// ResumeWithin bounds how late a call that was started and has no result may
	// be sent again.
	ResumeWithin time.Duration
	Concurrency  Concurrency
	// Steps are those of `steps`, then those of `on_failure`, then those of
	// `finally`.
	Steps   []Step
	Outputs []source.Field
	// Files is where `lua_file` and `require` look: the folder of the file, as an
	// fs.FS that cannot be left. Nil when there is none.
	Files fs.FS

	// document has the lines of the file and the problems that Parse found.
	document *source.Document
	// lists and bindings are what Compile checks against the catalogue.
	lists    []moduleList
	bindings []binding
}

// Secret reports whether an input is secret.
func (w *Workflow) Secret(input string) bool {
	f, ok := w.Inputs.Field(input)
	return ok && f.Type.Credential
}

// A SecretBinding says where the text of a secret may go.
type SecretBinding struct {
	Name  string // NAME, or inputs.NAME
	Hosts []string
	// Inputs are the names of inputs of actions that the secret is bound to; see
	// [action.Field.Bindable].
	Inputs   []string
	Position source.Position
}

// Allows reports whether the secret may go to a destination.
func (b SecretBinding) Allows(to action.Destination) bool {
	return to == action.InProcess ||
		slices.ContainsFunc(b.Inputs, func(input string) bool { return to == action.ToInput(input) }) ||
		slices.ContainsFunc(b.Hosts, func(host string) bool { return permission.MatchHost(host, string(to)) })
}

// Limits bound one script and what its step returns. Zero fields mean the default.
type Limits struct {
	Instructions int64
	Memory       int64 // in bytes
	Output       int64 // of the step, in bytes of JSON text
	Time         time.Duration
}

// DefaultLimits are those of a step for which nobody says otherwise.
func DefaultLimits() Limits {
	return Limits{DefaultInstructions, DefaultMemory, DefaultOutput, DefaultScriptTime}
}

// or returns l with its zero fields taken from other.
func (l Limits) or(other Limits) Limits {
	if l.Instructions == 0 {
		l.Instructions = other.Instructions
	}
	if l.Memory == 0 {
		l.Memory = other.Memory
	}
	if l.Output == 0 {
		l.Output = other.Output
	}
	if l.Time == 0 {
		l.Time = other.Time
	}
	return l
}

// A Schedule starts the workflow at the instants of a cron text.
type Schedule struct {
	ID       string // its `id:`; else empty
	Spec     schedule.Schedule
	CatchUp  CatchUp
	Inputs   action.Object
	Position source.Position
}

// Key tells the schedule apart from the workflow's others, also after it was moved in
// the file: its id, else what makes it what it is.
func (s Schedule) Key() string {
	if s.ID != "" {
		return s.ID
	}
	inputs, _ := json.Marshal(s.Inputs) // they came from a file, so they are data
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s", s.Spec, inputs))
	return hex.EncodeToString(sum[:4])
}

// CatchUp says what becomes of instants that were missed.
type CatchUp struct {
	Mode   string        // none, last or all
	Window time.Duration // 0: the default of the mode
}

// A Part says when the steps of a workflow run.
type Part int

// The parts, in the order in which they run.
const (
	Main      Part = iota // `steps`
	OnFailure             // `on_failure`: after a failure or a time-out of Main
	Finally               // `finally`: last, whatever happened
)

// String returns the key under which the steps stand.
func (p Part) String() string {
	return [...]string{"steps", "on_failure", "finally"}[p]
}

// Concurrency says how many runs of a group there may be at a time.
type Concurrency struct {
	Group  *source.Value // nil: the workflow's name
	Policy ConcurrencyPolicy
}

// A ConcurrencyPolicy says what becomes of a run whose group is busy.
type ConcurrencyPolicy string

// The policies. The empty one means the default of the trigger: a manual run is
// allowed, a scheduled one is skipped.
const (
	Allow      ConcurrencyPolicy = "allow"
	Skip       ConcurrencyPolicy = "skip"
	Queue      ConcurrencyPolicy = "queue"
	CancelBusy ConcurrencyPolicy = "cancel"
)

// A Retry says how often and when a failed attempt is followed by another.
type Retry struct {
	MaxAttempts int           // 1: none follows
	Delay       time.Duration // before the second attempt
	Backoff     float64       // what each further delay is multiplied by, at least 1
	MaxDelay    time.Duration
	// On are the kinds of failure that are retried; empty: the retryable ones.
	On []action.Kind
}

// Allows reports whether a failure of a kind is retried. What may have been done
// is never repeated by itself.
func (r Retry) Allows(kind action.Kind) bool {
	switch {
	case kind == action.UnknownOutcome || kind == action.Cancelled:
		return false
	case len(r.On) > 0:
		return slices.Contains(r.On, kind)
	}
	return kind.Retryable()
}

// A Step is one step of a workflow.
type Step struct {
	ID       string
	Position source.Position
	Part     Part
	// Needs are the steps of `needs:`; nil when the key is absent, which means the
	// step above.
	Needs           []source.Text
	ForEach         *source.Value
	MaxParallel     int
	FailFast        bool
	Retry           Retry
	If              *source.Text
	Uses            *source.Text
	With            []source.Field
	Lua             *source.Text
	LuaFile         *source.Text
	Timeout         time.Duration
	ContinueOnError bool
	Limits          Limits
	Connection      *source.Text // nil: that of the workflow
}
