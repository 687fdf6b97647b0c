package library

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// compileText compiles a file to a workflow whose name is the text of the file.
func compileText(file source.File) (plan *workflow.Plan, asked []string, err error) {
	text, err := file.Read(source.MaxFileSize)
	if err != nil {
		return nil, nil, err
	}
	return &workflow.Plan{Workflow: &workflow.Workflow{Name: string(text)}, Sources: []workflow.Source{{Name: filepath.Base(file.Path), Text: text}}}, nil, nil
}

// told is a fake notifier.
type told struct {
	folders []string // the watched folders
	refuse  error
}

func (n *told) Add(folder string) error {
	if n.refuse == nil {
		n.folders = append(n.folders, folder)
	}
	return n.refuse
}

func (n *told) Remove(folder string) error {
	n.folders = slices.DeleteFunc(n.folders, func(f string) bool { return f == folder })
	return nil
}

func (n *told) Close() error { return nil }

// desk is a library that is watched on a virtual clock.
type desk struct {
	*told
	t      *testing.T
	folder string
	begin  time.Time
	events chan fsnotify.Event
	errors chan error
	log    bytes.Buffer
	mu     sync.Mutex
	heard  []string // the changes, with their times
}

// watched runs a test while a folder with one file is watched.
func watched(t *testing.T, refuse error, test func(*desk)) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{told: &told{refuse: refuse}, t: t, folder: folder, begin: time.Now(), events: make(chan fsnotify.Event), errors: make(chan error)}
		d.write("a.yaml", "a")
		l, err := Open(Config{
			Paths: []string{folder}, Compile: compileText, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
			Changed: func(_ *Snapshot, changes []Change) {
				d.mu.Lock()
				defer d.mu.Unlock()
				for _, c := range changes {
					d.heard = append(d.heard, time.Since(d.begin).String()+" "+string(c.Kind)+" "+filepath.Base(c.File))
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		w := &watch{Library: l, notifier: d.told, events: d.events, errors: d.errors, watched: map[string]fs.FileInfo{}}
		go func() { defer close(ended); w.run(ctx) }()
		synctest.Wait()
		test(d)
		cancel()
		<-ended
	})
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	file := filepath.Join(d.folder, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// tell reports a change, and lets time pass.
func (d *desk) tell(name string, op fsnotify.Op, pass time.Duration) {
	d.events <- fsnotify.Event{Name: filepath.Join(d.folder, name), Op: op}
	d.pass(pass)
}

func (d *desk) pass(length time.Duration) {
	time.Sleep(length)
	synctest.Wait()
}

func (d *desk) expect(want ...string) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.heard); diff != "" {
		d.t.Errorf("heard (-want +got):\n%s", diff)
	}
	d.heard = nil
}

func TestChangesWaitForQuiet(t *testing.T) {
	watched(t, nil, func(d *desk) {
		for _, text := range []string{"a1", "a2", "a3"} {
			d.write("a.yaml", text)
			d.tell("a.yaml", fsnotify.Write, 50*time.Millisecond)
			d.expect()
		}
		d.pass(time.Second)
		d.expect("200ms changed a.yaml") // the last write was at 100ms
	})
}

func TestChangesDoNotWaitForEver(t *testing.T) {
	watched(t, nil, func(d *desk) {
		d.write("b.yaml", "b")
		for range 30 {
			d.tell("b.yaml", fsnotify.Write, 50*time.Millisecond)
		}
		d.expect("1s added b.yaml")
	})
}

func TestPollFindsUnreportedChanges(t *testing.T) {
	watched(t, nil, func(d *desk) {
		d.pass(time.Minute)
		d.write("b.yaml", "b")
		d.pass(time.Minute)
		d.expect("1m30s added b.yaml")
	})
}

func TestPollIsFasterWithoutNotification(t *testing.T) {
	watched(t, errors.New("no space left on device"), func(d *desk) {
		d.pass(time.Minute + time.Second)
		d.write("b.yaml", "b")
		d.pass(3 * time.Second)
		d.expect("1m2s added b.yaml")
		if got := strings.Count(d.log.String(), "does not report all changes"); got != 1 {
			t.Errorf("got %d lines, want 1:\n%s", got, &d.log)
		}
	})
}

func TestOverflowLooksAtEverything(t *testing.T) {
	watched(t, nil, func(d *desk) {
		d.write("b.yaml", "b")
		d.errors <- fsnotify.ErrEventOverflow
		d.pass(time.Second)
		d.expect("100ms added b.yaml")
	})
}

func TestOtherFilesAreIgnored(t *testing.T) {
	watched(t, nil, func(d *desk) {
		d.write("a.yaml", "changed")
		d.write("journal.db-wal", "x")
		d.tell("journal.db-wal", fsnotify.Write, 0)
		d.tell("journal.db-wal", fsnotify.Create, 0)
		d.tell("a.yaml", fsnotify.Chmod, time.Second)
		d.expect()
		d.tell("a.yaml", fsnotify.Write, time.Second)
		d.expect("1.1s changed a.yaml")
	})
}

// TestNewFolders proves that new folders are watched, and that files that were written
// before that are found.
func TestNewFolders(t *testing.T) {
	watched(t, nil, func(d *desk) {
		d.write("sub/b.yaml", "b")
		d.tell("sub", fsnotify.Create, time.Second)
		d.expect("100ms added b.yaml")
		if sub := filepath.Join(d.folder, "sub"); !slices.Contains(d.folders, sub) {
			t.Errorf("got %v watched, want %s in it", d.folders, sub)
		}
		if err := os.RemoveAll(filepath.Join(d.folder, "sub")); err != nil {
			t.Fatal(err)
		}
		d.tell("sub", fsnotify.Remove, time.Second)
		d.expect("1.1s removed b.yaml")
		if len(d.folders) != 1 {
			t.Errorf("got %v watched, want one", d.folders)
		}
	})
}

// TestFolderOfTheSameNumber proves that a folder that replaces a watched folder is watched.
// It may have the same inode, so only the event shows the change.
func TestFolderOfTheSameNumber(t *testing.T) {
	watched(t, nil, func(d *desk) {
		d.write("sub/b.yaml", "b")
		d.tell("sub", fsnotify.Create, time.Second)
		d.told.folders = slices.DeleteFunc(d.told.folders, func(f string) bool { return filepath.Base(f) == "sub" }) // as the system does
		d.tell("sub", fsnotify.Remove, time.Second)
		if sub := filepath.Join(d.folder, "sub"); !slices.Contains(d.folders, sub) {
			t.Errorf("got %v watched, want %s again", d.folders, sub)
		}
	})
}

// TestWatch uses the notifications of the system. The poll would find a change only after
// half a minute, which is too late for the test.
func TestWatch(t *testing.T) {
	folder := t.TempDir()
	heard := make(chan []Change, 10)
	l, err := Open(Config{
		Paths: []string{folder}, Compile: compileText, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
		Changed: func(_ *Snapshot, changes []Change) { heard <- changes },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Watch(ctx) }()
	defer func() { cancel(); <-ended }()
	change := func(kind ChangeKind, happens func() error) {
		t.Helper()
		if err := happens(); err != nil {
			t.Fatal(err)
		}
		select {
		case changes := <-heard:
			if len(changes) != 1 || changes[0].Kind != kind {
				t.Fatalf("got %v, want one file %s", changes, kind)
			}
		case <-time.After(25 * time.Second):
			t.Fatalf("no change was reported, want a file %s", kind)
		}
	}
	file, sub := filepath.Join(folder, "a.yaml"), filepath.Join(folder, "sub")
	// An editor writes another file and renames it.
	replaceBy := func(file, text string) func() error {
		return func() error {
			if err := os.WriteFile(file+".tmp", []byte(text), 0o644); err != nil {
				return err
			}
			return os.Rename(file+".tmp", file)
		}
	}
	change(Added, replaceBy(file, "a"))
	change(Changed, replaceBy(file, "a2"))
	change(Changed, func() error { return os.WriteFile(file, []byte("a3"), 0o644) })
	change(Removed, func() error { return os.Remove(file) })
	change(Added, func() error {
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(sub, "b.yaml"), []byte("b"), 0o644)
	})
	change(Changed, replaceBy(filepath.Join(sub, "b.yaml"), "b2"))
	if runtime.GOOS == "windows" {
		return // folders that are watched cannot be removed there
	}
	change(Removed, func() error { return os.RemoveAll(sub) })
	change(Added, func() error {
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(sub, "c.yaml"), []byte("c"), 0o644)
	})
	change(Changed, replaceBy(filepath.Join(sub, "c.yaml"), "c2"))
}
