package sqlite

import (
	"context"
	"testing"

	"github.com/pdflow/pdflow/engine/journal/journaltest"
)

var background = context.Background()

// open opens the journal of a folder until the end of the test.
func open(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// A lockedOwner can free its lock while it is open, as only the end of its
// process does otherwise.
type lockedOwner struct{ *Journal }

func (o lockedOwner) Lose() error { return o.owner.lock.Close() }

// TestJournal: the journal in a file keeps every word of the interface, and what
// the tests left is whole.
func TestJournal(t *testing.T) {
	journaltest.TestJournal(t, func(t testing.TB) func() journaltest.Owner {
		dir := t.TempDir()
		last := open(t, dir)
		t.Cleanup(func() {
			if damages, err := last.Verify(background); err != nil || len(damages) > 0 {
				t.Errorf("got the damages %v, %v, want none", damages, err)
			}
		})
		return func() journaltest.Owner { return lockedOwner{open(t, dir)} }
	})
}
