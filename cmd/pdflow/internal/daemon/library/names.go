package library

import "fmt"

// share gives each workflow name to one file. A file that has a name and still uses it
// keeps it. Then the other names are given, by path. If a file does not get the name of its
// newest version, its old version is served.
func (l *Library) share() {
	owners := map[string]string{}
	files := sortedKeys(l.known)
	for _, file := range files {
		if t := l.known[file]; t.served != nil && (t.newest == nil || t.newest.Workflow.Name == t.served.Workflow.Name) {
			owners[t.served.Workflow.Name] = file
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
	t.taken = fmt.Errorf("two files have the name %q: %s is served, %s %s; give one of them another `name:`", name, owners[name], file, what)
}
