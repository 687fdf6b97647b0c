package sqlite

import (
	"testing"

	"github.com/pdflow/pdflow/engine/enginetest"
)

// open opens the journal of a folder.
func open(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJournal(t *testing.T) {
	enginetest.TestJournal(t, func(t testing.TB) func() enginetest.Owner {
		dir := t.TempDir()
		return func() enginetest.Owner { return open(t, dir) }
	})
}
