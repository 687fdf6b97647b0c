//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// TestInterrupt proves that a signal cancels a run that waits, and that the exit
// code names the signal.
func TestInterrupt(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		want   int
	}{{syscall.SIGINT, exitInterrupted}, {syscall.SIGTERM, exitTerminated}} {
		file := filepath.Join(t.TempDir(), "wait.yaml")
		if err := os.WriteFile(file, []byte("steps: [{id: wait, uses: time.sleep, with: {duration: 1h}, timeout: 2h}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		reader, writer := io.Pipe()
		redactor := &action.Redactor{}
		p := &program{stdin: strings.NewReader(""), stdout: writer, stderr: io.Discard, getenv: func(string) string { return "" }, redactor: redactor}
		code := make(chan int, 1)
		go func() {
			code <- p.main([]string{"run", file, "-o", "jsonl"})
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
