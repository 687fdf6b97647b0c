package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine"
)

// TestDataDir proves where the journal is.
func TestDataDir(t *testing.T) {
	home, state := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "state")
	for _, test := range []struct {
		name        string
		flag        string
		environment map[string]string
		want        string // "": an error
	}{
		{"the flag wins", "here", map[string]string{"XDG_STATE_HOME": state, "HOME": home}, "here"},
		{"XDG_STATE_HOME", "", map[string]string{"XDG_STATE_HOME": state, "HOME": home}, filepath.Join(state, "pdflow")},
		{"relative paths in XDG_STATE_HOME are invalid, the specification says", "", map[string]string{"XDG_STATE_HOME": "state", "HOME": home}, filepath.Join(home, ".local", "state", "pdflow")},
		{"HOME", "", map[string]string{"HOME": home}, filepath.Join(home, ".local", "state", "pdflow")},
		{"USERPROFILE", "", map[string]string{"USERPROFILE": home}, filepath.Join(home, ".local", "state", "pdflow")},
		{"nothing", "", nil, ""},
	} {
		p := &program{getenv: func(name string) string { return test.environment[name] }}
		got, err := p.dataDir(dataFolder{test.flag})
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: got %q and the error %v, want %q", test.name, got, err, test.want)
		}
	}
}

// TestFindRun proves how a run is named: by its id, the beginning of it, or last,
// and what a wrong name is told.
func TestFindRun(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "simple.yaml")
	if err := os.WriteFile(file, []byte("steps: [{uses: uuid.new}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"XDG_STATE_HOME": folder}
	for range 2 {
		if ran := runProgram(t, environment, "run", file, "-q"); ran.code != exitDone {
			t.Fatalf("got exit code %d: %s", ran.code, ran.stderr)
		}
	}
	var listed []struct{ Run string }
	if err := json.Unmarshal([]byte(runProgram(t, environment, "runs", "list", "-o", "json").stdout), &listed); err != nil || len(listed) != 2 {
		t.Fatalf("got the runs %v and the error %v, want two", listed, err)
	}
	newest, oldest := listed[0].Run, listed[1].Run
	mistyped := newest[:len(newest)-1] + "U" // no id has this letter
	for _, test := range []struct {
		name string
		want string // the run, or a part of the message
		code int
	}{
		{"last", newest, exitDone},
		{oldest, oldest, exitDone},
		{oldest[:len(oldest)-1], oldest, exitDone},
		{newest[:6], "several runs begin with " + newest[:6], exitUsage},
		{mistyped, "there is no run " + mistyped + " (did you mean " + newest, exitUsage},
		{"nonsense", "there is no run nonsense; `pdflow runs list` lists them", exitUsage},
	} {
		ran := runProgram(t, environment, "runs", "show", test.name)
		if ran.code != test.code || !strings.Contains(ran.screen, test.want) {
			t.Errorf("runs show %s: got exit code %d and\n%s\nwant %d and %q", test.name, ran.code, ran.screen, test.code, test.want)
		}
	}
}

// TestExplain proves that a run that could not be recorded says how to go on.
func TestExplain(t *testing.T) {
	broken := &engine.JournalError{Run: "01A", Err: errors.New("the disk is full")}
	for _, test := range []struct {
		name string
		x    *execution
		want string
	}{
		{"recorded", &execution{site: &site{}, journal: &journalFolder{folder: dataFolder{"a b"}}, secretInputs: []string{"token"}}, "`pdflow runs resume 01A --data-dir 'a b' -i token=...` goes on with it"},
		{"simulated", &execution{site: &site{simulator: &localSimulator{}}, journal: &journalFolder{}}, "the disk is full"},
	} {
		err := test.x.explain(broken)
		if code := exitCodeOf(err); code != exitFailed || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: got exit code %d and %q, want %d and a text that ends with %q", test.name, code, err, exitFailed, test.want)
		}
	}
}
