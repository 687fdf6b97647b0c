package journal

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Memory is a [Journal] that is gone with the process, for tests and for hosts that
// need concurrency groups but no durable history. It stores events as text, so callers
// cannot change what it stores.
type Memory struct {
	store *memoryStore
	owner int
}

var _ Journal = (*Memory)(nil)

// NewMemory returns an empty journal.
func NewMemory() *Memory {
	store := &memoryStore{runs: map[string]*memoryRun{}, living: map[int]bool{}, schedules: map[scheduleName]ScheduleState{}, names: map[string]string{}}
	return store.open()
}

// Another opens the same journal again, as another process would. The result is
// another owner.
func (m *Memory) Another() *Memory { return m.store.open() }

// Close makes the owner count as gone, so that others can adopt its runs. The owner can
// still append to a run until another adopts it, like a process that lives longer than
// others believe.
func (m *Memory) Close() error {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	delete(m.store.living, m.owner)
	return nil
}

// A memoryStore is what the owners of one journal share.
type memoryStore struct {
	lock      sync.Mutex
	runs      map[string]*memoryRun
	order     []*memoryRun // in the order of Begin
	schedules map[scheduleName]ScheduleState
	names     map[string]string
	owners    int          // the number of owners so far, and the last owner's number
	ends      int          // the number of recorded ends so far
	living    map[int]bool // the owners that are not closed
}

type memoryRun struct {
	entry     Entry
	events    [][]byte
	summary   Summary
	succeeded run.Previous // of the last run.finished
	finish    int          // the place of that in the order in which ends were recorded
	owner     int          // 0 after a release
	cancel    *CancelRequest
}

func (s *memoryStore) open() *Memory {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.owners++
	s.living[s.owners] = true
	return &Memory{s, s.owners}
}

// Begin stores a new run; see [Appender].
func (m *Memory) Begin(_ context.Context, entry Entry, events []run.Event) error {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	if len(events) == 0 {
		return fmt.Errorf("%w: a new run needs its first event", ErrSequence)
	}
	if m.store.runs[entry.Run] != nil {
		return ErrExists
	}
	entry.Sources = cloneSources(entry.Sources)
	r := &memoryRun{entry: entry, owner: m.owner, summary: Summary{
		Run: entry.Run, Workflow: entry.Workflow, Trigger: entry.Trigger, Group: entry.Group,
	}}
	if err := m.append(r, events); err != nil {
		return err
	}
	m.store.runs[entry.Run] = r
	m.store.order = append(m.store.order, r)
	return nil
}

// Append adds events to a run; see [Appender].
func (m *Memory) Append(_ context.Context, id string, events []run.Event) error {
	return m.change(id, func(r *memoryRun) error {
		if r.owner != m.owner {
			return ErrNotOwner
		}
		return m.append(r, events)
	})
}

// append adds events, all of them or none.
func (m *Memory) append(r *memoryRun, events []run.Event) error {
	if err := Follow(r.entry.Run, len(r.events), events); err != nil {
		return err
	}
	after := r.summary
	for _, e := range events {
		after.Observe(e)
	}
	if busy := m.store.busy(r); len(busy) > 0 && Claims(events) && after.Status != run.Queued {
		return &BusyError{r.entry.Group, busy}
	}
	encoded := make([][]byte, len(events))
	for i, e := range events {
		var err error
		if encoded[i], err = Encode(e); err != nil {
			return err
		}
	}
	r.events = append(r.events, encoded...)
	for i, e := range events {
		m.store.observe(r, e, encoded[i])
	}
	return nil
}

func (s *memoryStore) observe(r *memoryRun, e run.Event, encoded []byte) {
	r.summary.Observe(e)
	switch e.Kind {
	case run.EventFinished:
		s.ends++
		r.finish = s.ends
		e, _ = Decode(encoded) // shares nothing with the caller; it was encoded just now
		r.succeeded = run.Previous{Outputs: e.Outputs, Status: e.Status, EndedAt: e.Time}
	case run.EventResumed, run.EventRetried:
		r.cancel = nil
	}
}

// busy returns the runs that keep another run of their group from running.
func (s *memoryStore) busy(r *memoryRun) []string {
	var runs []string
	before := true // the loop has not reached r yet
	for _, other := range s.order {
		if other == r {
			before = false
			continue
		}
		if r.entry.Group == "" || other.entry.Group != r.entry.Group || !s.living[other.owner] {
			continue
		}
		if other.summary.Status == run.Running || other.summary.Status == run.Queued && before {
			runs = append(runs, other.entry.Run)
		}
	}
	return runs
}

// change calls do with a run, and holds the lock. The error is ErrNoRun when there is
// no such run.
func (m *Memory) change(id string, do func(*memoryRun) error) error {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	r := m.store.runs[id]
	if r == nil {
		return ErrNoRun
	}
	return do(r)
}

