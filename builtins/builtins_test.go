package builtins

import (
	"os"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// TestReferenceHasEveryAction checks the list of actions, and the fields and effect of
// each, against the reference page, which people read when it changes.
func TestReferenceHasEveryAction(t *testing.T) {
	page, err := os.ReadFile("../docs/actions.md")
	if err != nil {
		t.Fatal(err)
	}
	actions := Actions(Config{})
	for _, a := range actions {
		if !strings.Contains(string(page), a.Markdown()) {
			t.Errorf("docs/actions.md does not have %s as it is declared; run `make generate`", a.Name)
		}
	}
	if got := strings.Count(string(page), "\n### "); got != len(actions) {
		t.Errorf("docs/actions.md has %d actions, want %d; run `make generate`", got, len(actions))
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	for _, a := range Actions(Config{}) {
		if !strings.HasSuffix(a.Summary, ".") {
			t.Errorf("%s: the summary %q is not a sentence", a.Name, a.Summary)
		}
		checkDocs(t, a.Name, a.In)
		checkDocs(t, a.Name, a.Out)
		if len(a.Args) > 0 && !a.Spread {
			t.Errorf("%s takes inputs by position but returns its outputs as a table", a.Name)
		}
		if a.Effect.Writes() && a.Example == nil {
			t.Errorf("%s writes and has no example to show instead", a.Name)
		}
	}
}

func checkDocs(t *testing.T, name string, s *action.Schema) {
	t.Helper()
	for _, f := range s.Fields {
		if f.Doc == "" {
			t.Errorf("%s: %s has no doc", name, f.Name)
		}
		if f.Type.Fields != nil {
			checkDocs(t, name+": "+f.Name, f.Type.Fields)
		}
	}
}

// TestExamplesHaveTheRightShape checks the examples against the outputs that they replace
// in a dry run.
func TestExamplesHaveTheRightShape(t *testing.T) {
	for _, a := range Actions(Config{}) {
		if problems := a.Out.Check(a.Example); len(problems) > 0 {
			t.Errorf("%s: %v", a.Name, problems)
		}
	}
}
