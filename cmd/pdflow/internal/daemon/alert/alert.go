package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Cause is what can be wrong with a workflow.
type Cause string

// The causes.
const (
	RunFailed      Cause = "run_failed"      // a run failed or timed out, and nothing handled it
	NeedsAttention Cause = "needs_attention" // a person must decide a call
	Missed         Cause = "missed"          // a scheduled time was missed
	BrokenFile     Cause = "broken_file"     // its file cannot be loaded any more
)

// ofRuns are the causes that a successful run of the workflow resolves.
var ofRuns = []Cause{RunFailed, NeedsAttention, Missed}

// maxSummary is the most characters of a summary. PagerDuty accepts 1024.
const maxSummary = 1000

// maxDetail is the most characters of a detail, and maxDetails the most details, so that an
// event has at most 160 KB of the 512 KB that PagerDuty accepts.
const (
	maxDetail  = 4000
	maxDetails = 10
	maxName    = 100 // of a detail
)

// maxKey is the most characters of a key. PagerDuty refuses a longer one.
const maxKey = 255

// keyBegin is how every key begins.
const keyBegin = "pdflow:"

// Key returns the key of the incident, which never changes. A name that is too long is cut.
func Key(workflow string, cause Cause) string {
	end := ":" + string(cause)
	return keyBegin + cut(workflow, maxKey-len(keyBegin)-len(end)) + end
}

// FileKey returns the key of the incident about a broken file. It has the path of the file,
// because files in two folders may have one name. A key that is too long is cut.
func FileKey(workflow, file string) string { return pathKey(workflow, absolute(file)) }

func pathKey(workflow, path string) string {
	return keyBegin + cut(workflow+":"+string(BrokenFile)+":"+path, maxKey-len(keyBegin))
}

// absolute returns the path of a file from the root, so that it does not matter from which
// folder a daemon was started.
func absolute(file string) string {
	if path, err := filepath.Abs(file); err == nil {
		return path
	}
	return file
}

// cut cuts a text that is too long. A hash of the whole text then distinguishes it from other
// texts with the same beginning.
func cut(text string, most int) string {
	const hashed = 16
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return string(runes[:most-hashed-1]) + "~" + hex.EncodeToString(sum[:])[:hashed]
}

// Sender opens and resolves incidents. Its methods return nil only after PagerDuty has
// accepted the event, and may be called again with the same arguments.
type Sender interface {
	Trigger(ctx context.Context, key, summary string, details map[string]string) error
	Resolve(ctx context.Context, key string) error
}

// Config is the configuration of [Alerts]. All fields but File and Redact are
// required.
type Config struct {
	Sender Sender
	Clock  action.Clock
	Log    *slog.Logger
	// File stores the open alerts. An empty File stores nothing, for a simulation.
	File string
	// Command returns the command that shows a run, such as `pdflow runs show ID`.
	Command func(id string) string
	// Redact masks secrets in all that is sent and stored. Nil masks nothing.
	Redact func(string) string
}

// Alerts has the alerts of all workflows, and sends them. It is safe for concurrent use.
type Alerts struct {
	config Config

	mu      sync.Mutex
	alerts  map[string]*alert // by key
	salt    []byte            // of the fingerprints
	changed bool              // the file has to be written
	first   bool              // there was no file: this is the first daemon with alerts
	wake    chan struct{}     // wakes Run; holds one signal
}

// New reads the alerts that the daemon before this one left.
func New(c Config) (*Alerts, error) {
	if c.Sender == nil || c.Clock == nil || c.Log == nil || c.Command == nil {
		return nil, errors.New("alert.Config needs Sender, Clock, Log and Command")
	}
	if c.Redact == nil {
		c.Redact = func(text string) string { return text }
	}
	a := &Alerts{config: c, wake: make(chan struct{}, 1)}
	var err error
	if a.alerts, a.salt, err = load(c.File); errors.Is(err, fs.ErrNotExist) {
		a.first, a.changed, err = true, true, nil
	}
	if len(a.salt) == 0 {
		a.salt, a.changed = newSalt(), true
	}
	for _, entry := range a.alerts { // an older daemon did not
		if a.conceal(entry) {
			a.changed = true
		}
		entry.bound()
	}
	return a, err
}

