package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
)

// A Memory is a journal that is gone with the process: for tests, and for hosts
// that want retries and concurrency groups without a file.
type Memory struct {
	store *memoryStore
	owner *bool // closed; its address tells owners apart
}

var _ Journal = (*Memory)(nil)

// memoryStore is what several journals in memory share.
type memoryStore struct {
	mu   sync.Mutex
	runs map[string]*memoryRun
	next int
}

type memoryRun struct {
	entry  Entry
	events []Event
	owner  *bool
	cancel bool
	number int // in the order of Begin
}

// NewMemory returns an empty journal in memory.
func NewMemory() *Memory {
	return &Memory{&memoryStore{runs: map[string]*memoryRun{}}, new(bool)}
}

// Another returns another owner of the same runs, as another process would be.
func (m *Memory) Another() *Memory { return &Memory{m.store, new(bool)} }

// Close ends this owner: others may adopt its runs.
func (m *Memory) Close() error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	*m.owner = true
	return nil
}

func (r *memoryRun) live() bool { return r.owner != nil && !*r.owner }

// Begin enters a run; see [Journal].
func (m *Memory) Begin(_ context.Context, entry Entry, events []Event) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	run := &memoryRun{entry: entry, owner: m.owner, number: m.store.next}
	switch {
	case m.store.runs[entry.Run] != nil:
		return ErrExists
	case len(events) == 0 || !follows(run.events, events):
		return ErrSequence
	}
	if err := m.store.busy(run, events); err != nil {
		return err
	}
	run.events = slices.Clone(events)
	m.store.runs[entry.Run] = run
	m.store.next++
	return nil
}

// follows reports whether events have the numbers after those of before.
func follows(before, events []Event) bool {
	for i := range events {
		if events[i].Sequence != len(before)+i+1 {
			return false
		}
	}
	return true
}

// busy refuses a start while the group is busy.
func (s *memoryStore) busy(run *memoryRun, events []Event) error {
	if run.entry.Group == "" || !slices.ContainsFunc(events, func(e Event) bool { return e.Kind == RunStarted }) {
		return nil
	}
	busy := &BusyError{Group: run.entry.Group}
	for _, other := range s.sorted() {
		status := other.status()
		before := status == Running || status == Queued && other.number < run.number
		if other != run && other.entry.Group == run.entry.Group && other.live() && before {
			busy.Runs = append(busy.Runs, other.entry.Run)
		}
	}
	if len(busy.Runs) > 0 {
		return busy
	}
	return nil
}

// sorted are the runs in the order in which they began.
func (s *memoryStore) sorted() []*memoryRun {
	var runs []*memoryRun
	for _, run := range s.runs {
		runs = append(runs, run)
	}
	slices.SortFunc(runs, func(a, b *memoryRun) int { return cmp.Compare(a.number, b.number) })
	return runs
}

// status is where the events leave the run.
func (r *memoryRun) status() Status {
	for i := len(r.events) - 1; i >= 0; i-- {
		switch r.events[i].Kind {
		case RunQueued:
			return Queued
		case RunSkipped:
			return Skipped
		case RunStarted, RunRetried:
			return Running
		case RunSuspended:
			return NeedsAttention
		case RunFinished:
			return r.events[i].Status
		case RunResumed:
			if r.entry.Group != "" && !slices.ContainsFunc(r.events, func(e Event) bool { return e.Kind == RunStarted }) {
				return Queued
			}
			return Running
		}
	}
	return Running
}

// owned returns a run that must belong to this owner.
func (m *Memory) owned(run string) (*memoryRun, error) {
	r := m.store.runs[run]
	switch {
	case r == nil:
		return nil, ErrNoRun
	case r.owner != m.owner:
		return nil, ErrNotOwner
	}
	return r, nil
}

// Append adds events to a run; see [Journal].
func (m *Memory) Append(_ context.Context, run string, events []Event) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	r, err := m.owned(run)
	if err != nil {
		return err
	}
	if !follows(r.events, events) {
		return ErrSequence
	}
	if err := m.store.busy(r, events); err != nil {
		return err
	}
	r.events = append(r.events, events...)
	for _, e := range events {
		if e.Kind == RunResumed || e.Kind == RunRetried {
			r.cancel = false
		}
	}
	return nil
}

