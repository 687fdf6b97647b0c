package killtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A trial is one run from its start to its end, over as many processes as it takes. A process that was
// killed leaves only the journal to the next one.
type trial struct {
	scenario   *scenario
	servers    *servers
	journal    journal.Journal // for reading
	job        job             // what every process is told
	killPoints []killPoint     // where the first, second, ... process is killed
	// defect is what is broken in the first process.
	defect defect
	// work starts the run or resumes it until it ends or the process is killed. It reports whether the
	// process was killed at its kill point.
	work func(j job) (died bool, err error)

	events    []run.Event // as last read from the journal
	processes int
	kills     int
	decisions int // how many decisions a person has made
}

const (
	// maxProcesses is how many processes a run may need. A run that has not ended then is stuck.
	maxProcesses = 8
	// between is the time between two processes: longer than any wait of a scenario. All of it together
	// is shorter than resume_within.
	between = time.Minute
)

// newTrial returns the trial of a run that has not started.
func newTrial(s *scenario, t *servers, run string) *trial {
	return &trial{scenario: s, servers: t, job: job{
		Scenario: s.name, Run: run, URL: t.server.URL, APIKey: t.APIKey(), ServiceKey: t.ServiceKey(),
	}}
}

// run starts processes until the run has ended, and returns what was wrong.
func (f *trial) run() []finding {
	for {
		j, found, over := f.next()
		if over {
			return found
		}
		died, err := f.work(j)
		if found := f.processEnded(j, died, err); found != nil {
			return found
		}
	}
}

// next returns the job of the next process. If the run has ended or is stuck, it returns what was wrong with
// the run instead.
func (f *trial) next() (j job, found []finding, over bool) {
	j = f.job
	j.Time.Ahead = time.Duration(f.processes) * between
	if f.processes == 0 {
		j.Defect = f.defect
	}
	switch status := statusOf(f.events); {
	case status != run.Running && status != run.NeedsAttention:
		return j, f.check(), true
	case f.processes >= maxProcesses:
		return j, findings(stuck, "it has not ended after %d processes", f.processes), true
	case status == run.NeedsAttention && len(uncertainCalls(f.events)) == 0 && !f.decided():
		return j, findings(wrong, "it needs attention, and the outcome of all its calls is known"), true
	case status == run.NeedsAttention:
		j.Retry, j.Decisions = true, f.decide()
		f.decisions++
	}
	if f.kills < len(f.killPoints) {
		j.KillPoint = f.killPoints[f.kills]
		if f.kills == 0 { // the first kill point counts from the start of the run
			j.KillPoint.Count -= passed(f.events, j.KillPoint.At)
		}
	}
	return j, nil, false
}

// processEnded counts a process that has ended, and checks what it left in the journal.
func (f *trial) processEnded(j job, died bool, err error) []finding {
	first := f.processes == 0
	f.processes++
	if err := f.servers.waitIdle(); err != nil {
		return findings(wrong, "its servers cannot be reached: %v", err)
	}
	if err != nil {
		return findings(wrong, "it could not be resumed: %v", err)
	}
	if died {
		f.kills++
	}
	if found := f.readJournal(); found != nil {
		return found
	}
	confirmed := j.KillPoint.At == kept || j.KillPoint.At == afterIntent || j.KillPoint.At == afterDone
	switch n := passed(f.events, j.KillPoint.At); {
	case !died && statusOf(f.events) == run.Running:
		return findings(stuck, "its process has ended, and the run has not")
	case died && first && confirmed && n < j.KillPoint.Count:
		return findings(lost, "it was killed at %q number %d, and the journal has only %d of these", j.KillPoint.At, j.KillPoint.Count, n)
	}
	return nil
}

// passed returns how often a moment has come, as far as the journal shows.
func passed(events []run.Event, at moment) int {
	if at == heard || at == kept {
		return len(events)
	}
	begun, returned := map[callPlace]bool{}, 0
	for _, e := range events {
		switch {
		case e.Kind == run.EventCallStarted && e.Call.Effect != action.Reads.String():
			begun[placeOf(e)] = true
		case e.Kind == run.EventCallReturned && begun[placeOf(e)]:
			returned++
		}
	}
	if at == beforeIntent || at == afterIntent {
		return len(begun)
	}
	return returned
}

