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

// TestMain lets the test binary act as another process that records runs until it is
// killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PDFLOW_TEST_JOURNAL"); dir != "" {
		recordUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// recordUntilKilled starts a run that never ends, and prints its id. Then it records other
// runs without end.
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

// another starts another process, and returns the id of its first run.
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

// TestOtherProcess: the runs of a living process cannot be adopted, even while it is
// stopped. Once it is killed they can be, at once, and nothing is damaged.
func TestOtherProcess(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	process, id := another(t, dir)
	status := func(want run.Status, live bool) {
		t.Helper()
		runs, err := j.Runs(background, journal.Query{Run: id, Limit: 1, Statuses: []run.Status{want}})
		if err != nil || len(runs) != 1 || runs[0].Live != live {
			t.Errorf("got %+v, %v, want %s", runs, err, want)
		}
	}
	mustBeOwned := func() {
		t.Helper()
		if err := j.Adopt(background, id); !errors.Is(err, journal.ErrOwned) {
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
	if err := j.Adopt(background, id); err != nil {
		t.Fatal(err)
	}
	status(run.Interrupted, true)
	got, err := j.Events(background, id)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d events, %v, want 2", len(got), err)
	}
	if err := j.Append(background, id, []run.Event{{Sequence: 3, Time: got[1].Time, Kind: run.EventResumed, Run: id}}); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "owners", "*")); err != nil || len(left) != 1 {
		t.Errorf("got the lock files %v, %v, want only the file of this process", left, err)
	}
	mustBeUndamaged(t, j)
}

// TestStopped: a stopped process counts as living, and a killed process as gone. The test
// looks at the lock file alone, since the stopped process may hold the lock of the
// database.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	process, id := another(t, dir)
	r := rowOf(t, j, id)
	if err := process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if lives, err := j.owner.lives(r.owner); !lives || err != nil {
		t.Errorf("got %v, %v for a stopped process, want it to live", lives, err)
	}
	kill(process)
	if lives, err := j.owner.lives(r.owner); lives || err != nil {
		t.Errorf("got %v, %v for a killed process, want it to be gone", lives, err)
	}
}

// rowOf reads the row of a run.
func rowOf(t *testing.T, j *Journal, id string) (r storedRun) {
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

// TestKilled kills two processes while they write to one journal, several times. The
// journal must be undamaged each time, and every run can be adopted.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	var started []string
	for range rounds {
		one, first := another(t, dir)
		two, second := another(t, dir)
		started = append(started, first, second)
		kill(one)
		kill(two)
		mustBeUndamaged(t, j)
	}
	for _, id := range started {
		if err := j.Adopt(background, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	runs, err := j.Runs(background, journal.Query{Statuses: []run.Status{run.Interrupted}})
	runs = slices.DeleteFunc(runs, func(s journal.Summary) bool { return !s.Live })
	if err != nil || len(runs) != len(started) {
		t.Errorf("got %d interrupted runs with a living owner, %v, want the %d that were adopted", len(runs), err, len(started))
	}
}
