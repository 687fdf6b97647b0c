package library

import (
	"fmt"
	"maps"
	"path/filepath"
)

// Prefer gives workflow names to the files that they belonged to in another process, by name,
// as [Snapshot.Names] has them. Call it before the first Check.
//
// A file that cannot be read as a workflow keeps its name too: the process that still had its
// last good version would not have given the name to another file.
func (l *Library) Prefer(names map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.names)
	maps.Copy(l.names, names)
	for _, t := range l.known {
		t.served = nil // it was chosen without the names
	}
	l.share()
	l.snapshot.Store(l.files())
}

// absolute returns the path of a file from the root, so that it does not matter from which
// folder a process was started.
func absolute(file string) string {
	if path, err := filepath.Abs(file); err == nil {
		return path
	}
	return file
}

// share gives each workflow name to one file. A file that has a name and still uses it
// keeps it. Then names go to the files that they belonged to before, and then to files by
// path. If a file does not get the name of its newest version, its old version is served.
func (l *Library) share() {
	owners := map[string]string{}
	files := sortedKeys(l.known)
	for _, file := range files {
		if t := l.known[file]; t.served != nil && (t.newest == nil || t.newest.Workflow.Name == t.served.Workflow.Name) {
			owners[t.served.Workflow.Name] = file
		}
	}
	for name, file := range l.remembered(files) {
		if t := l.known[file]; owners[name] == "" && (t.newest == nil && t.served == nil || t.newest != nil && t.newest.Workflow.Name == name) {
			owners[name] = file
		}
	}
	var refused []string
	for _, file := range files {
		if !l.claim(file, owners) {
			refused = append(refused, file)
		}
	}
	for _, file := range refused {
		l.refuse(file, owners)
	}
	for name, file := range l.remembered(files) {
		if l.known[file].newest != nil {
			l.names[name] = "" // the file has another name now; an owner follows
		}
	}
	for name, file := range owners {
		l.names[name] = l.known[file].path
	}
}

// remembered returns the known files of the names that belonged to them before.
func (l *Library) remembered(files []string) map[string]string {
	byPath := make(map[string]string, len(files))
	for _, file := range files {
		byPath[l.known[file].path] = file
	}
	found := map[string]string{}
	for name, path := range l.names {
		if file, known := byPath[path]; known {
			found[name] = file
		}
	}
	return found
}

// claim serves the newest version of a file, unless another file has its name.
func (l *Library) claim(file string, owners map[string]string) bool {
	t := l.known[file]
	t.taken = nil
	if t.newest == nil {
		return true // the last version without errors has its name already
	}
	name := t.newest.Workflow.Name
	if owner, taken := owners[name]; taken && owner != file {
		return false
	}
	owners[name], t.served = file, t.newest
	return true
}

// refuse serves the old version of a file, if its name was not given to another file.
func (l *Library) refuse(file string, owners map[string]string) {
	t := l.known[file]
	what := "is not served"
	if t.served != nil {
		if _, taken := owners[t.served.Workflow.Name]; taken {
			t.served = nil
		} else {
			owners[t.served.Workflow.Name] = file
			what = "is served in its old version"
		}
	}
	name := t.newest.Workflow.Name
	owner := "is served"
	if l.known[owners[name]].served == nil {
		owner = "had it first and cannot be served"
	}
	t.taken = fmt.Errorf("two files have the name %q: %s %s, %s %s; give one of them another `name:`", name, owners[name], owner, file, what)
}
