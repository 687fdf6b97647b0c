package killtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
)

// TestReplayEveryPrefix cuts every run of the kill test's corpus after every event
// and goes on with it, with a journal in memory and another owner: the outputs
// are the same, and each effect is done once. The world is the one that the cut
// run left behind.
func TestReplayEveryPrefix(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 5
	}
	for _, s := range corpus {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole := prefixFate(t, s)
			if found := whole.play(); len(found) > 0 {
				t.Fatalf("not cut at all: %v\n%s", found, whole.story())
			}
			// Most of the time of a run is spent waiting: several are made at once.
			var under sync.WaitGroup
			free := make(chan struct{}, 8)
			for n := 0; n < len(whole.events); n += step {
				free <- struct{}{}
				under.Go(func() {
					f := prefixFate(t, s)
					f.traps = []trap{{kept, n}, {kept, 1 + n%7}} // what goes on is cut too
					if found := f.play(); len(found) > 0 {
						t.Errorf("cut after %d events: %v\n%s", n, found, f.story())
					}
					<-free
				})
			}
			under.Wait()
		})
	}
}

// prefixFate returns the fate of a run whose lives are in this process, after the
// runs that the scenario wants before it.
func prefixFate(t *testing.T, s *scenario) *fate {
	const factor = 20 // times as fast its clock runs
	town := newTown(s, delivered)
	t.Cleanup(town.server.Close)
	journal := engine.NewMemory()
	next := func(run string) *fate {
		f := newFate(s, town, run)
		f.order.Time = hurriedClock{Origin: time.Now(), Factor: factor}
		f.journal, f.live = journal, cutOff(journal)
		return f
	}
	for n := range s.before {
		f := next(fmt.Sprintf("R%d", n+1))
		if died, err := f.live(f.order); died || err != nil {
			t.Errorf("a run before the one to be cut: %v", err)
		}
	}
	return next("R0")
}

// errCut is why a journal takes no more.
var errCut = errors.New("the run is cut off here")

// A cutJournal takes so many events and then no more. It takes the beginning of
// what is appended together, too: every prefix must make sense.
type cutJournal struct {
	engine.Journal
	left int
}

// Begin enters a run with as many of its events as there is room for.
func (j *cutJournal) Begin(ctx context.Context, entry engine.Entry, events []engine.Event) error {
	return j.take(events, func(part []engine.Event) error { return j.Journal.Begin(ctx, entry, part) })
}

// Append adds as many events as there is room for.
func (j *cutJournal) Append(ctx context.Context, run string, events []engine.Event) error {
	return j.take(events, func(part []engine.Event) error { return j.Journal.Append(ctx, run, part) })
}

func (j *cutJournal) take(events []engine.Event, add func([]engine.Event) error) error {
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

// cutOff lives in this process until the run ends or its journal is cut off.
func cutOff(memory *engine.Memory) func(order) (died bool, err error) {
	return func(o order) (bool, error) {
		owner := memory.Another()
		defer owner.Close()
		var journal engine.Journal = owner
		if o.Trap.At != "" {
			journal = &cutJournal{owner, o.Trap.Count}
		}
		network := &http.Transport{}
		defer network.CloseIdleConnections()
		err := o.perform(journal, network)
		if errors.Is(err, errCut) {
			return true, nil
		}
		return false, err
	}
}
