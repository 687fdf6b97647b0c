package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Cause is what can be wrong with a workflow.
type Cause string

// The causes.
const (
	RunFailed      Cause = "run_failed"      // a run failed or timed out, and nothing handled it
	NeedsAttention Cause = "needs_attention" // a person must decide a call
	Missed         Cause = "missed"          // a due instant did not run
	BrokenFile     Cause = "broken_file"     // its file stopped loading
)

// ofRuns are the causes that a success of the workflow ends.
var ofRuns = []Cause{RunFailed, NeedsAttention, Missed}

// maxSummary is how long a summary may be: PagerDuty takes 1024 characters.
const maxSummary = 1000

// maxKey is how long a key may be: PagerDuty refuses a longer one, however often.
const maxKey = 255

// Key returns the key of the incident, the same for ever. A name that is too long for
// it is cut, and told from others with its beginning by a hash of the whole.
func Key(workflow string, cause Cause) string {
	const begin, hashed = "pdflow:", 16
	end := ":" + string(cause)
	name, room := []rune(workflow), maxKey-len(begin)-len(end)
	if len(name) > room {
		sum := sha256.Sum256([]byte(workflow))
		workflow = string(name[:room-hashed-1]) + "~" + hex.EncodeToString(sum[:])[:hashed]
	}
	return begin + workflow + end
}

// A Sender opens and resolves incidents. It may be called again with what it was
// called with before, and returns nil only once PagerDuty has accepted it.
type Sender interface {
	Trigger(ctx context.Context, key, summary string, details map[string]string) error
	Resolve(ctx context.Context, key string) error
}

// A Config says where alerts go. All but File are needed.
type Config struct {
	Sender Sender
	Clock  action.Clock
	Log    *slog.Logger
	// File keeps what is open; empty keeps nothing, as of a simulation.
	File string
	// Command is what shows a run, such as `pdflow runs show ID`.
	Command func(run string) string
}

// Alerts keeps what is wrong and tells PagerDuty. It is safe for concurrent use.
type Alerts struct {
	config Config

	mu      sync.Mutex
	alerts  map[string]*alert // by key
	changed bool              // since the file was written
	first   bool              // there was no file: alerts are new here
	wake    chan struct{}     // has room for one
}

// New reads what the daemon before left open.
func New(c Config) (*Alerts, error) {
	if c.Sender == nil || c.Clock == nil || c.Log == nil || c.Command == nil {
		return nil, errors.New("alert.Config needs Sender, Clock, Log and Command")
	}
	a := &Alerts{config: c, wake: make(chan struct{}, 1)}
	var err error
	if a.alerts, err = load(c.File); errors.Is(err, fs.ErrNotExist) {
		a.first, a.changed, err = true, true, nil
	}
	return a, err
}

// Recalled hears how the last run of a workflow ended that a daemon before this one has
// worked on. The end of that daemon may have cut off its alert: then, and only then, it
// is sent now. Before there were alerts nobody had asked for them.
func (a *Alerts) Recalled(plan *workflow.Plan, result *engine.Result) {
	if a.first || a.knows(result.Workflow, RunFailed) || a.knows(result.Workflow, NeedsAttention) {
		return
	}
	a.Ended(plan, result)
}

func (a *Alerts) knows(workflow string, cause Cause) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alerts[Key(workflow, cause)] != nil
}

// Ended hears how a run ended, or that it waits for a person.
func (a *Alerts) Ended(plan *workflow.Plan, result *engine.Result) {
	switch status := result.Status; {
	case result.Suspended || status == engine.NeedsAttention:
		a.trigger(result.Workflow, NeedsAttention, "a person must decide a call"+because(result.Error), a.detailsOf(result))
	case status == engine.Success:
		a.resolve(result.Workflow, ofRuns...)
	case status == engine.Failed && !handled(plan, result):
		a.trigger(result.Workflow, RunFailed, "failed"+because(result.Error), a.detailsOf(result))
	case status == engine.TimedOut && !handled(plan, result):
		a.trigger(result.Workflow, RunFailed, "timed out"+because(result.Error), a.detailsOf(result))
	}
}

// Stuck hears that nothing goes on with a run until a person does something about it.
func (a *Alerts) Stuck(workflow, run, problem string) {
	problem, _, _ = strings.Cut(problem, "\n")
	a.trigger(workflow, NeedsAttention, "an interrupted run cannot be gone on with: "+problem, map[string]string{"run": run, "look": a.config.Command(run)})
}

// OnlyServed hears which workflows are served: of the others no run will end what their
// runs and schedules have triggered. What a person must decide stays open.
func (a *Alerts) OnlyServed(workflows []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, entry := range a.sorted() {
		cause := Cause(entry.Details["cause"])
		if (cause == RunFailed || cause == Missed) && !slices.Contains(workflows, entry.Details["workflow"]) {
			a.end(entry)
		}
	}
}

// handled reports whether the workflow's on_failure did what it was there for.
func handled(plan *workflow.Plan, result *engine.Result) bool {
	did := false
	for _, s := range result.Steps {
		i := slices.IndexFunc(plan.Steps, func(p workflow.PlanStep) bool { return p.ID == s.ID })
		if i < 0 || plan.Steps[i].Part != workflow.OnFailure {
			continue
		}
		switch {
		case s.Status == engine.Success:
			did = true
		case s.Status != engine.Skipped && !plan.Steps[i].ContinueOnError:
			return false
		}
	}
	return did
}

