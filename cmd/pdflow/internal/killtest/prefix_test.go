package killtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// TestReplayEveryPrefix cuts every run of every scenario after every event, and resumes it with a journal in
// memory and another owner. The run must then have the same outputs, and must have done each write once. The
// servers keep what the cut run did.
func TestReplayEveryPrefix(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 5
	}
	for _, s := range corpus {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole := prefixTrial(t, s)
			if found := whole.run(); len(found) > 0 {
				t.Fatalf("without a cut: %v\n%s", found, whole.describe())
			}
			// A run mostly waits, so several run at a time.
			var under sync.WaitGroup
			free := make(chan struct{}, 8)
			for n := 0; n < len(whole.events); n += step {
				free <- struct{}{}
				under.Go(func() {
					f := prefixTrial(t, s)
					f.killPoints = []killPoint{{kept, n}, {kept, 1 + n%7}} // the resumed run is cut too
					if found := f.run(); len(found) > 0 {
						t.Errorf("cut after %d events: %v\n%s", n, found, f.describe())
					}
					<-free
				})
			}
			under.Wait()
		})
	}
}

// prefixTrial returns a trial whose processes are goroutines of this process. The runs that the scenario
// needs before it have ended.
func prefixTrial(t *testing.T, s *scenario) *trial {
	const factor = 20 // how much faster its clock is
	servers := newServers(s, delivered)
	t.Cleanup(servers.server.Close)
	journal := journal.NewMemory()
	next := func(run string) *trial {
		f := newTrial(s, servers, run)
		f.job.Time = scaledClock{Origin: time.Now(), Factor: factor}
		f.journal, f.work = journal, cutOff(journal)
		return f
	}
	for n := range s.before {
		f := next(fmt.Sprintf("R%d", n+1))
		if died, err := f.work(f.job); died || err != nil {
			t.Errorf("a run before the one to be cut: %v", err)
		}
	}
	return next("R0")
}

// errCut is the error of a journal that accepts no more events.
var errCut = errors.New("the journal is cut here")

// A cutJournal accepts a number of events and then no more. It also accepts only the first events of a
// commit, because every prefix of a history must be valid.
type cutJournal struct {
	journal.Journal
	left int
}

// Begin adds a run with the events that are still accepted.
func (j *cutJournal) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	return j.take(events, func(part []run.Event) error { return j.Journal.Begin(ctx, entry, part) })
}

// Append adds the events that are still accepted.
func (j *cutJournal) Append(ctx context.Context, runID string, events []run.Event) error {
	return j.take(events, func(part []run.Event) error { return j.Journal.Append(ctx, runID, part) })
}

func (j *cutJournal) take(events []run.Event, add func([]run.Event) error) error {
	part := events[:min(j.left, len(events))]
	j.left -= len(part)
	if len(part) > 0 {
		if err := add(part); err != nil {
			return err
		}
	}
	if len(part) < len(events) {
		return errCut
	}
	return nil
}

// cutOff returns a function that works on a run in this process until the run ends or its journal is cut.
func cutOff(memory *journal.Memory) func(job) (died bool, err error) {
	return func(j job) (bool, error) {
		owner := memory.Another()
		defer owner.Close()
		var journal journal.Journal = owner
		if j.KillPoint.At != "" {
			journal = &cutJournal{owner, j.KillPoint.Count}
		}
		network := &http.Transport{}
		defer network.CloseIdleConnections()
		err := j.perform(journal, network)
		if errors.Is(err, errCut) {
			return true, nil
		}
		return false, err
	}
}
