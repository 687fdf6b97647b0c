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
	Missed         Cause = "missed"          // no run started at a scheduled time
	BrokenFile     Cause = "broken_file"     // its file stopped loading
)

// ofRuns are the causes that a successful run of the workflow resolves.
var ofRuns = []Cause{RunFailed, NeedsAttention, Missed}

// maxSummary is the maximum length of a summary in characters. PagerDuty accepts 1024.
const maxSummary = 1000

// maxKey is the maximum length of a key in characters. PagerDuty refuses longer keys.
const maxKey = 255

// Key returns the key of the incident of a workflow and a cause. It never changes. A name that is too
// long is cut and gets a hash of the whole name.
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

// A Sender opens and resolves incidents. It may be called several times with the same arguments. It
// returns nil only if PagerDuty has accepted the event.
type Sender interface {
	Trigger(ctx context.Context, key, summary string, details map[string]string) error
	Resolve(ctx context.Context, key string) error
}

// A Config is the configuration of Alerts. All fields except File are required.
type Config struct {
	Sender Sender
	Clock  action.Clock
	Log    *slog.Logger
	// File is the file of open alerts; empty: alerts are not kept.
	File string
	// Command returns the command line that shows a run.
	Command func(run string) string
}

// Alerts keeps the open alerts and sends them to PagerDuty. It is safe for concurrent use.
type Alerts struct {
	config Config

	mu      sync.Mutex
	alerts  map[string]*alert // by key
	changed bool              // since the file was written
	first   bool              // there was no file, so alerts are new in this data folder
	wake    chan struct{}     // with capacity 1
}

// New reads the alerts that the daemon before this one left open.
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

// Recalled takes the result of the last run of a workflow under an earlier daemon. If the alert of this
// run is missing, it is sent now. In a data folder where alerts are new, nothing is sent.
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

// Ended takes the result of a run that ended, or that waits for a decision.
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

// Stuck takes a run that cannot be resumed until a person acts.
func (a *Alerts) Stuck(workflow, run, problem string) {
	problem, _, _ = strings.Cut(problem, "\n")
	a.trigger(workflow, NeedsAttention, "an interrupted run cannot be resumed: "+problem, map[string]string{"run": run, "look": a.config.Command(run)})
}

// OnlyServed resolves the alerts of the runs and schedules of all other workflows, because no run of them
// will resolve these. Alerts about decisions stay open.
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

// handled reports whether the on_failure of the workflow handled the failure of a run.
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

// because returns the reason for a summary. The kind comes first, because summaries are grouped by it.
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

// An Occurrence is one or more scheduled times at which no run started.
type Occurrence struct {
	Workflow, Schedule string
	Run                string    // the id of the run that records it
	At                 time.Time // the last scheduled time
	Count              int       // how many times; 0 means 1
	// Reason is one word, which a colon and details may follow.
	Reason string
}

// missing are the reasons that trigger an alert. The owner of the workflow has chosen the other reasons,
// paused and overlap.
var missing = []string{"down", "window", "queue_full", "cannot_run"}

// Missed takes scheduled times at which no run started.
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

// Broken takes a file that cannot be loaded any more. The alert has the first line of the problem.
func (a *Alerts) Broken(workflow, file, problem string) {
	problem, _, _ = strings.Cut(problem, "\n")
	a.trigger(workflow, BrokenFile, "its file stopped loading: "+problem,
		map[string]string{fileDetail: file, "message": problem, "look": "pdflow check " + file})
}

// fileDetail is the detail of a BrokenFile with the path of the file.
const fileDetail = "file"

// Mended resolves the alert about a file that loads again or was removed. The file may contain another
// workflow than before.
func (a *Alerts) Mended(file string) {
	a.resolveFiles(func(about string) bool { return about == file })
}

// OnlyBroken resolves the alerts about all other files. They were fixed or removed while no daemon was
// running.
func (a *Alerts) OnlyBroken(files []string) {
	a.resolveFiles(func(about string) bool { return !slices.Contains(files, about) })
}

// resolveFiles resolves the alerts about the files for which over is true.
func (a *Alerts) resolveFiles(over func(file string) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, entry := range a.sorted() {
		if entry.Details["cause"] == string(BrokenFile) && over(entry.Details[fileDetail]) {
			a.end(entry)
		}
	}
}

// trigger opens an alert. An open alert is sent again: PagerDuty adds it to the incident, or opens a new
// incident if a person has resolved the first one.
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

// resolve resolves alerts of a workflow.
func (a *Alerts) resolve(workflow string, causes ...Cause) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, cause := range causes {
		if entry := a.alerts[Key(workflow, cause)]; entry != nil {
			a.end(entry)
		}
	}
}

// end resolves an alert. An alert that was never sent is forgotten at once. The lock is held.
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

// poke wakes Run. The lock is held.
func (a *Alerts) poke() {
	a.changed = true
	select {
	case a.wake <- struct{}{}:
	default: // Run is already awake
	}
}

// Open returns the keys of the alerts that are open or will be opened, sorted.
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
