//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/redact"
)

// TestInterrupt: a signal cancels a waiting run, and the exit code names the signal.
func TestInterrupt(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		want   int
	}{{syscall.SIGINT, console.ExitInterrupted}, {syscall.SIGTERM, console.ExitTerminated}} {
		file := filepath.Join(t.TempDir(), "wait.yaml")
		if err := os.WriteFile(file, []byte("steps: [{id: wait, uses: time.sleep, with: {duration: 1h}, timeout: 2h}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		reader, writer := io.Pipe()
		p := &setup.Environment{Console: console.New(strings.NewReader(""), writer, io.Discard, &redact.Redactor{}), Getenv: func(string) string { return "" }}
		code := make(chan int, 1)
		go func() {
			code <- cli.Main(p, []string{"run", file, "-o", "jsonl", "--no-journal"})
			writer.Close()
		}()
		last := ""
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			last = lines.Text()
			if strings.Contains(last, `"call.started"`) {
				if err := syscall.Kill(os.Getpid(), test.signal); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := <-code; got != test.want {
			t.Errorf("after %v: got exit code %d, want %d", test.signal, got, test.want)
		}
		if !strings.Contains(last, `"status":"cancelled"`) {
			t.Errorf("after %v: the last event is %s, want one with the status cancelled", test.signal, last)
		}
	}
}

// TestSecondInterrupt: the second signal ends the process at once, the run can be resumed, and a message
// after each signal says what happens.
func TestSecondInterrupt(t *testing.T) {
	g := newGate()
	defer g.close()
	folder := t.TempDir()
	file := filepath.Join(folder, "hold.yaml")
	const source = `
inputs: {gate: {type: string}}
permissions: {http: [inputs.gate]}
steps:
  - {id: write, uses: http.post, with: {url: "${{ inputs.gate }}/held"}}
`
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	// The binary of this test runs pdflow under that name: see TestMain.
	c := &exec.Cmd{Path: os.Args[0], Args: []string{"pdflow", "run", file, "-i", "gate=" + g.server.URL, "--data-dir", folder}, Env: []string{"HOME=" + folder}}
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	<-g.held
	interrupt := func() {
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
	}
	interrupt()
	printed := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		printed += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "stopping") { // the write has ten seconds to be answered
			interrupt()
		}
	}
	_ = c.Wait() // its error is the exit code
	if got := c.ProcessState.ExitCode(); got != console.ExitInterrupted {
		t.Errorf("got exit code %d, want %d", got, console.ExitInterrupted)
	}
	for _, want := range []string{
		"pdflow: stopping; press Ctrl-C again to end at once, interrupted and resumable\n",
		"pdflow: ended at once; the run ", " is interrupted, `pdflow runs resume ", " --data-dir " + folder + "` resumes it\n",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("it printed\n%s\nwant it to contain %q", printed, want)
		}
	}
	listed := clitest.Run(t, nil, "runs", "list", "--status", "interrupted", "--data-dir", folder)
	if !strings.Contains(listed.Stdout, "hold") {
		t.Errorf("the run is not listed as interrupted:\n%s", listed.Screen)
	}
}
