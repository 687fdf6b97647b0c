package library

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	yamlfile "github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// tracked is the state of one workflow file.
type tracked struct {
	path    string // from the root
	named   bool   // the configuration names the file itself, and not a folder that has it
	sources []source
	newest  *workflow.Plan // the newest version; nil: it has errors
	problem error          // of the newest version
	tried   time.Time      // when the newest version was compiled
	served  *workflow.Plan // the version that is served; nil: none
	taken   error          // set if another file has the name of the newest version
}

// source is a file that a workflow was made from.
type source struct {
	name  string
	stamp stamp
	hash  string // of its text; empty: it could not be read
}

func (t *tracked) file(path string) File {
	f := File{Path: path, Plan: t.served, Problem: t.problem}
	if f.Problem == nil {
		f.Problem = t.taken
	}
	return f
}

// lost forgets the files that were removed. It returns the paths that cannot be read any
// more, or can be read again. It keeps the files of a path that cannot be read: a folder
// that is not mounted for a moment must not end its schedules.
func (l *Library) lost(found *scanned) []Change {
	var changes []Change
	looked := maps.Clone(l.missing)
	maps.Copy(looked, found.missing)
	for _, path := range sortedKeys(looked) {
		old, now := l.missing[path], found.missing[path]
		switch {
		case now != nil && old == nil && (len(l.known) > 0 || !slices.Contains(l.config.Paths, path)):
			changes = append(changes, Change{Kind: Broken, File: path, Problem: now})
		case now == nil && old != nil:
			changes = append(changes, Change{Kind: Mended, File: path})
		}
	}
	l.missing = found.missing
	for _, file := range sortedKeys(l.known) {
		if _, ok := found.files[file]; !ok && !l.unseen(file) {
			delete(l.known, file)
		}
	}
	return changes
}

// unseen reports whether a file is in a path that cannot be read, and so may exist.
func (l *Library) unseen(file string) bool {
	for path := range l.missing {
		if inside, err := filepath.Rel(path, file); err == nil && filepath.IsLocal(inside) {
			return true
		}
	}
	return false
}

// load compiles the files that are new or have changed. It compiles as many at a time as
// there are processors.
func (l *Library) load(found *scanned) {
	var work []string
	for _, file := range sortedKeys(found.files) {
		if t := l.known[file]; t == nil {
			l.known[file] = &tracked{path: absolute(file), named: filepath.Clean(found.files[file]) == file}
			work = append(work, file)
		} else if t.changed(found) {
			work = append(work, file)
		}
	}
	next := make(chan string)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(work)) {
		workers.Go(func() {
			for file := range next {
				l.known[file].compile(file, l.config.Compile, found)
			}
		})
	}
	for _, file := range work {
		next <- file
	}
	close(next)
	workers.Wait()
}

// changed reports whether the text of a source has changed. If only the stamp of a source
// has changed, it stores the new stamp.
func (t *tracked) changed(found *scanned) bool {
	if t.problem != nil && found.at.Sub(t.tried).Abs() >= pollWatched {
		return true // what mends it may be elsewhere: behind a link, or in the file of a secret
	}
	for i := range t.sources {
		s := &t.sources[i]
		now := stampOf(s.name, found.at)
		if s.stamp.same(now) {
			continue
		}
		if t.problem != nil && s.stamp.young || hashOf(s.name) != s.hash {
			return true // the sources of a broken file are not known exactly
		}
		s.stamp = now
	}
	if t.problem == nil {
		return false
	}
	// A new script may be the missing one.
	folder := filepath.Dir(t.sources[0].name)
	return slices.ContainsFunc(found.below(folder), func(script string) bool {
		return !slices.ContainsFunc(t.sources, func(s source) bool { return s.name == script })
	})
}

// compile compiles a file and records its sources.
func (t *tracked) compile(file string, compile func(string) (*workflow.Plan, error), found *scanned) {
	before := source{file, stampOf(file, found.at), hashOf(file)}
	t.tried = found.at
	t.newest, t.problem = compile(file)
	if t.problem != nil {
		t.newest = nil
		t.sources = []source{before}
		for _, name := range candidates(file, t.served, found) {
			t.sources = append(t.sources, source{name, stampOf(name, found.at), hashOf(name)})
		}
		return
	}
	folder := filepath.Dir(file)
	t.sources = []source{before}
	for i, s := range t.newest.Sources {
		if i == 0 {
			t.sources[0].hash = s.Hash()
			continue
		}
		name := filepath.Join(folder, filepath.FromSlash(s.Name))
		// If it changes after the compilation, its stamp is young, and the next check reads
		// it again.
		t.sources = append(t.sources, source{name, stampOf(name, found.at), s.Hash()})
	}
}

// candidates returns the scripts that a broken file may have been made from.
func candidates(file string, served *workflow.Plan, found *scanned) []string {
	folder := filepath.Dir(file)
	names := found.below(folder)
	if served != nil {
		for _, s := range served.Sources[1:] {
			names = append(names, filepath.Join(folder, filepath.FromSlash(s.Name)))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// hashOf returns the hash of a file's text, as [workflow.Source] computes it.
func hashOf(name string) string {
	text, err := yamlfile.ReadFile(name, yamlfile.MaxFileSize)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// compare returns the differences of two snapshots, by path. Removed files come first.
func compare(old, next *Snapshot) []Change {
	before, after := byPath(old), byPath(next)
	var changes []Change
	for _, f := range old.Files {
		if _, ok := after[f.Path]; !ok {
			changes = append(changes, Change{Kind: Removed, File: f.Path, Workflow: f.Name()})
		}
	}
	for _, f := range next.Files {
		known, ok := before[f.Path]
		if kind := f.since(known, ok); kind != "" {
			changes = append(changes, Change{Kind: kind, File: f.Path, Workflow: f.Name(), Problem: f.Problem})
		}
	}
	return changes
}

func byPath(s *Snapshot) map[string]File {
	files := make(map[string]File, len(s.Files))
	for _, f := range s.Files {
		files[f.Path] = f
	}
	return files
}

// since returns how a file differs from its old state, if it was known. It is empty if
// there is no difference.
func (f File) since(old File, known bool) ChangeKind {
	switch {
	case f.Problem != nil && (!known || old.Problem == nil || old.Problem.Error() != f.Problem.Error()):
		return Broken
	case f.Problem != nil:
		return ""
	case !known:
		return Added
	case old.Problem != nil:
		return Mended
	case old.Plan != f.Plan:
		return Changed
	}
	return ""
}

// Name returns the name of the plan that is served. Without a plan, it is the name of the
// file without its extension.
func (f File) Name() string {
	if f.Plan != nil {
		return f.Plan.Workflow.Name
	}
	base := filepath.Base(f.Path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