// Adopt makes this journal the owner of a run; see [Journal].
func (m *Memory) Adopt(_ context.Context, run string) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	r := m.store.runs[run]
	switch {
	case r == nil:
		return ErrNoRun
	case r.owner != m.owner && r.live():
		return ErrOwned
	}
	r.owner = m.owner
	return nil
}

// Release gives a run up; see [Journal].
func (m *Memory) Release(_ context.Context, run string) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	r, err := m.owned(run)
	if err == nil {
		r.owner = nil
	}
	return err
}

// Events returns the events of a run; see [Journal].
func (m *Memory) Events(_ context.Context, run string) ([]Event, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if r := m.store.runs[run]; r != nil {
		return slices.Clone(r.events), nil
	}
	return nil, ErrNoRun
}

// Sources returns the texts of a run; see [Journal].
func (m *Memory) Sources(_ context.Context, run string) ([]workflow.Source, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if r := m.store.runs[run]; r != nil {
		return slices.Clone(r.entry.Sources), nil
	}
	return nil, ErrNoRun
}

// Runs returns runs, the newest first; see [Journal].
func (m *Memory) Runs(_ context.Context, q RunQuery) ([]RunSummary, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	var runs []RunSummary
	sorted := m.store.sorted()
	slices.Reverse(sorted)
	slices.SortStableFunc(sorted, func(a, b *memoryRun) int { return b.events[0].Time.Compare(a.events[0].Time) })
	for _, r := range sorted {
		s := r.summary()
		if q.chooses(s) && (q.Limit == 0 || len(runs) < q.Limit) {
			runs = append(runs, s)
		}
	}
	return runs, nil
}

func (q *RunQuery) chooses(s RunSummary) bool {
	return strings.HasPrefix(s.Run, q.Run) && (q.Workflow == "" || q.Workflow == s.Workflow) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.Status)) && !s.BegunAt.Before(q.Since)
}

func (r *memoryRun) summary() RunSummary {
	s := RunSummary{
		Run: r.entry.Run, Workflow: r.entry.Workflow, Trigger: r.entry.Trigger, Group: r.entry.Group, Status: r.status(), Live: r.live(),
		Events: len(r.events), BegunAt: r.events[0].Time, EndedAt: r.endedAt(), Simulated: r.entry.Realm == Target{Simulator: "any"}.Realm(),
	}
	if !s.Live && (s.Status == Running || s.Status == Queued) {
		s.Status = Interrupted
	}
	return s
}

// endedAt is when the run ended; zero while it has not.
func (r *memoryRun) endedAt() (at time.Time) {
	for _, e := range r.events {
		switch e.Kind {
		case RunFinished, RunSkipped:
			at = e.Time
		case RunRetried:
			at = time.Time{}
		}
	}
	return at
}

// Previous returns the last successful run of a workflow; see [Journal].
func (m *Memory) Previous(_ context.Context, workflow, realm string) (*Previous, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	var last *Previous
	for _, r := range m.store.sorted() {
		if r.entry.Workflow != workflow || r.entry.Realm != realm || r.status() != Success {
			continue
		}
		if end := r.events[len(r.events)-1]; last == nil || !end.Time.Before(last.EndedAt) {
			last = &Previous{Outputs: end.Outputs, Status: end.Status, EndedAt: end.Time}
		}
	}
	return last, nil
}

// RequestCancel asks for a run to be cancelled; see [Journal].
func (m *Memory) RequestCancel(_ context.Context, run string) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	r := m.store.runs[run]
	if r == nil {
		return ErrNoRun
	}
	r.cancel = true
	return nil
}

// CancelRequested reports whether somebody asked for it; see [Journal].
func (m *Memory) CancelRequested(_ context.Context, run string) (bool, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if r := m.store.runs[run]; r != nil {
		return r.cancel, nil
	}
	return false, ErrNoRun
}
