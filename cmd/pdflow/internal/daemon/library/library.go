// Package library keeps the workflows of files and folders, and notices when files change.
//
//   - A [Library] reads and compiles the files of its paths. [Library.Check] reads the files that have
//     changed. [Library.Watch] does this whenever something changes.
//   - A [Snapshot] is the files at one time. It is immutable. Each [File] has the plan that is served, and
//     the problem of its newest version, if it has one.
//   - A [Change] is the difference between a file and the snapshot before: added, changed, removed,
//     broken or mended.
//
// # What is served
//
// The last version of each file without errors. A workflow name belongs to one file: the first file with
// the name keeps it. Another file with the same name is broken until one of the two is renamed or removed
// (names.go).
//
// # What is read again
//
// A file depends on its sources: itself, and the Lua files that its plan was made from. A source is read
// again if it is another file, or has another size or time, than before (scan.go). The workflow is
// compiled again only if the text of a source has changed (load.go). A broken file depends on every Lua
// file below its folder, because any of them may fix it. A fix may also be elsewhere, so a broken file is
// compiled again from time to time.
//
// # How changes are noticed
//
// Folders are watched, not files, because editors and deployments replace files by renaming, and
// Kubernetes swaps a link to a whole folder. Files are polled where the system does not report changes:
// network file systems, links to files elsewhere, and more folders than may be watched (watch.go).
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

// A Config is the configuration of a library. Changed may be nil.
type Config struct {
	Paths []string // files and folders
	// Compile reads and compiles a file. It is called from several goroutines.
	Compile func(file string) (*workflow.Plan, error)
	Clock   action.Clock
	Log     *slog.Logger // for problems with noticing changes
	// Changed is called with every snapshot after the first that differs from the snapshot before,
	// one call at a time.
	Changed func(*Snapshot, []Change)
}

// A Library is the workflows of files and folders. It is safe for concurrent use.
type Library struct {
	config   Config
	snapshot atomic.Pointer[Snapshot]

	mu      sync.Mutex // held by one check at a time
	known   map[string]*tracked
	missing map[string]error // paths that cannot be read
	folders []string         // to watch
}

// A Snapshot is the workflows at one time. It is immutable.
type Snapshot struct {
	Files []File // by path
}

// A File is a workflow file.
type File struct {
	Path string
	// Plan is the last version without errors, which is served; nil if there was none.
	Plan *workflow.Plan
	// Problem is why the newest version is not served; nil if it is served.
	Problem error
}

// Plans returns the served plans, sorted by path. Their names are different.
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

// A ChangeKind is the kind of a change.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
	Broken  ChangeKind = "broken" // its newest version cannot be served
	Mended  ChangeKind = "mended"
)

// A Change is the difference between a file, or a path that cannot be read, and the snapshot before.
type Change struct {
	Kind     ChangeKind
	File     string
	Workflow string // the name of the served workflow, or the name of the file
	Problem  error  // of Broken
}

// Open reads all files. It is an error if a path cannot be read. Files with problems are in the snapshot.
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
