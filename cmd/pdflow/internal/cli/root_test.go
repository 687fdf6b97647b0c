package cli

import (
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

// TestCommandNames: each command has the name of its constructor.
func TestCommandNames(t *testing.T) {
	for name, make := range commands() {
		if got := make(&setup.Environment{}).Name(); got != name {
			t.Errorf("got the command %q under the name %q", got, name)
		}
	}
}