// because is the reason in a summary; the kind comes first, as it groups best.
func because(f *engine.Failure) string {
	if f == nil {
		return ""
	}
	text := ""
	if f.Step != "" {
		text = fmt.Sprintf(", step %q", f.Step)
	}
	if f.Kind != "" {
		text += ": " + string(f.Kind)
	}
	return text + ": " + f.Error()
}

func (a *Alerts) detailsOf(result *engine.Result) map[string]string {
	details := map[string]string{"run": result.Run, "status": string(result.Status), "look": a.config.Command(result.Run)}
	if f := result.Error; f != nil {
		details["kind"], details["message"] = string(f.Kind), f.Error()
		if f.Step != "" {
			details["step"] = f.Step
		}
	}
	return details
}

// An Occurrence is due instants of a schedule that did not run.
type Occurrence struct {
	Workflow, Schedule string
	Run                string    // the run that records it
	At                 time.Time // the last of them
	Count              int       // how many there were; 0 is 1
	// Reason is one word, with more behind a colon where there is more to say.
	Reason string
}

// missing are the reasons to wake somebody for. The others, paused and overlap, the
// owner of the workflow chose himself.
var missing = []string{"down", "window", "queue_full", "cannot_run"}

// Missed hears that due instants did not run.
func (a *Alerts) Missed(o Occurrence) {
	word, _, _ := strings.Cut(o.Reason, ":")
	if !slices.Contains(missing, word) {
		return
	}
	at := o.At.UTC().Format(time.RFC3339)
	details := map[string]string{
		"schedule": o.Schedule, "at": at, "reason": o.Reason, "count": strconv.Itoa(max(o.Count, 1)),
		"run": o.Run, "look": a.config.Command(o.Run),
	}
	summary := fmt.Sprintf("missed %s (%s)", at, word)
	if o.Count > 1 {
		summary = fmt.Sprintf("missed %d occurrences up to %s (%s)", o.Count, at, word)
	}
	a.trigger(o.Workflow, Missed, summary, details)
}

// Broken hears that the file of a workflow cannot be loaded any more. The problem is
// its first line as `pdflow check` prints it.
func (a *Alerts) Broken(workflow, file, problem string) {
	problem, _, _ = strings.Cut(problem, "\n")
	a.trigger(workflow, BrokenFile, "its file stopped loading: "+problem,
		map[string]string{fileDetail: file, "message": problem, "look": "pdflow check " + file})
}

// fileDetail is the detail of a BrokenFile that tells which file it is about.
const fileDetail = "file"

// Mended hears that a file loads again, or is gone. It may have another workflow in it
// than when it broke: what is over is what was said of the file.
func (a *Alerts) Mended(file string) {
	a.resolveFiles(func(about string) bool { return about == file })
}

// OnlyBroken hears which files are broken when the daemon begins: the others were
// mended or went while nothing looked.
func (a *Alerts) OnlyBroken(files []string) {
	a.resolveFiles(func(about string) bool { return !slices.Contains(files, about) })
}

// resolveFiles wishes the alerts over that are about files of which over holds.
func (a *Alerts) resolveFiles(over func(file string) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, entry := range a.sorted() {
		if entry.Details["cause"] == string(BrokenFile) && over(entry.Details[fileDetail]) {
			a.end(entry)
		}
	}
}

// trigger wishes an alert open. One that is open is sent again: who resolved it by
// hand learns that it goes on, and PagerDuty adds it to the incident otherwise.
func (a *Alerts) trigger(workflow string, cause Cause, summary string, details map[string]string) {
	details["workflow"], details["cause"] = workflow, string(cause)
	a.mu.Lock()
	defer a.mu.Unlock()
	key := Key(workflow, cause)
	entry := a.alerts[key]
	if entry == nil {
		entry = &alert{Key: key}
		a.alerts[key] = entry
	}
	entry.wish(triggered, a.config.Clock.Now())
	entry.Summary, entry.Details = shortened("pdflow: "+workflow+" "+summary), details
	a.poke()
}

// resolve wishes the alerts of a workflow over.
func (a *Alerts) resolve(workflow string, causes ...Cause) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, cause := range causes {
		if entry := a.alerts[Key(workflow, cause)]; entry != nil {
			a.end(entry)
		}
	}
}

// end wishes an alert over. What was never sent is forgotten at once. The lock is held.
func (a *Alerts) end(entry *alert) {
	switch {
	case entry.Wish == resolved:
		return
	case !entry.Sent:
		delete(a.alerts, entry.Key)
	default:
		entry.wish(resolved, a.config.Clock.Now())
	}
	a.poke()
}

// poke lets Run look at what has changed. The lock is held.
func (a *Alerts) poke() {
	a.changed = true
	select {
	case a.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Open returns the keys that are open or will be, in their order.
func (a *Alerts) Open() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var keys []string
	for _, entry := range a.sorted() {
		if entry.Wish == triggered {
			keys = append(keys, entry.Key)
		}
	}
	return keys
}

func shortened(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= maxSummary {
		return string(runes)
	}
	return string(runes[:maxSummary-1]) + "…"
}
