package journaltest

import (
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A model is a simple journal. It computes every answer from the events.
type model struct {
	runs []*modelRun  // in the order of begin
	gone map[int]bool // the owners that are gone
}

// A modelRun is a run of the model.
type modelRun struct {
	journal.Entry
	events []run.Event
	owner  int // -1 after a release
	// adopted is the number of events that the run had when its owner changed last.
	adopted int
	cancel  bool // a request to cancel was made
}

// find returns a run; nil when there is none.
func (m *model) find(id string) *modelRun {
	for _, r := range m.runs {
		if r.Run == id {
			return r
		}
	}
	return nil
}

func (m *model) begin(owner int, entry journal.Entry, events []run.Event) error {
	r := &modelRun{Entry: entry, owner: owner}
	switch {
	case len(events) == 0 || events[0].Sequence != 1:
		return journal.ErrSequence
	case m.find(entry.Run) != nil:
		return journal.ErrExists
	}
	if err := m.busy(r, events); err != nil {
		return err
	}
	r.events = events
	m.runs = append(m.runs, r)
	return nil
}

func (m *model) append(owner int, id string, events []run.Event) error {
	r := m.find(id)
	switch {
	case r == nil:
		return journal.ErrNoRun
	case r.owner != owner:
		return journal.ErrNotOwner
	case events[0].Sequence != len(r.events)+1:
		return journal.ErrSequence
	}
	if err := m.busy(r, events); err != nil {
		return err
	}
	r.events = append(r.events, events...)
	for _, e := range events {
		if e.Kind == run.EventResumed || e.Kind == run.EventRetried {
			r.cancel = false
		}
	}
	return nil
}

// busy returns a BusyError when events make a run claim a group that is busy.
func (m *model) busy(r *modelRun, events []run.Event) error {
	after := *r
	after.events = slices.Concat(r.events, events)
	status, _ := after.state()
	kinds := map[run.EventKind]bool{}
	for _, e := range events {
		kinds[e.Kind] = true
	}
	claims := kinds[run.EventStarted] || kinds[run.EventResumed] || kinds[run.EventRetried]
	if r.Group == "" || !claims || kinds[run.EventCancelled] || status == run.Queued {
		return nil
	}
	busy := &journal.BusyError{Group: r.Group}
	own := slices.Index(m.runs, r)
	for i, other := range m.runs {
		if other == r || other.Group != r.Group || !m.lives(other) {
			continue
		}
		status, _ := other.state()
		if status == run.Running || status == run.Queued && (own < 0 || i < own) {
			busy.Runs = append(busy.Runs, other.Run)
		}
	}
	if len(busy.Runs) == 0 {
		return nil
	}
	return busy
}

func (m *model) lives(r *modelRun) bool { return r.owner >= 0 && !m.gone[r.owner] }

// state returns the status of a run with a living owner, and when it ended.
func (r *modelRun) state() (status run.Status, ended time.Time) {
	for i, e := range append(slices.Clone(r.events), run.Event{}) {
		if i > 0 && i == r.adopted && status == run.Running {
			status = run.Interrupted
		}
		next, known := map[run.EventKind]run.Status{
			run.EventQueued: run.Queued, run.EventStarted: run.Running, run.EventRetried: run.Running,
			run.EventResumed: run.Running, run.EventSuspended: run.NeedsAttention,
			run.EventFinished: e.Status, run.EventSkipped: run.Skipped,
		}[e.Kind]
		if !known || e.Kind == run.EventResumed && status == run.Queued {
			continue
		}
		status, ended = next, time.Time{}
		if e.Kind == run.EventFinished || e.Kind == run.EventSkipped {
			ended = e.Time
		}
	}
	return status, ended
}

func (m *model) adopt(owner int, id string) error {
	r := m.find(id)
	switch {
	case r == nil:
		return journal.ErrNoRun
	case r.owner != owner && m.lives(r):
		return journal.ErrOwned
	}
	if r.owner != owner {
		r.owner, r.adopted = owner, len(r.events)
	}
	return nil
}

func (m *model) release(owner int, id string) error {
	r := m.find(id)
	switch {
	case r == nil:
		return journal.ErrNoRun
	case r.owner != owner:
		return journal.ErrNotOwner
	}
	r.owner = -1
	return nil
}

func (m *model) requestCancel(id string) error {
	r := m.find(id)
	if r == nil {
		return journal.ErrNoRun
	}
	r.cancel = true
	return nil
}

// list returns the summaries of all runs, the newest first.
func (m *model) list() []journal.Summary {
	var list []journal.Summary
	for _, r := range slices.Backward(m.runs) {
		status, ended := r.state()
		lives := m.lives(r)
		if !lives && (status == run.Running || status == run.Queued) {
			status = run.Interrupted
		}
		list = append(list, journal.Summary{
			Run: r.Run, Workflow: r.Workflow, Trigger: r.Trigger, Group: r.Group, Status: status, Live: lives,
			Died:   r.owner >= 0 && !lives && ended.IsZero() && status != run.NeedsAttention,
			Events: len(r.events), StartedAt: r.events[0].Time, EndedAt: ended,
		})
	}
	return list
}

func (m *model) previous(workflow, realm string) *run.Previous {
	var last *run.Previous
	for _, r := range m.runs {
		status, ended := r.state()
		if r.Workflow != workflow || r.Realm != realm || status != run.Success || last != nil && ended.Before(last.EndedAt) {
			continue
		}
		for _, e := range r.events {
			if e.Kind == run.EventFinished { // the last one counts
				last = &run.Previous{Outputs: e.Outputs, Status: e.Status, EndedAt: e.Time}
			}
		}
	}
	return last
}
