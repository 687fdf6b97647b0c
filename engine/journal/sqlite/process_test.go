//go:build unix

package sqlite

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// TestMain makes this program the other process of the tests: one that records
// runs until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PDFLOW_TEST_JOURNAL"); dir != "" {
		recordUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// recordUntilKilled says what was acknowledged: its first run is never ended.
func recordUntilKilled(dir string) {
	j, err := Open(Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	first := oneStep(os.Getpid()*1000, true)
	if err := j.Begin(background, first.entry, first.pieces[0]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(first.entry.Run)
	for n := 1; ; n++ {
		s := oneStep(os.Getpid()*1000+n%1000, true)
		s.entry.Run = fmt.Sprintf("%s-%d", s.entry.Run, n)
		for i, piece := range s.pieces {
			for k := range piece {
				piece[k].Run = s.entry.Run
			}
			if i == 0 {
				err = j.Begin(background, s.entry, piece)
			} else {
				err = j.Append(background, s.entry.Run, piece)
			}
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}

// another starts another process, and returns its first run.
func another(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), "PDFLOW_TEST_JOURNAL="+dir)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(process) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("got %q, %v from the other process", line, err)
	}
	return process, line[:len(line)-1]
}

func kill(process *exec.Cmd) {
	_ = process.Process.Kill() // SIGKILL
	_ = process.Wait()
}

// TestOtherProcess: the runs of a process that lives are its own, also while it is
// stopped; when it is killed they are free at once, and nothing is damaged.
func TestOtherProcess(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	process, runID0 := another(t, dir)
	status := func(want run.Status, live bool) {
		t.Helper()
		runs, err := j.Runs(background, journal.Query{Run: runID0, Limit: 1, Statuses: []run.Status{want}})
		if err != nil || len(runs) != 1 || runs[0].Live != live {
			t.Errorf("got %+v, %v, want %s", runs, err, want)
		}
	}
	mustBeOwned := func() {
		t.Helper()
		if err := j.Adopt(background, runID0); !errors.Is(err, journal.ErrOwned) {
			t.Errorf("got the error %v, want %v", err, journal.ErrOwned)
		}
	}
	mustBeOwned()
	if err := process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	status(run.Running, true)
	if err := process.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	mustBeOwned()
	kill(process)
	status(run.Interrupted, false)
	if err := j.Adopt(background, runID0); err != nil {
		t.Fatal(err)
	}
	status(run.Interrupted, true)
	got, err := j.Events(background, runID0)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d events, %v, want 2", len(got), err)
	}
	if err := j.Append(background, runID0, []run.Event{{Sequence: 3, Time: got[1].Time, Kind: run.EventResumed, Run: runID0}}); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "owners", "*")); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v, want the lock file of the one that is gone to be, too", left, err)
	}
	mustBeWhole(t, j)
}

// TestStopped: the run of a process that is stopped is not adopted. The process
// may hold the database's own lock, so only the lock file is asked.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	process, run := another(t, dir)
	r := run0(t, j, run)
	if err := process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if lives, err := j.owner.lives(r.owner); !lives || err != nil {
		t.Errorf("got %v, %v of a process that is stopped, want it to live", lives, err)
	}
	kill(process)
	if lives, err := j.owner.lives(r.owner); lives || err != nil {
		t.Errorf("got %v, %v of a process that was killed, want it to be gone", lives, err)
	}
}

// run0 reads the row of a run.
func run0(t *testing.T, j *Journal, id string) (r storedRun) {
	t.Helper()
	err := j.view(background, func(v view) (err error) {
		r, err = v.find(background, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestKilled: several processes record into one journal and are killed in the
// midst of it, again and again: whatever is there is whole.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	var begun []string
	for range rounds {
		one, first := another(t, dir)
		two, second := another(t, dir)
		begun = append(begun, first, second)
		kill(one)
		kill(two)
		mustBeWhole(t, j)
	}
	for _, run := range begun {
		if err := j.Adopt(background, run); err != nil {
			t.Errorf("%s: %v", run, err)
		}
	}
	runs, err := j.Runs(background, journal.Query{Statuses: []run.Status{run.Interrupted}})
	runs = slices.DeleteFunc(runs, func(s journal.Summary) bool { return !s.Live })
	if err != nil || len(runs) != len(begun) {
		t.Errorf("got %d interrupted runs with a living owner, %v, want the %d that were adopted", len(runs), err, len(begun))
	}
}
