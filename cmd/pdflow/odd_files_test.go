//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
)

// oddFiles makes a folder in which every way to name a file leads to something that is not a
// regular file of a usual size, next to a good workflow and its test. Broken are the
// workflows that cannot be used.
func oddFiles(t *testing.T) (folder string, broken []string) {
	t.Helper()
	folder = t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) { t.Helper(); must(os.WriteFile(in(name), []byte(text), 0o600)) }
	// odd makes files with an extension: a pipe, a link to it, a device, a large file.
	odd := func(prefix, extension string) (names []string) {
		t.Helper()
		for kind, make := range map[string]func(string) error{
			"pipe":   func(name string) error { return syscall.Mkfifo(name, 0o600) },
			"link":   func(name string) error { return os.Symlink(prefix+"pipe"+extension, name) },
			"zero":   func(name string) error { return os.Symlink("/dev/zero", name) },
			"stdin":  func(name string) error { return os.Symlink("/dev/stdin", name) },
			"tty":    func(name string) error { return os.Symlink("/dev/tty", name) },
			"sparse": func(name string) error { return errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, 40<<30)) },
			"self":   func(name string) error { return os.Symlink(filepath.Base(name), name) },
		} {
			must(make(in(prefix + kind + extension)))
			names = append(names, prefix+kind)
		}
		return names
	}
	write("good.yaml", "schedule: \"0 9 * * *\"\ninputs: {n: {type: string, default: x}}\nsteps: [{uses: log.info, with: {message: hello}}]\n")
	write("good.test.txtar", "run good.yaml\n")
	for _, name := range odd("flow-", ".yaml") {
		broken = append(broken, name+".yaml")
	}
	for i, name := range append(odd("script-", ".lua"), odd("lib-", ".lua")...) {
		text := "steps: [{lua_file: " + name + ".lua}]\n"
		if i%2 > 0 {
			text = "steps:\n  - lua: |\n      return require(\"" + name + "\")\n"
		}
		write("uses-"+name+".yaml", text)
		broken = append(broken, "uses-"+name+".yaml")
	}
	for _, name := range odd("world-", ".world.yaml") {
		write(name+".yaml", "steps: [{uses: log.info, with: {message: hello}}]\n")
		broken = append(broken, name+".yaml")
	}
	odd("test-", ".test.txtar")
	odd("input-", ".txt")
	return folder, broken
}

// child returns pdflow as a process of its own that may use little memory.
func child(folder string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	c := &exec.Cmd{Path: os.Args[0], Args: append([]string{"pdflow"}, args...), Env: []string{"HOME=" + folder, "GOMEMLIMIT=200MiB"}}
	var printed bytes.Buffer
	c.Stdout, c.Stderr = &printed, &printed
	return c, &printed
}

// checkMemory fails the test if a process used much memory.
func checkMemory(t *testing.T, c *exec.Cmd) {
	t.Helper()
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if ok && usage.Maxrss > 400<<10 && usage.Maxrss < 400<<20 { // in KB, but on macOS in bytes
		t.Errorf("the process took %d MB, want at most 400", usage.Maxrss>>10)
	}
}

// TestA18DaemonWithOddFiles: a daemon whose folder has pipes, devices and large files, also as
// Lua files and worlds, serves the other workflows, also when such files are added, and ends
// on SIGTERM.
func TestA18DaemonWithOddFiles(t *testing.T) {
	t.Run("simulated", func(t *testing.T) { serveOddFiles(t, true) })
	t.Run("real", func(t *testing.T) { serveOddFiles(t, false) })
}

