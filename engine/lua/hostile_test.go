package lua_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestHostileScripts: scripts that attack their interpreter end within their budget, as
// their first line says: with a harmless value, or with an error of a kind. The next
// script runs in an unchanged environment.
func TestHostileScripts(t *testing.T) {
	files, err := fs.Glob(os.DirFS("testdata/hostile"), "*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v, want scripts", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".lua"), func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join("testdata/hostile", file))
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(source), "\n")
			attack(t, string(source), strings.TrimPrefix(first, "-- expect: "))
		})
	}
}

// attack runs a script that must end with a value or with an error of a kind.
func attack(t *testing.T, source, expected string) {
	t.Helper()
	m := newMachine(t)
	m.env.Random = func() uint64 { return 4 }
	m.env.Limits = workflow.Limits{Instructions: 1_000_000} // no time limit: a script that the instructions do not stop hangs the test
	compiled := m.compile(t, workflow.Script, source)
	v, err := m.open().Eval(compiled)
	got := "value"
	var failure *attempt.ScriptError
	if errors.As(err, &failure) {
		got = string(failure.Err.Kind)
	} else if err != nil {
		t.Fatalf("got the error %v, want one with its place", err)
	}
	if got != expected {
		t.Errorf("got %s: %v %v, want %s", got, v, err, expected)
	}
	text, err := json.Marshal(v)
	if err != nil || strings.Contains(string(text), "0x") || strings.Contains(string(text), "evil") && !strings.Contains(source, "'evil'") {
		t.Errorf("got the value %s, %v, want harmless data", text, err)
	}
	if after := m.value(t, probe); after != clean {
		t.Errorf("got %q from the next script, want %q", after, clean)
	}
}
