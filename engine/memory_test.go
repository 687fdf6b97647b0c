package engine_test

import (
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/enginetest"
)

// An memoryOwner counts as gone once it is closed, and can still be called.
type memoryOwner struct{ *engine.Memory }

func (o memoryOwner) Lose() error { return o.Close() }

// TestMemory: the journal in memory keeps every word of the interface.
func TestMemory(t *testing.T) {
	enginetest.TestJournal(t, func(testing.TB) func() enginetest.Owner {
		first := engine.NewMemory()
		return func() enginetest.Owner { return memoryOwner{first.Another()} }
	})
}
