package runs

import (
	"errors"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
)

// TestExplain: the error of a run that could not be recorded has the command that resumes the run.
func TestExplain(t *testing.T) {
	broken := &engine.JournalError{Run: "01A", Err: errors.New("the disk is full")}
	for _, test := range []struct {
		name string
		x    *execution
		want string
	}{
		{"recorded", &execution{target: &setup.Target{}, recorded: &setup.Runs{Folder: setup.DataFolder{Flag: "a b"}}, secretInputs: []string{"token"}}, "\n  pdflow runs resume 01A --data-dir 'a b' -i token=..."},
		{"simulated", &execution{target: &setup.Target{Simulator: &setup.Simulator{}}, recorded: &setup.Runs{}}, "the disk is full"},
	} {
		err := test.x.explain(broken)
		if code := console.ExitCode(err); code != console.ExitFailed || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: got exit code %d and %q, want %d and a text that ends with %q", test.name, code, err, console.ExitFailed, test.want)
		}
	}
}