func serveOddFiles(t *testing.T, simulate bool) {
	folder, broken := oddFiles(t)
	data := t.TempDir()
	c, _ := child(data, "serve", folder, "--log-format", "json")
	if simulate {
		c.Args = append(c.Args, "--simulate")
	} else {
		c.Args = append(c.Args, "--data-dir", data)
		broken = broken[:len(broken)-7] // the worlds are not read
	}
	c.Stderr = nil
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }()
	lines := bufio.NewScanner(stderr)
	log := ""
	until := func(done func() bool) {
		for !done() {
			if !lines.Scan() {
				t.Fatalf("the daemon ended, and has logged:\n%s", log)
			}
			log += lines.Text() + "\n"
		}
	}
	names := func(name string) func() bool {
		return func() bool { return strings.Contains(log, filepath.Join(folder, name)) }
	}
	for _, name := range broken {
		until(names(name))
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "late.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(names("late.yaml"))
	if err := os.WriteFile(filepath.Join(folder, "good.yaml"), []byte("name: better\nschedule: \"0 9 * * *\"\nsteps: [{uses: log.info, with: {message: hello}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(func() bool { return strings.Contains(log, "better") })
	if !simulate {
		list, printed := child(data, "schedule", "list", "--data-dir", data)
		if err := list.Run(); err != nil || !strings.Contains(printed.String(), "better") {
			t.Errorf("schedule list: %v\n%s", err, printed)
		}
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		log += lines.Text() + "\n"
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the daemon ended with %v after\n%s", err, log)
	}
	checkMemory(t, c)
}

// TestA18CommandsWithOddFiles: check, schedule list and test of such a folder name what cannot
// be read, and use the rest.
func TestA18CommandsWithOddFiles(t *testing.T) {
	folder, broken := oddFiles(t)
	for _, test := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"check", folder}, console.ExitInvalid, broken[:3*7]},
		{[]string{"check", folder, "--reach"}, console.ExitInvalid, append([]string{"good.yaml"}, broken[:3*7]...)},
		{[]string{"schedule", "list", folder}, console.ExitInvalid, append([]string{"good "}, broken[:3*7]...)},
		{[]string{"test", folder}, console.ExitFailed, []string{"1 passed, 7 failed", "test-pipe.test.txtar", "test-zero.test.txtar"}},
		{[]string{"test", folder, "--update"}, console.ExitFailed, []string{"1 passed, 7 failed"}},
	} {
		t.Run(strings.Join(test.args[:1], " "), func(t *testing.T) {
			c, printed := child(folder, test.args...)
			_ = c.Run()
			if got := c.ProcessState.ExitCode(); got != test.code {
				t.Errorf("got exit code %d, want %d", got, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(printed.String(), want) {
					t.Errorf("got\n%s\nwant %q", printed, want)
				}
			}
			checkMemory(t, c)
		})
	}
}

