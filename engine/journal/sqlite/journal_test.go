package sqlite

import (
	"context"
	"testing"

	"github.com/pdflow/pdflow/engine/journal/journaltest"
)

var background = context.Background()

// open opens the journal of a folder, and closes it at the end of the test.
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

// A lockedOwner can free its lock while it is open. Otherwise only the end of the process
// does that.
type lockedOwner struct{ *Journal }

func (o lockedOwner) Lose() error { return o.owner.lock.Close() }

// TestJournal: the journal in a file behaves as the interface says, and is undamaged at the
// end of every test.
func TestJournal(t *testing.T) {
	journaltest.TestJournal(t, func(t testing.TB) func() journaltest.Owner {
		dir := t.TempDir()
		last := open(t, dir)
		t.Cleanup(func() {
			if damages, err := last.Verify(background); err != nil || len(damages) > 0 {
				t.Errorf("got the damage %v, %v, want none", damages, err)
			}
		})
		return func() journaltest.Owner { return lockedOwner{open(t, dir)} }
	})
}