// Recalled records how the last run of a workflow ended under the daemon before this one.
// If that daemon ended before it could store the alert, the alert is sent now. Runs from
// before the first daemon with alerts are ignored.
func (a *Alerts) Recalled(plan *workflow.Plan, result *run.Result) {
	if a.first || a.knows(result.Workflow, RunFailed) || a.knows(result.Workflow, NeedsAttention) {
		return
	}
	a.Ended(plan, result)
}

func (a *Alerts) knows(workflow string, cause Cause) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alerts[a.key(workflow, cause)] != nil
}

// Ended records how a run ended, or that it waits for a decision.
func (a *Alerts) Ended(plan *workflow.Plan, result *run.Result) {
	switch status := result.Status; {
	case result.Suspended || status == run.NeedsAttention:
		a.trigger(result.Workflow, NeedsAttention, "a person must decide a call"+because(result.Error), a.detailsOf(result))
	case status == run.Success:
		a.resolve(result.Workflow, ofRuns...)
	case status == run.Failed && !handled(plan, result):
		a.trigger(result.Workflow, RunFailed, "failed"+because(result.Error), a.detailsOf(result))
	case status == run.TimedOut && !handled(plan, result):
		a.trigger(result.Workflow, RunFailed, "timed out"+because(result.Error), a.detailsOf(result))
	}
}

// Stuck records that a run cannot be resumed before a person solves a problem.
func (a *Alerts) Stuck(workflow, id, problem string) {
	problem, _, _ = strings.Cut(problem, "\n")
	a.trigger(workflow, NeedsAttention, "an interrupted run cannot be resumed: "+problem, map[string]string{"run": id, "look": a.config.Command(id)})
}

// OnlyServed resolves the alerts of workflows that are not served: no run of them will. It
// keeps the alerts about decisions, because a person must still decide.
func (a *Alerts) OnlyServed(workflows []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, entry := range a.sorted() {
		cause := Cause(entry.Details["cause"])
		served := func(workflow string) bool { return a.isOf(entry, workflow) }
		if (cause == RunFailed || cause == Missed) && !slices.ContainsFunc(workflows, served) {
			a.end(entry)
		}
	}
}

// handled reports whether the workflow's on_failure has handled the failure.
func handled(plan *workflow.Plan, result *run.Result) bool {
	did := false
	for _, s := range result.Steps {
		i := slices.IndexFunc(plan.Steps, func(p workflow.PlanStep) bool { return p.ID == s.ID })
		if i < 0 || plan.Steps[i].Part != workflow.OnFailure {
			continue
		}
		switch {
		case s.Status == run.Success:
			did = true
		case s.Status != run.Skipped && !plan.Steps[i].ContinueOnError:
			return false
		}
	}
	return did
}

// because returns the reason for a summary. The kind comes before the message, because it
// is the best to group by.
func because(f *run.Failure) string {
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

func (a *Alerts) detailsOf(result *run.Result) map[string]string {
	details := map[string]string{"run": result.Run, "status": string(result.Status), "look": a.config.Command(result.Run)}
	if f := result.Error; f != nil {
		details["kind"], details["message"] = string(f.Kind), f.Error()
		if f.Step != "" {
			details["step"] = f.Step
		}
	}
	return details
}

// Occurrence is one or more scheduled times that were missed.
type Occurrence struct {
	Workflow, Schedule string
	Run                string    // the run that records it
	At                 time.Time // the last scheduled time
	Count              int       // number of scheduled times; 0 means 1
	// Reason is one word. More text may follow after a colon.
	Reason string
}

// missing are the reasons that open an incident. The owner of the workflow has chosen the
// others, paused and overlap.
var missing = []string{"down", "window", "queue_full", "cannot_run"}

// Missed records that scheduled times were missed.
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
		summary = fmt.Sprintf("missed %d scheduled times up to %s (%s)", o.Count, at, word)
	}
	a.trigger(o.Workflow, Missed, summary, details)
}

