package journal_test

import (
	"testing"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/journal/journaltest"
)

// A memoryOwner counts as gone once it is closed, and can still be called.
type memoryOwner struct{ *journal.Memory }

func (o memoryOwner) Lose() error { return o.Close() }

// TestMemory: the journal in memory behaves as the interface says.
func TestMemory(t *testing.T) {
	journaltest.TestJournal(t, func(testing.TB) func() journaltest.Owner {
		first := journal.NewMemory()
		return func() journaltest.Owner { return memoryOwner{first.Another()} }
	})
}
