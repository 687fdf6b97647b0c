package journaltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// together does something n times at once, and returns the errors.
func together(n int, do func(i int) error) []error {
	failed := make([]error, n)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			<-begin
			failed[i] = do(i)
		}()
	}
	close(begin)
	all.Wait()
	return failed
}

// onlyOne checks that one of several succeeded, and the others were refused.
func onlyOne(t *testing.T, got []error, refused func(error) bool) {
	t.Helper()
	succeeded := 0
	for _, err := range got {
		switch {
		case err == nil:
			succeeded++
		case !refused(err):
			t.Errorf("got the error %v", err)
		}
	}
	if succeeded != 1 {
		t.Errorf("got %d that succeeded, want 1", succeeded)
	}
}

func is(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

// testParallel: runs of several owners are written at the same time, each in its
// own order, and read meanwhile.
func testParallel(t *testing.T, open func() Owner) {
	owners := []Owner{open(), open()}
	const runs, each = 8, 20
	for _, err := range together(runs, func(n int) error {
		runID, j := fmt.Sprintf("R%d", n), owners[n%len(owners)]
		if err := j.Begin(ctx, entry(runID), events(runID, 1, run.EventStarted)); err != nil {
			return err
		}
		for i := range each {
			if err := j.Append(ctx, runID, events(runID, i+2, run.EventLogged)); err != nil {
				return err
			}
			if got, err := j.Events(ctx, runID); err != nil || len(got) != i+2 {
				return fmt.Errorf("got %d events, %w, want %d", len(got), err, i+2)
			}
		}
		return nil
	}) {
		must(t, err)
	}
	for n := range runs {
		runID := fmt.Sprintf("R%d", n)
		want := events(runID, 1, run.EventStarted)
		for i := range each {
			want = append(want, events(runID, i+2, run.EventLogged)...)
		}
		same(t, owners[0], runID, want)
	}
}

// testSameNumber: of several events with one number one is recorded.
func testSameNumber(t *testing.T, open func() Owner) {
	j := open()
	must(t, j.Begin(ctx, entry("R1"), events("R1", 1, run.EventStarted)))
	want := events("R1", 1, run.EventStarted)
	for n := range 5 {
		onlyOne(t, together(8, func(int) error { return j.Append(ctx, "R1", events("R1", n+2, run.EventLogged)) }), is(journal.ErrSequence))
		want = append(want, events("R1", n+2, run.EventLogged)...)
	}
	same(t, j, "R1", want)
}

// testSameRun: of several runs with one id one begins.
func testSameRun(t *testing.T, open func() Owner) {
	owners := []Owner{open(), open(), open()}
	for n := range 5 {
		runID := fmt.Sprintf("R%d", n)
		onlyOne(t, together(9, func(i int) error {
			return owners[i%3].Begin(ctx, entry(runID), events(runID, 1, run.EventStarted))
		}), is(journal.ErrExists))
	}
}

// testSameGroup: of several runs of a group one starts.
func testSameGroup(t *testing.T, open func() Owner) {
	owners := []Owner{open(), open(), open()}
	for n := range 5 {
		group := fmt.Sprintf("g%d", n)
		onlyOne(t, together(9, func(i int) error {
			return begin(owners[i%3], fmt.Sprintf("R%d-%d", n, i), group, run.EventStarted)
		}), func(err error) bool {
			var busy *journal.BusyError
			return errors.As(err, &busy)
		})
	}
}

// testAdopters: of several that adopt a run one gets it.
func testAdopters(t *testing.T, open func() Owner) {
	gone := open()
	owners := []Owner{open(), open(), open(), open()}
	for n := range 5 {
		runID := fmt.Sprintf("R%d", n)
		must(t, gone.Begin(ctx, entry(runID), events(runID, 1, run.EventStarted)))
	}
	must(t, gone.Lose())
	for n := range 5 {
		runID := fmt.Sprintf("R%d", n)
		onlyOne(t, together(len(owners), func(i int) error {
			if err := owners[i].Adopt(ctx, runID); err != nil {
				return err
			}
			return owners[i].Append(ctx, runID, events(runID, 2, run.EventResumed))
		}), is(journal.ErrOwned))
	}
}

// testCancelled: whoever gives up waiting knows whether it was recorded.
func testCancelled(t *testing.T, open func() Owner) {
	j := open()
	must(t, j.Begin(ctx, entry("R1"), events("R1", 1, run.EventStarted)))
	next := 2
	for range 50 {
		ending, cancel := context.WithCancel(ctx)
		go cancel()
		err := j.Append(ending, "R1", events("R1", next, run.EventLogged))
		if err == nil {
			next++
		} else if !errors.Is(err, context.Canceled) {
			t.Fatalf("got the error %v, want that of the context", err)
		}
		cancel()
		got, err := j.Events(ctx, "R1")
		if err != nil || len(got) != next-1 {
			t.Fatalf("got %d events, %v, want %d", len(got), err, next-1)
		}
	}
}
