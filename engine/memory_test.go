package engine_test

import (
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/enginetest"
)

func TestMemory(t *testing.T) {
	enginetest.TestJournal(t, func(testing.TB) func() enginetest.Owner {
		first := engine.NewMemory()
		return func() enginetest.Owner { return first.Another() }
	})
}
