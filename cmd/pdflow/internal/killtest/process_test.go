//go:build unix

package killtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal/sqlite"
)

// jobsVariable has the jobs of a process that the kill test starts.
const jobsVariable = "PDFLOW_KILL_JOBS"

// TestKillProcess is not a test. It is the process that works on runs and is killed.
func TestKillProcess(t *testing.T) {
	text := os.Getenv(jobsVariable)
	if text == "" {
		t.Skip("the kill test starts this")
	}
	var jobs []job
	if err := json.Unmarshal([]byte(text), &jobs); err != nil {
		t.Fatal(err)
	}
	if err := workAndDie(jobs); err != nil {
		t.Fatal(err)
	}
}

// workAndDie works on runs with a real journal until all have ended, or until the process reaches the kill
// point of the first job and kills itself. It cleans up nothing before that.
func workAndDie(jobs []job) error {
	journal, err := sqlite.Open(sqlite.Config{Dir: jobs[0].Data})
	if err != nil {
		return err
	}
	network := &http.Transport{}
	die := func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // do nothing until the signal arrives
	}
	s := &killer{killPoint: jobs[0].KillPoint, kill: die, writes: map[callPlace]bool{}}
	s.Journal, s.network = jobs[0].Defect.apply(journal, network)
	failed := make([]error, len(jobs))
	var under sync.WaitGroup
	for i := range jobs {
		under.Go(func() { failed[i] = jobs[i].perform(s, s, s) })
	}
	under.Wait()
	network.CloseIdleConnections()
	return errors.Join(append(failed, journal.Close())...)
}

// lifetime is how long a process may take: far longer than it needs.
const lifetime = 2 * time.Minute

// inProcess does one job in a new process.
func inProcess(j job) (died bool, err error) { return together([]job{j}) }

// together does several jobs in one new process. It reports whether the process was killed.
func together(jobs []job) (died bool, err error) {
	text, err := json.Marshal(jobs)
	if err != nil {
		return false, err
	}
	program, err := os.Executable()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	defer cancel()
	child := exec.CommandContext(ctx, program, "-test.run=^TestKillProcess$")
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	// What a killed process leaves behind goes with the folder of the test. The race
	// detector would wait a second at the end of each.
	child.Env = append(os.Environ(), jobsVariable+"="+string(text), "TMPDIR="+jobs[0].Data, "GORACE=atexit_sleep_ms=0")
	err = child.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, fmt.Errorf("the process did not end within %s", lifetime)
	case err == nil:
		return false, nil
	case errors.As(err, &ended) && killed(ended) && jobs[0].KillPoint.At != "":
		return true, nil
	}
	return false, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
}

// killed reports whether a process was killed by SIGKILL.
func killed(e *exec.ExitError) bool {
	status, ok := e.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
