package workflow_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

var update = flag.Bool("update", false, "write the expected diagnostics anew")

// A language is a catalogue and a checker to compile files with.
type language struct {
	catalog     *action.Catalog
	interpreter *lua.Interpreter
}

func newLanguage(t testing.TB) language {
	t.Helper()
	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{})...)
	if err != nil {
		t.Fatal(err)
	}
	return language{catalog, lua.New(catalog)}
}

func (l language) compile(name, source string) (*workflow.Plan, error) {
	parsed, _ := workflow.Parse(name, []byte(source))
	return workflow.Compile(parsed, l.catalog, l.interpreter)
}

// TestDiagnostics compares all problems of a broken file with the expected ones in the
// text file of the same name: each problem once, at its place, with a suggestion.
func TestDiagnostics(t *testing.T) {
	l := newLanguage(t)
	files, err := filepath.Glob("testdata/diagnostics/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.compile(filepath.Base(file), string(source))
		if err == nil {
			t.Errorf("%s: got no error", file)
			continue
		}
		got, golden := err.Error()+"\n", strings.TrimSuffix(file, ".yaml")+".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}
