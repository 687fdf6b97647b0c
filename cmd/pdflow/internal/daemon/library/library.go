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
// is broken until one of them gets another name or is removed (load.go).
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
	Log       *slog.Logger // for problems in noticing changes
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
	missing map[string]error // paths that cannot be read
	folders []string         // to watch
}

// Snapshot has the workflow files at one time. It is immutable.
type Snapshot struct {
	Files []File // by path
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
	l := &Library{config: c, known: map[string]*tracked{}, missing: map[string]error{}}
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
	next := &Snapshot{Files: make([]File, 0, len(l.known))}
	for _, path := range sortedKeys(l.known) {
		next.Files = append(next.Files, l.known[path].file(path))
	}
	changes = append(changes, compare(l.Snapshot(), next)...)
	if len(changes) > 0 {
		l.snapshot.Store(next)
	}
	return changes
}
