package workflow

import (
	"cmp"
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

// DefaultConnection is the connection of a workflow that does not name one.
const DefaultConnection = "default"

// The defaults of a workflow.
const (
	DefaultTimeout     = time.Hour       // of a run
	DefaultStepTimeout = 5 * time.Minute // of one attempt of a step
	// DefaultInstructions bounds the instructions of one script: about a second of
	// computation on a small machine.
	DefaultInstructions = 50_000_000
	// DefaultMemory bounds the memory of one script, in bytes. It is some thousand times
	// what a step of a runbook needs, and small enough for many scripts at a time on a
	// small machine.
	DefaultMemory = 64 << 20
	// DefaultOutput bounds the outputs of a step, in bytes of JSON text.
	DefaultOutput = 256 << 10
	// MaxOutput bounds what a file may set as the limit of outputs. Outputs are recorded,
	// and every later step may read them.
	MaxOutput = 4 << 20
	// DefaultScriptTime bounds how long one script may compute. Waiting in a call does
	// not count.
	DefaultScriptTime = 30 * time.Second
	// DefaultResumeWithin bounds how late a call without a result may be sent again.
	DefaultResumeWithin = 15 * time.Minute
	// The defaults of `retry:`.
	DefaultRetryDelay    = time.Second
	DefaultRetryBackoff  = 2.0
	DefaultRetryMaxDelay = time.Minute
)

// A Workflow is the content of a file, with the place of each part.
type Workflow struct {
	File   string // as given to Parse
	Source []byte
	Name   string
	// NamePosition is where the file sets the name; zero when the name is that of the file.
	NamePosition source.Position
	Description  string
	Inputs       *action.Schema
	Secrets      []SecretBinding // of `secrets:`, and of inputs that are secret
	Permissions  permission.Permissions
	Schedules    []Schedule
	// Connection names the account for steps that do not name one.
	Connection source.Text
	// Defaults are inputs of `defaults.with`.
	Defaults []source.Field
	Limits   Limits
	Timeout  time.Duration
	// ResumeWithin bounds how late a call that was started and has no result may be sent
	// again.
	ResumeWithin time.Duration
	Concurrency  Concurrency
	// Steps are the steps of `steps`, then of `on_failure`, then of `finally`.
	Steps   []Step
	Outputs []source.Field
	// Files is the folder of the file, for `lua_file` and `require`: an fs.FS that does
	// not reach outside the folder. Nil when there is no folder.
	Files fs.FS

	// Ceilings are the most that the file may ask for. Compile checks them.
	Ceilings Ceilings

	demands demands // what the file asks for outside of its steps; each step has its own demands
	// document has the lines of the file and the problems that Parse found.
	document *source.Document
	// lists and bindings are the parts that Compile checks against the catalogue.
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
	// Places are the places that the secret is bound to by name; see [action.Module].
	Places   []string
	Position source.Position
}

// Allows reports whether the secret may go to a destination.
func (b SecretBinding) Allows(to action.Destination) bool {
	return to == action.InProcess ||
		slices.ContainsFunc(b.Places, func(name string) bool { return to == action.Place(name) }) ||
		slices.ContainsFunc(b.Hosts, func(host string) bool { return permission.MatchHost(host, string(to)) })
}

// Limits bound one script and the outputs of its step. A zero field means the
// default.
type Limits struct {
	Instructions int64
	Memory       int64 // in bytes
	Output       int64 // of the step, in bytes of JSON text
	Time         time.Duration
}

// DefaultLimits returns the limits of a step that sets none.
func DefaultLimits() Limits {
	return Limits{DefaultInstructions, DefaultMemory, DefaultOutput, DefaultScriptTime}
}

// or returns l with its zero fields taken from other.
func (l Limits) or(other Limits) Limits {
	return Limits{
		cmp.Or(l.Instructions, other.Instructions), cmp.Or(l.Memory, other.Memory),
		cmp.Or(l.Output, other.Output), cmp.Or(l.Time, other.Time),
	}
}

// A Schedule starts the workflow at the scheduled times of a cron text.
type Schedule struct {
	ID       string // the `id:`, or ""
	Spec     schedule.Schedule
	CatchUp  CatchUp
	Inputs   action.Object
	Position source.Position
}

// Key returns a text that identifies the schedule in its workflow, also after it was
// moved in the file: the id, or a hash of the cron text, the zone and the inputs.
func (s Schedule) Key() string {
	if s.ID != "" {
		return s.ID
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s", s.Spec, s.inputsText()))
	return hex.EncodeToString(sum[:4])
}

// inputsText returns the inputs as text, with the fields in order.
func (s Schedule) inputsText() string {
	inputs, _ := json.Marshal(s.Inputs) // they came from a file, so this cannot fail
	return string(inputs)
}

// repeats reports whether another schedule starts the same runs at the same times.
func (s Schedule) repeats(other Schedule) bool {
	return s.Spec.SameTimes(other.Spec) && s.inputsText() == other.inputsText()
}

// CatchUp says which missed scheduled times are run late.
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
	Finally               // `finally`: last, after a success and after a failure
)

// String returns the key of the part in a file.
func (p Part) String() string {
	return [...]string{"steps", "on_failure", "finally"}[p]
}

// Concurrency bounds the runs of a concurrency group: one at a time.
type Concurrency struct {
	Group  *source.Value // nil: the workflow's name
	Policy ConcurrencyPolicy
}

// A ConcurrencyPolicy says what happens to a run whose group is busy.
type ConcurrencyPolicy string

// The policies. The empty policy means the default of the trigger: a manual run is
// allowed, a scheduled run is skipped.
const (
	Allow      ConcurrencyPolicy = "allow"
	Skip       ConcurrencyPolicy = "skip"
	Queue      ConcurrencyPolicy = "queue"
	CancelBusy ConcurrencyPolicy = "cancel"
)

// A Retry says how often and when a failed attempt is followed by another.
type Retry struct {
	MaxAttempts int           // 1: there is no other attempt
	Delay       time.Duration // before the second attempt
	Backoff     float64       // the factor from each delay to the next, at least 1
	MaxDelay    time.Duration
	// On are the kinds of failure that are retried. Empty means all kinds that are
	// retryable.
	On []action.Kind
}

// Allows reports whether a failure of a kind is retried. A call that may have been
// done is never retried automatically.
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
	// Needs are the steps of `needs:`. Nil means that the key is absent: the step then
	// needs the step above.
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
	Connection      *source.Text // nil: the connection of the workflow

	demands demands
}