// Broken records that the file of a workflow cannot be loaded any more. The alert has the
// first line of problem, which is a problem as `pdflow check` prints it. Each file has one
// incident, whatever its workflow is called: without a version that can be read, a workflow
// has the name of its file.
func (a *Alerts) Broken(workflow, file, problem string) {
	problem, _, _ = strings.Cut(problem, "\n")
	a.mu.Lock()
	defer a.mu.Unlock()
	key := a.fileKey(workflow, file)
	for _, entry := range a.sorted() {
		if entry.Wish == triggered && a.isAbout(entry, file) {
			key = entry.Key
		}
	}
	a.open(key, workflow, BrokenFile, "its file cannot be loaded any more: "+problem,
		map[string]string{fileDetail: file, "message": problem, "look": "pdflow check " + file})
}

// The details that name the workflow, and the file of a BrokenFile alert.
const (
	workflowDetail = "workflow"
	fileDetail     = "file"
)

// Mended resolves the alerts about a file that loads again, or was removed. It goes by the
// file, because the file may now contain another workflow.
func (a *Alerts) Mended(file string) {
	a.resolveFiles(func(entry *alert) bool { return a.isAbout(entry, file) })
}

// OnlyBroken resolves the alerts about all files but the given ones, which are broken when
// the daemon starts. The others were mended or removed while no daemon was running.
func (a *Alerts) OnlyBroken(files []string) {
	a.resolveFiles(func(entry *alert) bool {
		return !slices.ContainsFunc(files, func(file string) bool { return a.isAbout(entry, file) })
	})
}

// resolveFiles resolves the alerts about broken files for which over returns true.
func (a *Alerts) resolveFiles(over func(*alert) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, entry := range a.sorted() {
		if entry.Details["cause"] == string(BrokenFile) && over(entry) {
			a.end(entry)
		}
	}
}

// trigger opens the alert of a workflow and a cause.
func (a *Alerts) trigger(workflow string, cause Cause, summary string, details map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open(a.key(workflow, cause), workflow, cause, summary, details)
}

// open opens the alert of a key. An alert that is open is sent again: if a person has resolved
// its incident, PagerDuty opens a new one; otherwise PagerDuty adds it to the incident. The
// caller holds the lock.
func (a *Alerts) open(key, workflow string, cause Cause, summary string, details map[string]string) {
	details[workflowDetail], details["cause"] = workflow, string(cause)
	entry := a.alerts[key]
	if entry == nil {
		entry = &alert{Key: key}
		a.alerts[key] = entry
	}
	entry.wish(triggered, a.config.Clock.Now())
	entry.Summary, entry.Details, entry.Workflow, entry.File = "pdflow: "+workflow+" "+summary, details, "", ""
	a.conceal(entry)
	entry.bound()
	a.poke()
}

// resolve resolves the alerts of a workflow.
func (a *Alerts) resolve(workflow string, causes ...Cause) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, cause := range causes {
		if entry := a.alerts[a.key(workflow, cause)]; entry != nil {
			a.end(entry)
		}
	}
}

// end resolves an alert. An alert that was never sent is deleted. The caller holds the lock.
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

// poke wakes Run after a change. The caller holds the lock.
func (a *Alerts) poke() {
	a.changed = true
	select {
	case a.wake <- struct{}{}:
	default: // Run is woken already
	}
}

// Open returns the keys of the alerts that are open or will be opened, in order.
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

// bound shortens the texts of an alert. PagerDuty refuses an event of more than 512 KB, and
// would refuse it each time.
func (e *alert) bound() {
	e.Summary = shortened(e.Summary)
	names := slices.Sorted(maps.Keys(e.Details))
	for i, name := range names {
		if i >= maxDetails || len(name) > maxName { // only a file that was changed by hand has such details
			delete(e.Details, name)
			continue
		}
		e.Details[name] = phrase.Clip(e.Details[name], maxDetail)
	}
}

func shortened(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= maxSummary {
		return string(runes)
	}
	return string(runes[:maxSummary-1]) + "…"
}
