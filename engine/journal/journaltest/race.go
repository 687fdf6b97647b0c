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

// together calls do n times concurrently, and returns the errors.
func together(n int, do func(i int) error) []error {
	failed := make([]error, n)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			<-start
			failed[i] = do(i)
		}()
	}
	close(start)
	all.Wait()
	return failed
}

// onlyOne checks that one call succeeded, and that the others were refused.
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
		t.Errorf("%d calls succeeded, want 1", succeeded)
	}
}

// is returns a function that reports whether an error is want.
func is(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

// testParallel: several owners append to their runs at the same time, and every read
// returns all events that were appended before.
func testParallel(t *testing.T, open func() Owner) {
	owners := []Owner{open(), open()}
	const runs, each = 8, 20
	for _, err := range together(runs, func(n int) error {
		id, j := fmt.Sprintf("R%d", n), owners[n%len(owners)]
		if err := j.Begin(ctx, entry(id), events(id, 1, run.EventStarted)); err != nil {
			return err
		}
		for i := range each {
			if err := j.Append(ctx, id, events(id, i+2, run.EventLogged)); err != nil {
				return err
			}
			if got, err := j.Events(ctx, id); err != nil || len(got) != i+2 {
				return fmt.Errorf("got %d events, %w, want %d", len(got), err, i+2)
			}
		}
		return nil
	}) {
		must(t, err)
	}
	for n := range runs {
		id := fmt.Sprintf("R%d", n)
		want := events(id, 1, run.EventStarted)
		for i := range each {
			want = append(want, events(id, i+2, run.EventLogged)...)
		}
		same(t, owners[0], id, want)
	}
}

// testSameNumber: of concurrent events with the same sequence number, one is recorded.
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

// testSameRun: of concurrent runs with the same id, one is stored.
func testSameRun(t *testing.T, open func() Owner) {
	owners := []Owner{open(), open(), open()}
	for n := range 5 {
		id := fmt.Sprintf("R%d", n)
		onlyOne(t, together(9, func(i int) error {
			return owners[i%3].Begin(ctx, entry(id), events(id, 1, run.EventStarted))
		}), is(journal.ErrExists))
	}
}

// testSameGroup: of concurrent runs of a group, one starts.
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

// testAdopters: of owners that adopt a run at the same time, one gets it.
func testAdopters(t *testing.T, open func() Owner) {
	gone := open()
	owners := []Owner{open(), open(), open(), open()}
	for n := range 5 {
		id := fmt.Sprintf("R%d", n)
		must(t, gone.Begin(ctx, entry(id), events(id, 1, run.EventStarted)))
	}
	must(t, gone.Lose())
	for n := range 5 {
		id := fmt.Sprintf("R%d", n)
		onlyOne(t, together(len(owners), func(i int) error {
			if err := owners[i].Adopt(ctx, id); err != nil {
				return err
			}
			return owners[i].Append(ctx, id, events(id, 2, run.EventResumed))
		}), is(journal.ErrOwned))
	}
}

// testCancelled: an Append whose context ends returns nil when the event was recorded, and
// the error of the context when it was not.
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
			t.Fatalf("got the error %v, want the error of the context", err)
		}
		cancel()
		got, err := j.Events(ctx, "R1")
		if err != nil || len(got) != next-1 {
			t.Fatalf("got %d events, %v, want %d", len(got), err, next-1)
		}
	}
}
