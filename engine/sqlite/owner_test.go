//go:build unix

package sqlite

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/pdflow/pdflow/engine"
)

// TestOwnerChild is not a test: TestOwners runs it in another process, where it
// begins a run and says so.
func TestOwnerChild(t *testing.T) {
	dir := os.Getenv("PDFLOW_TEST_OWNER")
	if dir == "" {
		t.Skip("only in the process that TestOwners starts")
	}
	j := open(t, dir)
	if err := j.Begin(context.Background(), engine.Entry{Run: "R1"}, logged("R1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("begun\n")
	select {} // until it is killed
}

// TestOwners: the run of a process that was killed is free at once; that of one
// that was only stopped is not, however long it stands still.
func TestOwners(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestOwnerChild$")
	child.Env = append(os.Environ(), "PDFLOW_TEST_OWNER="+dir)
	out, err := child.StdoutPipe()
	must0(t, err)
	must0(t, child.Start())
	defer func() { _ = child.Process.Kill() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	j := open(t, dir)
	defer j.Close()
	ctx := context.Background()
	if err := j.Adopt(ctx, "R1"); !errors.Is(err, engine.ErrOwned) {
		t.Errorf("got %v of a process that lives, want %v", err, engine.ErrOwned)
	}
	must0(t, child.Process.Signal(syscall.SIGSTOP))
	if err := j.Adopt(ctx, "R1"); !errors.Is(err, engine.ErrOwned) {
		t.Errorf("got %v of a process that is stopped, want %v", err, engine.ErrOwned)
	}
	must0(t, child.Process.Kill())
	_ = child.Wait()
	must0(t, j.Adopt(ctx, "R1"))
	must0(t, j.Append(ctx, "R1", logged("R1", 2, 1)))
}

// TestStaleOwner: an owner that was taken for dead, and wakes up, is refused.
func TestStaleOwner(t *testing.T) {
	dir := t.TempDir()
	stale, j := open(t, dir), open(t, dir)
	defer j.Close()
	ctx := context.Background()
	must0(t, stale.Begin(ctx, engine.Entry{Run: "R1"}, logged("R1", 1, 1)))
	must0(t, stale.owner.lock.Unlock()) // as if its process had ended
	must0(t, j.Adopt(ctx, "R1"))
	must0(t, j.Append(ctx, "R1", logged("R1", 2, 1)))
	if err := stale.Append(ctx, "R1", logged("R1", 2, 1)); !errors.Is(err, engine.ErrNotOwner) {
		t.Errorf("got %v, want %v", err, engine.ErrNotOwner)
	}
	must0(t, stale.Close())
}
