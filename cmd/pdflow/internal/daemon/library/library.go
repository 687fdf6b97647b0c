// Package library keeps the workflows of files and folders as they are on disk, and
// notices when that changes.
//
//   - A [Library] reads the files of its paths and compiles them. [Library.Check] reads
//     again what has changed, [Library.Watch] does so whenever something does.
//   - A [Snapshot] is what was there at one time; it never changes. A [File] in it has
//     the plan that is served, and the problem that keeps a newer one from it.
//   - A [Change] is how a file differs from the snapshot before: added, changed,
//     removed, broken or mended.
//
// # What is served
//
// Of each file the last version without errors. One name belongs to one file: the
// first to have it keeps it, and another file with the same name is broken until one
// of them gets a new name or goes (names.go).
//
// # What is read again
//
// A file depends on its sources: itself, and the Lua files that its plan was made
// from. When one of them is not the same file of the same size and time as before
// (scan.go), it is read, and only when its text differs too, the workflow is compiled
// again (load.go). One that is broken depends on every Lua file below its folder: any
// of them may mend it. What mends it may also lie elsewhere, so that it is compiled
// again now and then.
//
// # How changes are noticed
//
// Folders are watched, not files: editors and deployments replace files by renaming,
// and Kubernetes swaps a link to a whole folder. A poll stands in where the system
// does not tell: network file systems, links to files elsewhere, and more folders than
// may be watched (watch.go).
package library

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Config says what is read and how. Changed may be nil.
type Config struct {
	Paths []string // files and folders
	// Compile reads and compiles a file. It is called from several goroutines.
	Compile func(file string) (*workflow.Plan, error)
	Clock   action.Clock
	Log     *slog.Logger // for what keeps changes from being noticed
	// Changed hears of every snapshot that differs from the one before, one after the
	// other and after the first.
	Changed func(*Snapshot, []Change)
}

// A Library is the workflows of files and folders. It is safe for concurrent use.
type Library struct {
	config   Config
	snapshot atomic.Pointer[Snapshot]

	mu      sync.Mutex // held by one check at a time
	known   map[string]*tracked
	missing map[string]error // paths that could not be looked at
	folders []string         // to watch
}

// A Snapshot is the workflows at one time. It is immutable.
type Snapshot struct {
	Files []File // by path
}

// A File is a workflow file.
type File struct {
	Path string
	// Plan is what is served: the last version without errors; nil when there was
	// none.
	Plan *workflow.Plan
	// Problem keeps the newest version from being served; nil when it is.
	Problem error
}

// Plans returns the plans that are served, by path. No two have one name.
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

// A ChangeKind is how a file differs from the snapshot before.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
	Broken  ChangeKind = "broken" // its newest version cannot be served
	Mended  ChangeKind = "mended"
)

// A Change is how a file, or a path that could not be looked at, differs from the
// snapshot before.
type Change struct {
	Kind     ChangeKind
	File     string
	Workflow string // the name that it is or was served under, else that of the file
	Problem  error  // of Broken
}

// Open reads everything. Its error says that a path cannot be looked at; files with
// problems are in the snapshot.
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
		c.Log.Error("a folder is left out", "folder", folder, "error", l.missing[folder])
	}
	return l, nil
}

// Snapshot returns the workflows as they were at the last check.
func (l *Library) Snapshot() *Snapshot { return l.snapshot.Load() }

// Check reads what has changed since the last check, and returns how.
func (l *Library) Check() []Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	changes := l.check()
	if len(changes) > 0 && l.config.Changed != nil {
		l.config.Changed(l.Snapshot(), slices.Clone(changes))
	}
	return changes
}

// check does the work of Check and Open. The lock is held.
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
