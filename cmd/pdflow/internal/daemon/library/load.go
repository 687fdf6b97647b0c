package library

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// tracked is the state of one workflow file.
type tracked struct {
	path    string // from the root
	named   bool   // the configuration names the file itself, and not a folder that has it
	needs   []dependency
	newest  *workflow.Plan // the newest version; nil: it has errors
	problem error          // of the newest version
	served  *workflow.Plan // the version that is served; nil: none
	taken   error          // set if another file has the name of the newest version
}

// dependency is a file that the newest version was made from, or that may mend it.
type dependency struct {
	file  source.File
	stamp stamp
	hash  string // of its text; empty: it could not be read, so another stamp means another reason
	// exact says that the hash is of the text that was compiled. Otherwise the file may have
	// changed after it was compiled and before its stamp was taken: then its stamp is young.
	exact bool
	// opaque says that the text is not read, because it may be a key.
	opaque bool
}

// changed reports whether the text may have changed. If only the stamp has changed, it stores
// the new stamp.
func (d *dependency) changed(now time.Time) bool {
	stamp := stampOf(d.file.Path, now)
	switch {
	case d.stamp.same(stamp):
		return false
	case d.opaque, d.stamp.young && !d.exact, d.hash == "", hashOf(d.file) != d.hash:
		return true
	}
	d.stamp = stamp
	return false
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
			l.known[file] = &tracked{path: absolute(file), named: found.files[file].Folder == ""}
			work = append(work, file)
		} else if t.changed(found.at) {
			work = append(work, file)
		}
	}
	next := make(chan string)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(work)) {
		workers.Go(func() {
			for file := range next {
				l.known[file].compile(found.files[file], l.config, found.at)
			}
		})
	}
	for _, file := range work {
		next <- file
	}
	close(next)
	workers.Wait()
}

// changed reports whether a file that the newest version depends on has changed.
func (t *tracked) changed(now time.Time) bool {
	for i := range t.needs {
		if t.needs[i].changed(now) {
			return true
		}
	}
	return false
}

// compile compiles a file and records what it depends on.
func (t *tracked) compile(file source.File, c Config, now time.Time) {
	t.needs = []dependency{{file: file, stamp: stampOf(file.Path, now), hash: hashOf(file), exact: true}}
	plan, asked, err := c.Compile(file)
	t.newest, t.problem = plan, err
	hashes := map[string]string{}
	if err != nil {
		t.newest = nil
	} else {
		for _, s := range plan.Sources[1:] {
			hashes[filepath.Join(filepath.Dir(file.Path), filepath.FromSlash(s.Name))] = s.Hash()
		}
		t.needs[0].hash = plan.Sources[0].Hash()
	}
	slices.Sort(asked)
	for _, path := range slices.Compact(asked) {
		// A Lua file does not leave the folder of its workflow.
		d := dependency{file: source.File{Path: path, Folder: cmp.Or(file.Folder, filepath.Dir(file.Path))}, stamp: stampOf(path, now)}
		if d.hash, d.exact = hashes[path]; !d.exact {
			d.hash = hashOf(d.file)
		}
		t.needs = append(t.needs, d)
	}
	if err == nil || c.Elsewhere == nil {
		return
	}
	for _, path := range c.Elsewhere() {
		t.needs = append(t.needs, dependency{file: source.File{Path: path}, stamp: stampOf(path, now), opaque: true})
	}
}

// hashOf returns the hash of a file's text, as [workflow.Source] computes it.
func hashOf(file source.File) string {
	text, err := file.Read(source.MaxFileSize)
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
