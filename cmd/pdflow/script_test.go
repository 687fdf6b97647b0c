package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/workflows"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // before any goroutine uses it: expected outputs have times in UTC
	testscript.Main(m, map[string]func(){"pdflow": main})
}

// The keys that scripts put into the environment. No output may contain one.
var scriptKeys = map[string]string{
	"API_KEY":     "u+TestKeyThatIsTwen1",
	"EUROPE_KEY":  "u+TestKeyOfEuropean1",
	"SERVICE_KEY": "0123456789abcdef0123456789abcdef",
	"TOKEN":       "canary-token-5f0e8d",
}

// TestScript runs the scripts in testdata/script, which use the command line as people and programs do. All
// output is searched for the keys.
func TestScript(t *testing.T) {
	testscript.RunT(leakT{T: t}, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for name, key := range scriptKeys {
				env.Setenv(name, key)
			}
			// Scripts must not use the keys of the machine.
			for _, name := range append(append([]string{}, setup.APIKeyVariables...), setup.ServiceKeyVariables...) {
				env.Setenv(name, "")
			}
			env.Setenv("NO_COLOR", "1")
			env.Setenv("TZ", "UTC")
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			if err := os.CopyFS(filepath.Join(env.WorkDir, "workflows"), workflows.Files); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "key.txt"), []byte(scriptKeys["API_KEY"]+"\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"simulate": cmdSimulate,
			"expand":   cmdExpand,
			"exits":    cmdExits,
			"gate":     cmdGate,
			"keyless":  cmdKeyless,
			"until":    cmdUntil,
			"damage":   cmdDamage,
		},
	})
}

// A leakT is a testing.T that fails if a log contains a key.
type leakT struct{ *testing.T }

// Run runs a script as a subtest.
func (t leakT) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(sub *testing.T) { f(leakT{sub}) })
}

// Verbose makes scripts log everything, so that everything is searched.
func (t leakT) Verbose() bool { return true }

// Log searches the output of the script. The environment of the script, which comes first and ends with an
// empty line, contains the keys.
func (t leakT) Log(args ...any) {
	for _, arg := range args {
		text, _ := arg.(string)
		if _, printed, ok := strings.Cut(text, "\n\n"); ok {
			text = printed
		}
		if leak := leakOf(text); leak != "" {
			t.Errorf("an output contains the key %s", leak)
		}
	}
	if testing.Verbose() || t.Failed() {
		t.T.Log(args...)
	}
}

// cmdSimulate serves a simulator for the rest of the script, with the keys of scriptKeys, and points the
// environment at it: `simulate`. With a name it serves another account: `simulate EUROPE` sets EUROPE_URL,
// and the account has the key of EUROPE_KEY.
func cmdSimulate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: simulate [NAME]")
	}
	options := simulatorKeys()
	if len(args) > 0 {
		options = []simulator.Option{simulator.WithAPIKey(scriptKeys[args[0]+"_KEY"]), simulator.WithServiceKey("Database", scriptKeys["SERVICE_KEY"])}
	}
	s, err := setup.StartSimulator("127.0.0.1:0", options...)
	ts.Check(err)
	ts.Defer(s.Stop)
	if len(args) > 0 {
		ts.Setenv(args[0]+"_URL", s.URL)
		return
	}
	ts.Setenv("PAGERDUTY_API_URL", s.URL)
	ts.Setenv("PAGERDUTY_EVENTS_URL", s.URL)
	ts.Setenv("PAGERDUTY_API_KEY", scriptKeys["API_KEY"])
	ts.Setenv("PAGERDUTY_SERVICE_KEY", scriptKeys["SERVICE_KEY"])
}

// cmdExpand copies a file and replaces the variables in it: `expand FROM TO`.
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: expand FROM TO")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// cmdExits runs a command that must end with an exit code: `exits CODE COMMAND ARG...`.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("got exit code %d, want %d", got, want)
	}
}

func simulatorKeys() []simulator.Option {
	return []simulator.Option{
		simulator.WithAPIKey(scriptKeys["API_KEY"]), simulator.WithServiceKey("Database", scriptKeys["SERVICE_KEY"]),
	}
}
