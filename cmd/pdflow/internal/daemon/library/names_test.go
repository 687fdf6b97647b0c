package library_test

import (
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
)

// TestT6NamesOverRestart: a file that has a workflow name keeps it over a restart, although
// another file with the name comes first by path. The files of a restart are read without the
// versions that were good before.
func TestT6NamesOverRestart(t *testing.T) {
	const first = `two files have the name "x": z.yaml `
	tests := map[string]struct {
		before  map[string]string
		during  func(*tree) // while the first process watches
		between func(*tree) // while no process runs
		serves  []string
		problem string // of a.yaml
	}{
		"a second file":                  {map[string]string{"z.yaml": "x 1"}, func(w *tree) { w.write("a.yaml", "x 2") }, nil, []string{"z.yaml: x 1"}, first + "is served, a.yaml is not served; give one of them another `name:`"},
		"a second file between":          {map[string]string{"z.yaml": "x 1"}, nil, func(w *tree) { w.write("a.yaml", "x 2") }, []string{"z.yaml: x 1"}, first + "is served, a.yaml is not served; give one of them another `name:`"},
		"edited between":                 {map[string]string{"z.yaml": "x 1"}, nil, func(w *tree) { w.write("a.yaml", "x 2"); w.write("z.yaml", "x 3") }, []string{"z.yaml: x 3"}, first + "is served, a.yaml is not served; give one of them another `name:`"},
		"the first is broken":            {map[string]string{"z.yaml": "x 1"}, func(w *tree) { w.write("a.yaml", "x 2"); w.Check(); w.write("z.yaml", "bad") }, nil, nil, first + "had it first and cannot be served, a.yaml is not served; give one of them another `name:`"},
		"the first goes":                 {map[string]string{"z.yaml": "x 1"}, func(w *tree) { w.write("a.yaml", "x 2") }, func(w *tree) { w.remove("z.yaml") }, []string{"a.yaml: x 2"}, ""},
		"the first gets another name":    {map[string]string{"z.yaml": "x 1"}, func(w *tree) { w.write("a.yaml", "x 2") }, func(w *tree) { w.write("z.yaml", "y") }, []string{"a.yaml: x 2", "z.yaml: y"}, ""},
		"it gave the name up, and broke": {map[string]string{"z.yaml": "x 1"}, func(w *tree) { w.write("z.yaml", "y"); w.Check(); w.write("z.yaml", "bad") }, func(w *tree) { w.write("a.yaml", "x 2") }, []string{"a.yaml: x 2"}, ""},
		"the name moved":                 {map[string]string{"z.yaml": "x 1"}, func(w *tree) { w.remove("z.yaml"); w.write("m.yaml", "x 3"); w.Check(); w.write("z.yaml", "x 1") }, func(w *tree) { w.write("a.yaml", "x 2") }, []string{"m.yaml: x 3"}, `two files have the name "x": m.yaml is served, a.yaml is not served; give one of them another ` + "`name:`"},
		"nothing before":                 {map[string]string{"a.yaml": "x 1", "z.yaml": "x 2"}, nil, nil, []string{"a.yaml: x 1"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTree(t, test.before)
			w.Prefer(nil)
			if test.during != nil {
				test.during(w)
				w.Check()
			}
			names := w.Snapshot().Names
			if test.between != nil {
				test.between(w)
			}
			for range 2 { // and over another restart
				var err error
				if w.Library, err = library.Open(w.config([]string{w.folder})); err != nil {
					t.Fatal(err)
				}
				w.Prefer(names)
				w.serves(test.serves...)
				for _, f := range w.Snapshot().Files {
					problem := ""
					if f.Problem != nil {
						problem = w.short(f.Problem.Error())
					}
					if w.short(f.Path) == "a.yaml" && problem != test.problem {
						t.Errorf("the problem is %q, want %q", problem, test.problem)
					}
				}
				names = w.Snapshot().Names
			}
			if changes := w.Check(); len(changes) > 0 {
				t.Errorf("a check changes %v", w.lines(changes))
			}
		})
	}
}
