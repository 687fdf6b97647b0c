// Package library has the workflows of files and folders, and reloads them when the files
// change.
//
//   - [Library] reads and compiles the files of its paths. [Library.Check] reads the
//     changed files again. [Library.Watch] does that whenever a file changes.
//   - [Snapshot] has all files at one time; it never changes. A [File] has the plan that
//     is served, and the problem of a newer version that cannot be served.
//   - [Change] is the difference of a file between two snapshots: added, changed, removed,
//     broken or mended.
//
// # Which version is served
//
// The library serves the last version of a file that has no errors. A workflow name
// belongs to one file: the first file with the name keeps it. A second file with the name
// is broken until one of them gets another name or is removed (names.go). Which file was the
// first is told by [Snapshot.Names], and to the next library by [Library.Prefer].
//
// # Which files are read again
//
// A workflow depends on its own file, and on the files that its compilation asked for,
// such as Lua files, whether they exist or not. Such a file is read again if it is another
// file, or has another size or time (scan.go). The workflow is compiled again only if the
// text of one of them has changed (load.go): a file that is broken and does not change is
// not compiled again. A broken workflow also depends on files elsewhere, such as keys.
//
// # How changes are noticed
//
// The library watches folders, not files: editors and deployments replace files by
// renaming, and Kubernetes replaces a link to a whole folder. It also polls, because the
// system does not report every change: on network file systems, behind links to other
// folders, and if there are too many folders to watch (watch.go).
package library

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Config is the configuration of a [Library]. All fields but Elsewhere and Changed are
// required.
type Config struct {
	Paths []string // files and folders
	// Compile reads and compiles a file. Asked are the paths of the other files that it looked
	// for, also if they do not exist. It is called from several goroutines.
	Compile func(file source.File) (plan *workflow.Plan, asked []string, err error)
	// Elsewhere returns files that may mend a broken workflow and that Compile does not name.
	// They are not read. Nil: there are none.
	Elsewhere func() []string
	Clock     action.Clock
	Log       *slog.Logger // for problems in noticing changes, and files that are left out
	// Changed is called for every snapshot that differs from the one before, but not for
	// the first. The calls do not overlap.
	Changed func(*Snapshot, []Change)
}

// Library has the workflows of files and folders. It is safe for concurrent use.
type Library struct {
	config   Config
	snapshot atomic.Pointer[Snapshot]

	mu      sync.Mutex // held by one check at a time
	known   map[string]*tracked
	names   map[string]string // see Snapshot.Names
	told    map[string]string // the files whose leaving out was logged
	missing map[string]error  // paths that cannot be read
	folders []string          // to watch
}

// Snapshot has the workflow files at one time. It is immutable.
type Snapshot struct {
	Files []File // by path
	// LeftOut are the files of folders that are no workflows, by path, with the reason. A file
	// that has or had a name is never left out: it is broken.
	LeftOut map[string]string
	// Names has the file of each workflow name, by its path from the root: of the names that
	// are served, and of those that were served before by a file that is gone or cannot be
	// read. The file of a name that was given up is empty.
	Names map[string]string
}

// File is a workflow file.
type File struct {
	Path string
	// Plan is the plan that is served: the last version without errors. Nil: there was
	// none.
	Plan *workflow.Plan
	// Problem is why the newest version is not served. Nil: it is served.
	Problem error
}

// Plans returns the plans that are served, by path. Each has another name.
func (s *Snapshot) Plans() []*workflow.Plan {
	var plans []*workflow.Plan
	for _, f := range s.Files {
		if f.Plan != nil {
			plans = append(plans, f.Plan)
		}
	}
	return plans
}

// Broken returns how many files have a problem.
func (s *Snapshot) Broken() int {
	n := 0
	for _, f := range s.Files {
		if f.Problem != nil {
			n++
		}
	}
	return n
}

// ChangeKind is how a file differs from the snapshot before.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
	Broken  ChangeKind = "broken" // the newest version cannot be served
	Mended  ChangeKind = "mended"
)

// Change is the difference of a file, or of a path that cannot be read, from the snapshot
// before.
type Change struct {
	Kind     ChangeKind
	File     string
	Workflow string // the name of its plan; without a plan, the name of the file
	Problem  error  // of Broken
}

// Open reads all files. It returns an error if a path cannot be read. Files with problems
// are in the snapshot.
func Open(c Config) (*Library, error) {
	if c.Compile == nil || c.Clock == nil || c.Log == nil || len(c.Paths) == 0 {
		return nil, errors.New("library.Config needs Paths, Compile, Clock and Log")
	}
	l := &Library{config: c, known: map[string]*tracked{}, names: map[string]string{}, missing: map[string]error{}}
	l.snapshot.Store(&Snapshot{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.check()
	for _, path := range c.Paths {
		if err := l.missing[path]; err != nil {
			return nil, err
		}
	}
	for _, folder := range sortedKeys(l.missing) {
		c.Log.Error("a file or folder cannot be read and is left out", "path", folder, "error", l.missing[folder])
	}
	return l, nil
}

// Snapshot returns the workflows as they were at the last check.
func (l *Library) Snapshot() *Snapshot { return l.snapshot.Load() }

// Check reads the files that have changed since the last check, and returns the changes.
func (l *Library) Check() []Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	changes := l.check()
	l.logLeftOut()
	if len(changes) > 0 && l.config.Changed != nil {
		l.config.Changed(l.Snapshot(), slices.Clone(changes))
	}
	return changes
}

// check does the work of Check and Open. The caller holds the lock.
func (l *Library) check() []Change {
	found := scan(l.config.Paths, l.config.Clock.Now())
	changes := l.lost(found)
	l.folders = found.folders
	l.load(found)
	l.share()
	next := l.files()
	changes = append(changes, compare(l.Snapshot(), next)...)
	if len(changes) > 0 || !maps.Equal(l.Snapshot().LeftOut, next.LeftOut) {
		l.snapshot.Store(next)
	}
	return changes
}

// files returns the files as they are known. The caller holds the lock.
func (l *Library) files() *Snapshot {
	s := &Snapshot{Files: make([]File, 0, len(l.known)), Names: maps.Clone(l.names), LeftOut: map[string]string{}}
	had := map[string]bool{} // the paths of files that have or had a name
	for _, path := range l.names {
		had[path] = true
	}
	for _, path := range sortedKeys(l.known) {
		t := l.known[path]
		if why := workflow.Foreign(t.problem); why != "" && !t.named && !had[t.path] {
			s.LeftOut[path] = why
			continue
		}
		s.Files = append(s.Files, t.file(path))
	}
	return s
}

// logLeftOut names each file once that is left out. The caller holds the lock.
func (l *Library) logLeftOut() {
	now := l.Snapshot().LeftOut
	for _, file := range sortedKeys(now) {
		if _, told := l.told[file]; !told {
			l.config.Log.Info("a file is left out, because it is no workflow", "file", file, "reason", now[file])
		}
	}
	l.told = now
}