// readJournal reads the events of the run. All events that were there before must still be there.
func (f *trial) readJournal() []finding {
	events, err := f.journal.Events(context.Background(), f.job.Run)
	if err != nil && !(errors.Is(err, journal.ErrNoRun) && len(f.events) == 0) {
		return findings(lost, "it cannot be read: %v", err)
	}
	if len(events) < len(f.events) || len(f.events) > 0 && !reflect.DeepEqual(events[:len(f.events)], f.events) {
		return findings(lost, "of %d events that were recorded %d are left, or they have changed", len(f.events), len(events))
	}
	f.events = events
	return nil
}

// statusOf returns the status of a run by its events; Running until it has ended.
func statusOf(events []run.Event) run.Status {
	status := run.Running
	for _, e := range events {
		switch e.Kind {
		case run.EventFinished:
			status = e.Status
		case run.EventSuspended:
			status = run.Suspended
		case run.EventResumed, run.EventRetried:
			status = run.Running
		}
	}
	return status
}

// A callPlace identifies a call.
type callPlace struct {
	run, step             string
	item, attempt, number int
}

func placeOf(e run.Event) callPlace {
	return callPlace{e.Run, e.Step, e.Item, e.Attempt, e.Call.Number}
}

// uncertainCalls returns the calls whose outcome is unknown and which must not be repeated: they were
// started, and neither they nor a later call with the same digest has an answer.
func uncertainCalls(events []run.Event) []run.Event {
	var open []run.Event
	digests := map[callPlace]string{}
	known := func(same func(run.Event) bool) { open = slices.DeleteFunc(open, same) }
	for _, e := range events {
		switch {
		case e.Kind == run.EventCallStarted:
			digests[placeOf(e)] = e.Call.Digest
			if e.Call.Effect == action.Once.String() || e.Call.Effect == action.Reconciled.String() {
				open = append(open, e)
			}
		case e.Kind == run.EventCallReturned && (e.Call.Error == nil || e.Call.Error.Kind != action.UnknownOutcome):
			known(func(o run.Event) bool { return o.Call.Digest == digests[placeOf(e)] })
		case e.Kind == run.EventCallDecided:
			known(func(o run.Event) bool { return o.Sequence == e.Call.Number })
		}
	}
	return open
}

// decide makes the decisions of a person who looks at the service whether each uncertain order was done. The
// outcome of a write of a user pdflow finds out itself when the run is retried.
func (f *trial) decide() []run.Decision {
	var decided []run.Decision
	for _, e := range uncertainCalls(f.events) {
		if e.Call.Effect != action.Once.String() {
			continue
		}
		address, _ := e.Call.Input["url"].(string)
		if asked, err := url.Parse(address); err == nil && f.servers.count("POST", asked.Path) > 0 {
			decided = append(decided, run.Decision{Reason: run.CallUnknown, Call: e.Sequence, Outcome: run.CallDone})
		} else {
			decided = append(decided, run.Decision{Reason: run.CallUnknown, Call: e.Sequence, Outcome: run.CallRepeat})
		}
	}
	return decided
}

// decided reports whether a decision was made before.
func (f *trial) decided() bool {
	return slices.ContainsFunc(f.events, func(e run.Event) bool { return e.Kind == run.EventCallDecided })
}

// describe returns the events and requests of the run, for a person who looks for a mistake.
func (f *trial) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  events of the run %s after %d kills and %d decisions:\n", f.job.Run, f.kills, f.decisions)
	for _, e := range f.events {
		fmt.Fprintf(&b, "  %4d %-18s %s\n", e.Sequence, e.Kind, describeEvent(e))
	}
	b.WriteString("  requests to PagerDuty:\n")
	for _, r := range f.servers.Requests() {
		fmt.Fprintf(&b, "  %d %s %s\n", r.Status, r.Method, r.Path)
	}
	return b.String()
}

// describeEvent returns the content of an event.
func describeEvent(e run.Event) string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if e.Step != "" {
		add("%s, item %d, attempt %d", e.Step, e.Item, e.Attempt)
	}
	if e.Call != nil {
		add("call %d %s %v", e.Call.Number, e.Call.Action, e.Call.Input)
		if e.Call.Error != nil {
			add("failed: %v", e.Call.Error)
		}
	}
	if e.Outcome != nil {
		add("%s", e.Outcome.Status)
		if e.Outcome.Error != nil {
			add("because %v", e.Outcome.Error)
		}
	}
	if e.Status != "" {
		add("%s", e.Status)
	}
	return strings.Join(words, " ")
}