// Adopt takes a run over from an owner that is gone; see [Appender].
func (m *Memory) Adopt(_ context.Context, id string) error {
	return m.change(id, func(r *memoryRun) error {
		if r.owner != m.owner && m.store.living[r.owner] {
			return ErrOwned
		}
		if r.owner != m.owner {
			r.summary.Adopted()
		}
		r.owner = m.owner
		return nil
	})
}

// Release gives a run up; see [Appender].
func (m *Memory) Release(_ context.Context, id string) error {
	return m.change(id, func(r *memoryRun) error {
		if r.owner != m.owner {
			return ErrNotOwner
		}
		r.owner = 0
		return nil
	})
}

// Events returns the events of a run; see [Reader].
func (m *Memory) Events(_ context.Context, id string) ([]run.Event, error) {
	var encoded [][]byte
	err := m.change(id, func(r *memoryRun) error {
		encoded = r.events[:len(r.events):len(r.events)]
		return nil
	})
	var events []run.Event
	for _, text := range encoded {
		e, err := Decode(text)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, err
}

// Sources returns the texts that a run was started from; see [Reader].
func (m *Memory) Sources(_ context.Context, id string) ([]workflow.Source, error) {
	var sources []workflow.Source
	err := m.change(id, func(r *memoryRun) error {
		sources = cloneSources(r.entry.Sources)
		return nil
	})
	return sources, err
}

func cloneSources(sources []workflow.Source) []workflow.Source {
	clone := slices.Clone(sources)
	for i := range clone {
		clone[i].Text = bytes.Clone(clone[i].Text)
	}
	return clone
}

// Runs returns runs, the newest first; see [Reader].
func (m *Memory) Runs(_ context.Context, query Query) ([]Summary, error) {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	var runs []Summary
	for _, r := range slices.Backward(m.store.order) {
		summary := r.summary
		summary.SetLive(m.store.living[r.owner], r.owner != 0)
		if query.After != "" && r.entry.Run == query.After {
			break
		}
		if query.Matches(summary) {
			runs = append(runs, summary)
		}
		if query.Limit > 0 && len(runs) == query.Limit {
			break
		}
	}
	return runs, nil
}

// Previous returns the last successful run of a workflow in a realm; see [Reader].
func (m *Memory) Previous(_ context.Context, workflow, realm string) (*run.Previous, error) {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	var last *memoryRun
	for _, r := range m.store.order {
		if r.entry.Workflow != workflow || r.entry.Realm != realm || r.summary.Status != run.Success {
			continue
		}
		if last == nil || r.finish > last.finish {
			last = r
		}
	}
	if last == nil {
		return nil, nil
	}
	previous := last.succeeded
	text, err := Encode(run.Event{Outputs: previous.Outputs})
	if err != nil {
		return nil, err
	}
	e, err := Decode(text)
	previous.Outputs = e.Outputs
	return &previous, err
}

// RequestCancel asks the owner of a run to cancel it; see [Canceller].
func (m *Memory) RequestCancel(_ context.Context, id string, by *run.Actor) error {
	return m.change(id, func(r *memoryRun) error {
		if r.cancel == nil {
			r.cancel = &CancelRequest{by}
		}
		return nil
	})
}

// CancelRequested returns the request to cancel a run; see [Canceller].
func (m *Memory) CancelRequested(_ context.Context, id string) (request *CancelRequest, err error) {
	err = m.change(id, func(r *memoryRun) error {
		request = r.cancel
		return nil
	})
	return request, err
}

// A scheduleName identifies a schedule.
type scheduleName struct{ workflow, schedule string }

// Schedules returns the states of all schedules; see [Schedules].
func (m *Memory) Schedules(context.Context) ([]ScheduleState, error) {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	states := make([]ScheduleState, 0, len(m.store.schedules))
	for _, s := range m.store.schedules {
		states = append(states, s.clone())
	}
	slices.SortFunc(states, func(a, b ScheduleState) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Schedule, b.Schedule))
	})
	return states, nil
}

// SaveSchedules stores the watermarks of schedules; see [Schedules].
func (m *Memory) SaveSchedules(_ context.Context, states []ScheduleState) error {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	for _, s := range states {
		name := scheduleName{s.Workflow, s.Schedule}
		s.Pause = m.store.schedules[name].Pause
		m.store.schedules[name] = s
	}
	return nil
}

// PauseSchedule pauses a schedule, or ends its pause; see [Schedules].
func (m *Memory) PauseSchedule(_ context.Context, workflow, schedule string, pause *Pause) error {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	name := scheduleName{workflow, schedule}
	s := m.store.schedules[name]
	s.Workflow, s.Schedule, s.Pause = workflow, schedule, pause
	m.store.schedules[name] = s.clone()
	return nil
}

// Names returns the file of each workflow name; see [Names].
func (m *Memory) Names(context.Context) (map[string]string, error) {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	return maps.Clone(m.store.names), nil
}

// SaveNames stores the files of workflow names; see [Names].
func (m *Memory) SaveNames(_ context.Context, files map[string]string) error {
	m.store.lock.Lock()
	defer m.store.lock.Unlock()
	maps.Copy(m.store.names, files)
	return nil
}
