package enginetest

import (
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine"
)

// A model is a journal as plainly as it can be said. It computes everything anew
// from the events.
type model struct {
	runs []*modelRun // as they began
	gone map[int]bool
}

type modelRun struct {
	engine.Entry
	events []engine.Event
	owner  int // -1 when it was released
	cancel bool
}

func (m *model) find(run string) *modelRun {
	for _, r := range m.runs {
		if r.Run == run {
			return r
		}
	}
	return nil
}

func (m *model) begin(owner int, entry engine.Entry, events []engine.Event) error {
	r := &modelRun{Entry: entry, owner: owner}
	switch {
	case len(events) == 0 || events[0].Sequence != 1:
		return engine.ErrSequence
	case m.find(entry.Run) != nil:
		return engine.ErrExists
	}
	if err := m.busy(r, events); err != nil {
		return err
	}
	r.events = events
	m.runs = append(m.runs, r)
	return nil
}

func (m *model) append(owner int, run string, events []engine.Event) error {
	r := m.find(run)
	switch {
	case r == nil:
		return engine.ErrNoRun
	case r.owner != owner:
		return engine.ErrNotOwner
	case events[0].Sequence != len(r.events)+1:
		return engine.ErrSequence
	}
	if err := m.busy(r, events); err != nil {
		return err
	}
	r.events = append(r.events, events...)
	for _, e := range events {
		if e.Kind == engine.RunResumed || e.Kind == engine.RunRetried {
			r.cancel = false
		}
	}
	return nil
}

func (m *model) busy(r *modelRun, events []engine.Event) error {
	starts := slices.ContainsFunc(events, func(e engine.Event) bool { return e.Kind == engine.RunStarted })
	if r.Group == "" || !starts {
		return nil
	}
	busy := &engine.BusyError{Group: r.Group}
	own := slices.Index(m.runs, r)
	for i, other := range m.runs {
		if other == r || other.Group != r.Group || !m.lives(other) {
			continue
		}
		status, _ := other.stands()
		if status == engine.Running || status == engine.Queued && (own < 0 || i < own) {
			busy.Runs = append(busy.Runs, other.Run)
		}
	}
	if len(busy.Runs) == 0 {
		return nil
	}
	return busy
}

func (m *model) lives(r *modelRun) bool { return r.owner >= 0 && !m.gone[r.owner] }

// stands is where the events leave a run, whoever owns it, and when it ended.
func (r *modelRun) stands() (status engine.Status, ended time.Time) {
	for _, e := range r.events {
		next, known := map[engine.EventKind]engine.Status{
			engine.RunQueued: engine.Queued, engine.RunStarted: engine.Running, engine.RunRetried: engine.Running,
			engine.RunResumed: engine.Running, engine.RunSuspended: engine.NeedsAttention,
			engine.RunFinished: e.Status, engine.RunSkipped: engine.Skipped,
		}[e.Kind]
		if !known || e.Kind == engine.RunResumed && status == engine.Queued {
			continue
		}
		status, ended = next, time.Time{}
		if e.Kind == engine.RunFinished || e.Kind == engine.RunSkipped {
			ended = e.Time
		}
	}
	return status, ended
}

func (m *model) adopt(owner int, run string) error {
	r := m.find(run)
	switch {
	case r == nil:
		return engine.ErrNoRun
	case r.owner != owner && m.lives(r):
		return engine.ErrOwned
	}
	r.owner = owner
	return nil
}

func (m *model) release(owner int, run string) error {
	r := m.find(run)
	switch {
	case r == nil:
		return engine.ErrNoRun
	case r.owner != owner:
		return engine.ErrNotOwner
	}
	r.owner = -1
	return nil
}

func (m *model) requestCancel(run string) error {
	r := m.find(run)
	if r == nil {
		return engine.ErrNoRun
	}
	r.cancel = true
	return nil
}

// list is what a list of all runs shows.
func (m *model) list() []engine.RunSummary {
	var list []engine.RunSummary
	for _, r := range slices.Backward(m.runs) {
		status, ended := r.stands()
		lives := m.lives(r)
		if !lives && (status == engine.Running || status == engine.Queued) {
			status = engine.Interrupted
		}
		list = append(list, engine.RunSummary{
			Run: r.Run, Workflow: r.Workflow, Trigger: r.Trigger, Group: r.Group, Status: status, Live: lives,
			Events: len(r.events), BegunAt: r.events[0].Time, EndedAt: ended,
		})
	}
	return list
}

func (m *model) previous(workflow, realm string) *engine.Previous {
	var last *engine.Previous
	for _, r := range m.runs {
		status, ended := r.stands()
		if r.Workflow != workflow || r.Realm != realm || status != engine.Success || last != nil && ended.Before(last.EndedAt) {
			continue
		}
		for _, e := range r.events {
			if e.Kind == engine.RunFinished { // the last of them counts
				last = &engine.Previous{Outputs: e.Outputs, Status: e.Status, EndedAt: e.Time}
			}
		}
	}
	return last
}