// TestA18NamedFiles: what a person names may be a pipe or /dev/null, but nothing without end.
func TestA18NamedFiles(t *testing.T) {
	folder, _ := oddFiles(t)
	in := func(name string) string { return filepath.Join(folder, name) }
	good := in("good.yaml")
	for name, test := range map[string]struct {
		args      []string
		variables []string
		piped     string // written to pipe
		code      int
		want      string
	}{
		"an input from a pipe":          {[]string{"run", "--simulate", good, "-i", "n=@" + in("input-pipe.txt")}, nil, "ok\n", 0, "hello"},
		"an input file from a pipe":     {[]string{"run", "--simulate", good, "--input-file", in("input-pipe.txt")}, nil, "n: ok\n", 0, "hello"},
		"a workflow from a pipe":        {[]string{"run", "--simulate", in("flow-pipe.yaml")}, nil, "steps: [{uses: log.info, with: {message: piped}}]", 0, "piped"},
		"a pipe to check":               {[]string{"check", in("flow-pipe.yaml")}, nil, "steps: []", 3, "flow-pipe.yaml:1"},
		"a world from a pipe":           {[]string{"run", "--simulate", good, "--world", in("input-pipe.txt")}, nil, "http: {}", 0, "hello"},
		"a seed from a pipe":            {[]string{"run", "--simulate", good, "--seed", in("input-pipe.txt")}, nil, "users: []", 0, "hello"},
		"a key from a pipe":             {[]string{"run", "--dry-run", in("page.yaml")}, []string{"PAGERDUTY_SERVICE_KEY_FILE=" + in("input-pipe.txt")}, "0123456789abcdef0123456789abcdef\n", 0, "would send 1 request"},
		"a configuration from a pipe":   {[]string{"check", good, "--config", in("input-pipe.txt")}, nil, "limits: {time: 1s}", 0, "no problems"},
		"no configuration":              {[]string{"check", good, "--config", "/dev/null"}, nil, "", 0, "no problems"},
		"an empty input":                {[]string{"run", "--simulate", good, "-i", "n=@/dev/null"}, nil, "", 0, "hello"},
		"an input without end":          {[]string{"run", "--simulate", good, "-i", "n=@/dev/zero"}, nil, "", 2, "/dev/zero has more than 16777216 bytes"},
		"an input through a link":       {[]string{"run", "--simulate", good, "-i", "n=@" + in("input-zero.txt")}, nil, "", 2, "more than 16777216 bytes"},
		"an input of 40 GB":             {[]string{"run", "--simulate", good, "-i", "n=@" + in("input-sparse.txt")}, nil, "", 2, "42949672960 bytes, at most 16777216 are read"},
		"an input that is a folder":     {[]string{"run", "--simulate", good, "-i", "n=@" + folder}, nil, "", 2, "is a folder"},
		"an input file without end":     {[]string{"run", "--simulate", good, "--input-file", "/dev/zero"}, nil, "", 2, "more than 16777216 bytes"},
		"a workflow without end":        {[]string{"run", "--simulate", "/dev/zero"}, nil, "", 2, "more than 1048576 bytes"},
		"a workflow of 40 GB":           {[]string{"check", in("flow-sparse.yaml")}, nil, "", 2, "at most 1048576 are read"},
		"a test without end":            {[]string{"test", in("test-zero.test.txtar")}, nil, "", 1, "is not a regular file but a device"},
		"a test of 40 GB":               {[]string{"test", in("test-sparse.test.txtar")}, nil, "", 1, "at most 1048576 are read"},
		"a world without end":           {[]string{"run", "--simulate", good, "--world", "/dev/zero"}, nil, "", 2, "more than 1048576 bytes"},
		"faults of 40 GB":               {[]string{"run", "--simulate", good, "--faults", in("input-sparse.txt")}, nil, "", 2, "at most 1048576 are read"},
		"a configuration of 40 GB":      {[]string{"check", good, "--config", in("input-sparse.txt")}, nil, "", 2, "at most 1048576 are read"},
		"a key without end":             {[]string{"connection", "test"}, []string{"PAGERDUTY_API_KEY_FILE=/dev/zero"}, "", 2, "more than 65536 bytes"},
		"a key of 40 GB":                {[]string{"connection", "test"}, []string{"PAGERDUTY_API_KEY_FILE=" + in("input-sparse.txt")}, "", 2, "at most 65536 are read"},
		"certificates without end":      {[]string{"connection", "test"}, []string{"PAGERDUTY_API_KEY=u+TestKeyThatIsTwen1", "PAGERDUTY_CA_FILE=/dev/zero"}, "", 2, "more than 1048576 bytes"},
		"an input to record, unending":  {[]string{"test", "--record", good, "-i", "n=@/dev/zero", "--update"}, nil, "", 2, "more than 1048576 bytes"},
		"a world to record, of 40 GB":   {[]string{"test", "--record", good, "--world", in("input-sparse.txt"), "--update"}, nil, "", 2, "at most 1048576 are read"},
		"the world next to it, a pipe":  {[]string{"run", "--simulate", in("world-pipe.yaml")}, nil, "", 2, "is not a regular file but a named pipe"},
		"the world next to it, unended": {[]string{"run", "--simulate", in("world-zero.yaml")}, nil, "", 2, "is a link that leaves the folder"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(in("page.yaml"), []byte("permissions: {pagerduty: [send_trigger_event]}\nsteps: [{uses: pagerduty.send_trigger_event, with: {description: x, incident_key: y}}]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c, printed := child(folder, test.args...)
			c.Env = append(c.Env, test.variables...)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if test.piped != "" {
				name := "input-pipe.txt"
				if strings.Contains(fmt.Sprint(test.args), "flow-pipe") {
					name = "flow-pipe.yaml"
				}
				if err := os.WriteFile(in(name), []byte(test.piped), 0o600); err != nil { // waits for the reader
					t.Fatal(err)
				}
			}
			_ = c.Wait()
			if got := c.ProcessState.ExitCode(); got != test.code || !strings.Contains(printed.String(), test.want) {
				t.Errorf("got exit code %d and\n%s\nwant %d and %q", got, printed, test.code, test.want)
			}
			checkMemory(t, c)
		})
	}
}

// TestA18PipeIsInterrupted: a command that waits for a pipe ends with the first signal.
func TestA18PipeIsInterrupted(t *testing.T) {
	folder, _ := oddFiles(t)
	pipe, good := filepath.Join(folder, "input-pipe.txt"), filepath.Join(folder, "good.yaml")
	for name, test := range map[string]struct {
		args, variables []string
		signal          syscall.Signal
		code            int
	}{
		"an input":           {[]string{"run", "--simulate", good, "-i", "n=@" + pipe}, nil, syscall.SIGINT, console.ExitInterrupted},
		"an input file":      {[]string{"run", "--simulate", good, "--input-file", pipe}, nil, syscall.SIGTERM, console.ExitTerminated},
		"a workflow":         {[]string{"check", pipe}, nil, syscall.SIGINT, console.ExitInterrupted},
		"a world":            {[]string{"run", "--simulate", good, "--world", pipe}, nil, syscall.SIGINT, console.ExitInterrupted},
		"the configuration":  {[]string{"check", good, "--config", pipe}, nil, syscall.SIGTERM, console.ExitTerminated},
		"a key":              {[]string{"connection", "test"}, []string{"PAGERDUTY_API_KEY_FILE=" + pipe}, syscall.SIGINT, console.ExitInterrupted},
		"an input to record": {[]string{"test", "--record", "--update", good, "-i", "n=@" + pipe}, nil, syscall.SIGINT, console.ExitInterrupted},
		"a key of a daemon":  {[]string{"serve", folder, "--data-dir", folder}, []string{"PAGERDUTY_API_KEY_FILE=" + pipe}, syscall.SIGTERM, console.ExitTerminated},
	} {
		t.Run(name, func(t *testing.T) {
			c, printed := child(folder, test.args...)
			c.Env = append(c.Env, test.variables...)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Process.Kill() }()
			w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := c.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait()
			if got := c.ProcessState.ExitCode(); got != test.code {
				t.Errorf("got exit code %d and\n%s\nwant %d", got, printed, test.code)
			}
		})
	}
}

// TestA18StoredAlerts: the daemon does not wait for a pipe that stands where its state should be.
func TestA18StoredAlerts(t *testing.T) {
	folder, _ := oddFiles(t)
	if err := syscall.Mkfifo(filepath.Join(folder, "alerts.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "pdflow.conf")
	if err := os.WriteFile(file, []byte("alerts: {connection: default}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := clitest.Run(t, map[string]string{"PAGERDUTY_SERVICE_KEY": "0123456789abcdef0123456789abcdef"}, "serve", folder, "--data-dir", folder, "--config", file)
	if got.Code == 0 || !strings.Contains(got.Stderr, "alerts.json is not a regular file but a named pipe") {
		t.Errorf("got exit code %d and\n%s\nwant that the file cannot be read", got.Code, got.Stderr)
	}
}
