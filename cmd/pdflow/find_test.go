package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
)

// TestFindRun: a run is named by its id, the beginning of its id, or last. The message about a wrong name has
// a suggestion.
func TestFindRun(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "simple.yaml")
	if err := os.WriteFile(file, []byte("steps: [{uses: uuid.new}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"XDG_STATE_HOME": folder}
	for range 2 {
		if ran := clitest.Run(t, environment, "run", file, "-q"); ran.Code != console.ExitDone {
			t.Fatalf("got exit code %d: %s", ran.Code, ran.Stderr)
		}
	}
	var listed []struct{ Run string }
	if err := json.Unmarshal([]byte(clitest.Run(t, environment, "runs", "list", "-o", "json").Stdout), &listed); err != nil || len(listed) != 2 {
		t.Fatalf("got the runs %v and the error %v, want two", listed, err)
	}
	newest, oldest := listed[0].Run, listed[1].Run
	mistyped := newest[:len(newest)-1] + "U" // no id has this letter
	for _, test := range []struct {
		name string
		want string // the run, or a part of the message
		code int
	}{
		{"last", newest, console.ExitDone},
		{oldest, oldest, console.ExitDone},
		{oldest[:len(oldest)-1], oldest, console.ExitDone},
		{newest[:6], "several runs begin with " + newest[:6], console.ExitUsage},
		{mistyped, "there is no run " + mistyped + " (did you mean " + newest, console.ExitUsage},
		{"nonsense", "there is no run nonsense; `pdflow runs list` lists them", console.ExitUsage},
	} {
		ran := clitest.Run(t, environment, "runs", "show", test.name)
		if ran.Code != test.code || !strings.Contains(ran.Screen, test.want) {
			t.Errorf("runs show %s: got exit code %d and\n%s\nwant %d and %q", test.name, ran.Code, ran.Screen, test.code, test.want)
		}
	}
}
