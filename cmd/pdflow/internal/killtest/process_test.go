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

	"github.com/pdflow/pdflow/engine/sqlite"
)

// orderVariable holds the orders of a process that the kill test starts.
const orderVariable = "PDFLOW_KILL_ORDERS"

// TestKillChild is no test: it is the process in which runs live and die.
func TestKillChild(t *testing.T) {
	text := os.Getenv(orderVariable)
	if text == "" {
		t.Skip("this is what the kill test starts")
	}
	var orders []order
	if err := json.Unmarshal([]byte(text), &orders); err != nil {
		t.Fatal(err)
	}
	if err := performAndDie(orders); err != nil {
		t.Fatal(err)
	}
}

// performAndDie works on runs, with a real journal, until all have ended or one
// steps into the trap. The first order says where that is. Nothing is put in order
// before the process dies.
func performAndDie(orders []order) error {
	journal, err := sqlite.Open(sqlite.Config{Dir: orders[0].Data})
	if err != nil {
		return err
	}
	network := &http.Transport{}
	die := func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // not one step more until the signal comes
	}
	s := &snare{trap: orders[0].Trap, spring: die, writes: map[callPlace]bool{}}
	s.Journal, s.network = orders[0].Sabotage.apply(journal, network)
	failed := make([]error, len(orders))
	var under sync.WaitGroup
	for i := range orders {
		under.Go(func() { failed[i] = orders[i].perform(s, s, s) })
	}
	under.Wait()
	network.CloseIdleConnections()
	return errors.Join(append(failed, journal.Close())...)
}

// lifetime is how long a process may take for a run: far more than it needs.
const lifetime = 2 * time.Minute

// inProcess lives in a process of its own, alone.
func inProcess(o order) (died bool, err error) { return together([]order{o}) }

// together has the runs of several orders live in one process.
func together(orders []order) (died bool, err error) {
	text, err := json.Marshal(orders)
	if err != nil {
		return false, err
	}
	program, err := os.Executable()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	defer cancel()
	child := exec.CommandContext(ctx, program, "-test.run=^TestKillChild$")
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	// What a killed process leaves behind goes with the folder of the test. The race
	// detector would wait a second at the end of each.
	child.Env = append(os.Environ(), orderVariable+"="+string(text), "TMPDIR="+orders[0].Data, "GORACE=atexit_sleep_ms=0")
	err = child.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, fmt.Errorf("the process did not end within %s", lifetime)
	case err == nil:
		return false, nil
	case errors.As(err, &ended) && killed(ended) && orders[0].Trap.At != "":
		return true, nil
	}
	return false, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
}

// killed reports whether a process died of SIGKILL.
func killed(e *exec.ExitError) bool {
	status, ok := e.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
