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

// TestHostileScripts runs scripts that attack their interpreter. Each ends within
// its budget in the way that its first line tells: with a harmless value, or with
// an error of a kind. The next script finds everything as it was.
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

// attack runs a script that is expected to end in a value or in a kind of error.
func attack(t *testing.T, source, expected string) {
	t.Helper()
	m := newMachine(t)
	m.env.Random = func() uint64 { return 4 }
	m.env.Limits = workflow.Limits{Instructions: 1_000_000} // and no time: what does not end by them hangs the test
	program := m.compile(t, workflow.Script, source)
	v, err := m.open().Eval(program)
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
