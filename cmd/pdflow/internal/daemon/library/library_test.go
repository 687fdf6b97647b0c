package library_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// tree is a folder of workflows in a small test language: the first word is the name,
// `bad` is an error, `foreign` is no workflow, and `needs x.lua` makes x.lua a source.
type tree struct {
	*library.Library
	t        *testing.T
	folder   string
	compiled atomic.Int64
	log      io.Writer // nil: nowhere
}

// newTree writes files, by name, and opens a library of the given paths in the folder.
// Without paths it opens the whole folder.
func newTree(t *testing.T, files map[string]string, paths ...string) *tree {
	t.Helper()
	w := &tree{t: t, folder: t.TempDir()}
	for name, text := range files {
		w.write(name, text)
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for i, p := range paths {
		paths[i] = filepath.Join(w.folder, p)
	}
	var err error
	w.Library, err = library.Open(w.config(paths))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *tree) config(paths []string) library.Config {
	log := slog.New(slog.DiscardHandler)
	if w.log != nil {
		log = slog.New(slog.NewTextHandler(w.log, nil))
	}
	return library.Config{Paths: paths, Compile: w.compile, Clock: clock.System{}, Log: log}
}

func (w *tree) compile(file source.File) (plan *workflow.Plan, asked []string, err error) {
	w.compiled.Add(1)
	text, err := file.Read(source.MaxFileSize)
	if err != nil {
		return nil, nil, err
	}
	words := strings.Fields(string(text))
	if len(words) > 0 && words[0] == "foreign" {
		return nil, nil, workflow.NotWorkflow(file.Path, "it is a list")
	}
	if len(words) == 0 || words[0] == "bad" {
		return nil, nil, fmt.Errorf("%s:1:1: %s", filepath.Base(file.Path), text)
	}
	plan = &workflow.Plan{Workflow: &workflow.Workflow{Name: words[0], Description: string(text)}, Sources: []workflow.Source{{Name: filepath.Base(file.Path), Text: text}}}
	for i, word := range words {
		if word != "needs" {
			continue
		}
		script := filepath.Join(filepath.Dir(file.Path), words[i+1])
		asked = append(asked, script)
		lua, err := os.ReadFile(script)
		if err != nil {
			return nil, asked, fmt.Errorf("there is no %s", words[i+1])
		}
		if string(lua) == "bad" {
			return nil, asked, fmt.Errorf("%s is bad", words[i+1])
		}
		plan.Sources = append(plan.Sources, workflow.Source{Name: words[i+1], Text: lua})
		plan.Workflow.Description += " " + string(lua)
	}
	return plan, asked, nil
}

// write replaces a file as editors do: it renames another file to its name.
func (w *tree) write(name, text string) {
	w.t.Helper()
	file := filepath.Join(w.folder, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file+"~", []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		w.t.Fatal(err)
	}
}

func (w *tree) remove(name string) {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.folder, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *tree) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(filepath.Join(w.folder, from), filepath.Join(w.folder, to)); err != nil {
		w.t.Fatal(err)
	}
}

// short returns a text without the folder.
func (w *tree) short(text string) string {
	return strings.ReplaceAll(text, w.folder+string(filepath.Separator), "")
}

// lines returns changes in the notation of the tests.
func (w *tree) lines(changes []library.Change) []string {
	var lines []string
	for _, c := range changes {
		line := fmt.Sprintf("%s %s (%s)", c.Kind, w.short(c.File), c.Workflow)
		if c.Problem != nil {
			line += ": " + w.short(c.Problem.Error())
		}
		lines = append(lines, line)
	}
	return lines
}

// expect checks the files and compares the changes with the expected ones.
func (w *tree) expect(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.lines(w.Check())); diff != "" {
		w.t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// serves compares the plans that are served, as file: text of the plan.
func (w *tree) serves(want ...string) {
	w.t.Helper()
	var got []string
	for _, f := range w.Snapshot().Files {
		if f.Plan != nil {
			got = append(got, w.short(f.Path)+": "+f.Plan.Workflow.Description)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("served (-want +got):\n%s", diff)
	}
}

func TestOpen(t *testing.T) {
	w := newTree(t, map[string]string{
		"a.yaml": "a", "sub/b.yml": "b needs lib/x.lua", "sub/lib/x.lua": "X", "bad.yaml": "bad thing",
		"a.world.yaml": "no", ".hidden.yaml": "no", ".git/c.yaml": "no", "notes.txt": "no",
	})
	w.serves("a.yaml: a", "sub/b.yml: b needs lib/x.lua X")
	if got, want := w.Snapshot().Broken(), 1; got != want {
		t.Errorf("got %d broken files, want %d", got, want)
	}
	if got, want := len(w.Snapshot().Plans()), 2; got != want {
		t.Errorf("got %d plans, want %d", got, want)
	}
	w.expect() // nothing has changed
}

func TestOpenWithoutTheFolder(t *testing.T) {
	w := &tree{t: t}
	missing := filepath.Join(t.TempDir(), "none")
	_, err := library.Open(w.config([]string{missing}))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v, want that %s is not there", err, missing)
	}
}

func TestChanges(t *testing.T) {
	tests := map[string]struct {
		files   map[string]string
		happens func(*tree)
		changes []string
		serves  []string
	}{
		"added":          {nil, func(w *tree) { w.write("b.yaml", "b") }, []string{"added b.yaml (b)"}, []string{"a.yaml: a", "b.yaml: b"}},
		"changed":        {nil, func(w *tree) { w.write("a.yaml", "a 2") }, []string{"changed a.yaml (a)"}, []string{"a.yaml: a 2"}},
		"touched":        {nil, func(w *tree) { w.write("a.yaml", "a") }, nil, []string{"a.yaml: a"}},
		"removed":        {nil, func(w *tree) { w.remove("a.yaml") }, []string{"removed a.yaml (a)"}, nil},
		"renamed":        {nil, func(w *tree) { w.rename("a.yaml", "z.yaml") }, []string{"removed a.yaml (a)", "added z.yaml (a)"}, []string{"z.yaml: a"}},
		"a new name":     {nil, func(w *tree) { w.write("a.yaml", "other") }, []string{"changed a.yaml (other)"}, []string{"a.yaml: other"}},
		"broken":         {nil, func(w *tree) { w.write("a.yaml", "bad") }, []string{"broken a.yaml (a): a.yaml:1:1: bad"}, []string{"a.yaml: a"}},
		"new and broken": {nil, func(w *tree) { w.write("b.yaml", "bad") }, []string{"broken b.yaml (b): b.yaml:1:1: bad"}, []string{"a.yaml: a"}},
		"mended": {
			map[string]string{"b.yaml": "bad"},
			func(w *tree) { w.write("b.yaml", "b") },
			[]string{"mended b.yaml (b)"},
			[]string{"a.yaml: a", "b.yaml: b"},
		},
		"broken otherwise": {
			map[string]string{"b.yaml": "bad"},
			func(w *tree) { w.write("b.yaml", "bad 2") },
			[]string{"broken b.yaml (b): b.yaml:1:1: bad 2"},
			[]string{"a.yaml: a"},
		},
		"a folder": {nil, func(w *tree) { w.write("sub/b.yaml", "b") }, []string{"added sub/b.yaml (b)"}, []string{"a.yaml: a", "sub/b.yaml: b"}},
		"a folder goes": {
			map[string]string{"sub/b.yaml": "b"},
			func(w *tree) { w.remove("sub") },
			[]string{"removed sub/b.yaml (b)"},
			[]string{"a.yaml: a"},
		},
		"a script": {
			map[string]string{"b.yaml": "b needs lib/x.lua", "lib/x.lua": "X"},
			func(w *tree) { w.write("lib/x.lua", "Y") },
			[]string{"changed b.yaml (b)"},
			[]string{"a.yaml: a", "b.yaml: b needs lib/x.lua Y"},
		},
		"a script of others": {map[string]string{"lib/x.lua": "X"}, func(w *tree) { w.write("lib/x.lua", "Y") }, nil, []string{"a.yaml: a"}},
		"a script breaks": {
			map[string]string{"b.yaml": "b needs lib/x.lua", "lib/x.lua": "X"},
			func(w *tree) { w.write("lib/x.lua", "bad") },
			[]string{"broken b.yaml (b): lib/x.lua is bad"},
			[]string{"a.yaml: a", "b.yaml: b needs lib/x.lua X"},
		},
		"a script is mended": {
			map[string]string{"b.yaml": "b needs lib/x.lua", "lib/x.lua": "bad"},
			func(w *tree) { w.write("lib/x.lua", "X") },
			[]string{"mended b.yaml (b)"},
			[]string{"a.yaml: a", "b.yaml: b needs lib/x.lua X"},
		},
		"a script goes": {
			map[string]string{"b.yaml": "b needs lib/x.lua", "lib/x.lua": "X"},
			func(w *tree) { w.remove("lib") },
			[]string{"broken b.yaml (b): there is no lib/x.lua"},
			[]string{"a.yaml: a", "b.yaml: b needs lib/x.lua X"},
		},
		"a missing script comes": {
			map[string]string{"b.yaml": "b needs lib/x.lua"},
			func(w *tree) { w.write("lib/x.lua", "X") },
			[]string{"mended b.yaml (b)"},
			[]string{"a.yaml: a", "b.yaml: b needs lib/x.lua X"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"a.yaml": "a"}
			for name, text := range test.files {
				files[name] = text
			}
			w := newTree(t, files)
			test.happens(w)
			w.expect(test.changes...)
			w.serves(test.serves...)
			w.expect() // there are no further changes
		})
	}
}

func TestNames(t *testing.T) {
	const two = `two files have the name "x": `
	tests := map[string]struct {
		files   map[string]string
		happens func(*tree)
		changes []string
		serves  []string
	}{
		"another file": {
			map[string]string{"b.yaml": "x"},
			func(w *tree) { w.write("a.yaml", "x 2") },
			[]string{"broken a.yaml (a): " + two + "b.yaml is served, a.yaml is not served; give one of them another `name:`"},
			[]string{"b.yaml: x"},
		},
		"an edit": {
			map[string]string{"a.yaml": "y", "b.yaml": "x"},
			func(w *tree) { w.write("a.yaml", "x 2") },
			[]string{"broken a.yaml (y): " + two + "b.yaml is served, a.yaml is served in its old version; give one of them another `name:`"},
			[]string{"a.yaml: y", "b.yaml: x"},
		},
		"the first goes":    {map[string]string{"a.yaml": "x 1", "b.yaml": "x 2"}, func(w *tree) { w.remove("a.yaml") }, []string{"removed a.yaml (x)", "mended b.yaml (x)"}, []string{"b.yaml: x 2"}},
		"the first changes": {map[string]string{"a.yaml": "x 1", "b.yaml": "x 2"}, func(w *tree) { w.write("a.yaml", "y") }, []string{"changed a.yaml (y)", "mended b.yaml (x)"}, []string{"a.yaml: y", "b.yaml: x 2"}},
		"the first breaks":  {map[string]string{"a.yaml": "x 1", "b.yaml": "x 2"}, func(w *tree) { w.write("a.yaml", "bad") }, []string{"broken a.yaml (x): a.yaml:1:1: bad"}, []string{"a.yaml: x 1"}},
		"they swap": {
			map[string]string{"a.yaml": "x", "b.yaml": "y"},
			func(w *tree) { w.write("a.yaml", "y"); w.write("b.yaml", "x") },
			[]string{"changed a.yaml (y)", "changed b.yaml (x)"},
			[]string{"a.yaml: y", "b.yaml: x"},
		},
		// a gets the name y before b, so b has neither its new name nor its old one.
		"a chain": {
			map[string]string{"a.yaml": "x", "b.yaml": "y", "c.yaml": "z"},
			func(w *tree) { w.write("a.yaml", "y"); w.write("b.yaml", "z") },
			[]string{"changed a.yaml (y)", "broken b.yaml (b): two files have the name \"z\": c.yaml is served, b.yaml is not served; give one of them another `name:`"},
			[]string{"a.yaml: y", "c.yaml: z"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTree(t, test.files)
			test.happens(w)
			w.expect(test.changes...)
			w.serves(test.serves...)
		})
	}
}

func TestOnlyWhatChangedIsCompiled(t *testing.T) {
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("w%d.yaml", i)] = fmt.Sprintf("w%d", i)
	}
	w := newTree(t, files)
	if got := w.compiled.Swap(0); got != 20 {
		t.Fatalf("got %d compilations, want 20", got)
	}
	w.write("w7.yaml", "w7 2")
	w.write("w8.yaml", "w8") // the same text in another file
	w.expect("changed w7.yaml (w7)")
	if got := w.compiled.Load(); got != 1 {
		t.Errorf("got %d compilations, want 1", got)
	}
}

// TestSameSizeAndTime proves that a change is noticed even if the file keeps its size and
// time.
func TestSameSizeAndTime(t *testing.T) {
	w := newTree(t, map[string]string{"a.yaml": "a 1"})
	file := filepath.Join(w.folder, "a.yaml")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("a 2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	w.expect("changed a.yaml (a)")
}

// TestA8BrokenFileIsNotCompiledAgain: a broken file that does not change is not compiled
// again, however often and however much later the files are checked. It is compiled again
// when something that it depends on changes.
func TestA8BrokenFileIsNotCompiledAgain(t *testing.T) {
	for name, test := range map[string]struct {
		text    string
		happens func(w *tree)
		want    []string // changes
		again   int64    // compilations
	}{
		"nothing":                       {"bad", func(*tree) {}, nil, 0},
		"another workflow":              {"bad", func(w *tree) { w.write("b.yaml", "b 2") }, []string{"changed b.yaml (b)"}, 1},
		"another script":                {"a needs x.lua", func(w *tree) { w.write("y.lua", "Y") }, nil, 0},
		"it is touched":                 {"bad", func(w *tree) { w.touch("a.yaml") }, nil, 0},
		"it changes and stays broken":   {"bad", func(w *tree) { w.write("a.yaml", "bad 2") }, []string{"broken a.yaml (a): a.yaml:1:1: bad 2"}, 1},
		"it is mended":                  {"bad", func(w *tree) { w.write("a.yaml", "a") }, []string{"mended a.yaml (a)"}, 1},
		"the missing script is written": {"a needs x.lua", func(w *tree) { w.write("x.lua", "X") }, []string{"mended a.yaml (a)"}, 1},
		"the missing script is far":     {"a needs far/deep/x.lua", func(w *tree) { w.write("far/deep/x.lua", "X") }, []string{"mended a.yaml (a)"}, 1},
		"a script that is bad changes":  {"a needs bad.lua", func(w *tree) { w.write("bad.lua", "X") }, []string{"mended a.yaml (a)"}, 1},
		"a script is touched":           {"a needs bad.lua", func(w *tree) { w.touch("bad.lua") }, nil, 0},
		"a script stays bad":            {"a needs bad.lua", func(w *tree) { w.write("bad.lua", "bad") }, nil, 0},
		"a file elsewhere changes":      {"bad", func(w *tree) { w.write("../key", "other key") }, nil, 1},
		"a file elsewhere is written":   {"bad", func(w *tree) { w.write("../new", "key") }, nil, 1},
		"the bytes change and nothing else": {"bad", func(w *tree) {
			info, err := os.Stat(filepath.Join(w.folder, "a.yaml"))
			if err != nil {
				w.t.Fatal(err)
			}
			if err := errors.Join(os.WriteFile(filepath.Join(w.folder, "a.yaml"), []byte("abc"), 0o644), os.Chtimes(filepath.Join(w.folder, "a.yaml"), info.ModTime(), info.ModTime())); err != nil {
				w.t.Fatal(err)
			}
		}, []string{"mended a.yaml (abc)"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTree(t, map[string]string{"flows/b.yaml": "b"}, "flows")
			w.folder = filepath.Join(w.folder, "flows")
			w.write("a.yaml", test.text)
			w.write("bad.lua", "bad")
			w.write("../key", "key")
			clock := &laterClock{later: time.Hour} // no file is young any more
			c := w.config([]string{w.folder})
			c.Clock = clock
			c.Elsewhere = func() []string { return []string{filepath.Join(w.folder, "../key"), filepath.Join(w.folder, "../new")} }
			var err error
			if w.Library, err = library.Open(c); err != nil {
				t.Fatal(err)
			}
			w.compiled.Store(0)
			for range 10 {
				clock.later += time.Hour
				w.expect()
			}
			if got := w.compiled.Load(); got != 0 {
				t.Errorf("got %d compilations of what did not change, want none", got)
			}
			test.happens(w)
			w.expect(test.want...)
			clock.later += time.Hour
			w.expect()
			if got := w.compiled.Load(); got != test.again {
				t.Errorf("got %d compilations, want %d", got, test.again)
			}
		})
	}
}

// touch changes the times of a file.
func (w *tree) touch(name string) {
	w.t.Helper()
	then := time.Now().Add(-time.Minute)
	if err := os.Chtimes(filepath.Join(w.folder, name), then, then); err != nil {
		w.t.Fatal(err)
	}
}

func TestSnapshotsAreImmutable(t *testing.T) {
	w := newTree(t, map[string]string{"a.yaml": "a 1"})
	before := w.Snapshot()
	w.write("a.yaml", "a 2")
	w.write("b.yaml", "b")
	w.Check()
	if got, want := before.Files[0].Plan.Workflow.Description, "a 1"; got != want || len(before.Files) != 1 {
		t.Errorf("got %q in %d files, want %q in 1", got, len(before.Files), want)
	}
}

// TestConfigMap replaces a folder as Kubernetes does: the files are links into a folder
// that is a link itself, and that is replaced by renaming.
func TestConfigMap(t *testing.T) {
	w := newTree(t, map[string]string{"..v1/a.yaml": "a 1", "..v1/x.lua": "X"}, ".")
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(w.folder, name)); err != nil {
			t.Skip(err)
		}
	}
	link("..v1", "..data")
	link(filepath.Join("..data", "a.yaml"), "a.yaml")
	w.expect("added a.yaml (a)")
	w.write("..v2/a.yaml", "a 2")
	link("..v2", "..data_new")
	w.rename("..data_new", "..data")
	w.remove("..v1")
	w.expect("changed a.yaml (a)")
	w.serves("a.yaml: a 2")
}

// TestA3LinkThatLeaves: a link that leads out of its folder is not followed. The files of
// the folder are served.
func TestA3LinkThatLeaves(t *testing.T) {
	w := newTree(t, map[string]string{"flows/a.yaml": "a", "secret/key.yaml": "key"}, "flows")
	for name, to := range map[string]string{"out.yaml": "../secret/key.yaml", "root.yaml": "/etc/passwd", "in.yaml": "a.yaml.txt"} {
		if err := os.Symlink(to, filepath.Join(w.folder, "flows", name)); err != nil {
			t.Skip(err)
		}
	}
	got := ""
	for _, change := range w.Check() {
		got += fmt.Sprintf("%s %s: %v\n", change.Kind, filepath.Base(change.File), change.Problem)
	}
	for _, want := range []string{"broken out.yaml: ", "broken root.yaml: ", "is a link that leaves the folder"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %q", got, want)
		}
	}
	for _, f := range w.Snapshot().Files {
		if strings.Contains(fmt.Sprint(f.Problem), "root:") || strings.Contains(fmt.Sprint(f.Problem), "key ") {
			t.Errorf("%s was read: %v", f.Path, f.Problem)
		}
	}
	if plans := w.Snapshot().Plans(); len(plans) != 1 || plans[0].Workflow.Name != "a" {
		t.Errorf("serving %v, want a", plans)
	}
}

func TestPathThatIsALink(t *testing.T) {
	w := newTree(t, map[string]string{"v1/a.yaml": "a 1", "v2/a.yaml": "a 2"}, "v1")
	if err := os.Symlink("v1", filepath.Join(w.folder, "current")); err != nil {
		t.Skip(err)
	}
	var err error
	if w.Library, err = library.Open(w.config([]string{filepath.Join(w.folder, "current")})); err != nil {
		t.Fatal(err)
	}
	w.serves("current/a.yaml: a 1")
	if err := os.Symlink("v2", filepath.Join(w.folder, "next")); err != nil {
		t.Fatal(err)
	}
	w.rename("next", "current")
	w.expect("changed current/a.yaml (a)")
	w.serves("current/a.yaml: a 2")
}

// TestFolderThatIsAway proves that the plans of a folder are served while the folder is
// missing, as after a failed mount.
func TestFolderThatIsAway(t *testing.T) {
	w := newTree(t, map[string]string{"flows/a.yaml": "a", "other/b.yaml": "b"}, "flows", "other")
	w.rename("flows", "away")
	w.remove("other/b.yaml")
	w.expect("broken flows (): "+filepath.Join(w.folder, "flows")[len(w.folder)+1:]+" cannot be read: no such file or directory", "removed other/b.yaml (b)")
	w.serves("flows/a.yaml: a")
	w.expect()
	w.rename("away", "flows")
	w.expect("mended flows ()")
	w.serves("flows/a.yaml: a")
}

func TestSingleFile(t *testing.T) {
	w := newTree(t, map[string]string{"a.yaml": "a needs lib/x.lua", "lib/x.lua": "X", "b.yaml": "b"}, "a.yaml")
	w.serves("a.yaml: a needs lib/x.lua X")
	w.write("lib/x.lua", "Y")
	w.expect("changed a.yaml (a)")
	w.remove("lib")
	w.expect("broken a.yaml (a): there is no lib/x.lua")
	w.write("lib/x.lua", "Z")
	w.expect("mended a.yaml (a)")
	w.serves("a.yaml: a needs lib/x.lua Z")
}

// TestFolderThatGoesDuringAScan makes and removes a folder all the time. A folder that is
// removed during a scan is not reported as one that cannot be read.
func TestFolderThatGoesDuringAScan(t *testing.T) {
	w := newTree(t, map[string]string{"a.yaml": "a"})
	stop := make(chan struct{})
	var maker sync.WaitGroup
	maker.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = os.MkdirAll(filepath.Join(w.folder, "sub", "deeper"), 0o755)
				_ = os.RemoveAll(filepath.Join(w.folder, "sub"))
			}
		}
	})
	defer maker.Wait()
	defer close(stop)
	for range 2000 {
		if changes := w.Check(); len(changes) > 0 {
			t.Fatalf("got %v, want no change", w.lines(changes))
		}
	}
}

// TestWhatMendsMayLieElsewhere proves that a file is mended by a script in a folder that
// the library does not read.
func TestWhatMendsMayLieElsewhere(t *testing.T) {
	tests := map[string]struct{ broken, path, script string }{
		"beside a single file": {"a needs scripts/x.lua", "flows/a.yaml", "flows/scripts/x.lua"},
		"behind a link":        {"a needs lib/x.lua", "flows", "shared/x.lua"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTree(t, map[string]string{"flows/a.yaml": test.broken}, "flows")
			if err := os.Symlink(filepath.Join(w.folder, "shared"), filepath.Join(w.folder, "flows", "lib")); err != nil {
				t.Fatal(err)
			}
			c := w.config([]string{filepath.Join(w.folder, test.path)})
			c.Clock = &laterClock{later: time.Hour} // no file is young any more
			var err error
			if w.Library, err = library.Open(c); err != nil {
				t.Fatal(err)
			}
			w.expect()
			w.write(test.script, "X")
			w.expect("mended flows/a.yaml (a)")
		})
	}
}

// laterClock is the machine's clock, moved forward.
type laterClock struct {
	clock.System
	later time.Duration
}

func (c *laterClock) Now() time.Time { return c.System.Now().Add(c.later) }

func TestOneFileUnderTwoPaths(t *testing.T) {
	w := newTree(t, map[string]string{"a.yaml": "a"}, ".", "a.yaml")
	w.serves("a.yaml: a")
	w.expect()
}

// TestX4ForeignFiles: a file of a folder that is no workflow is left out, and logged once. It
// is broken if it was served, by this process or before it, or if it was named itself.
func TestX4ForeignFiles(t *testing.T) {
	var log strings.Builder
	w := &tree{t: t, folder: t.TempDir(), log: &log}
	for name, text := range map[string]string{
		"a.yaml": "a", "compose.yml": "foreign", "old.yaml": "foreign", "sub/seed.yaml": "foreign", "named/n.yaml": "foreign", "bad.yaml": "bad",
	} {
		w.write(name, text)
	}
	var err error
	w.Library, err = library.Open(w.config([]string{w.folder, filepath.Join(w.folder, "named", "n.yaml")}))
	if err != nil {
		t.Fatal(err)
	}
	w.Prefer(map[string]string{"old": filepath.Join(w.folder, "old.yaml")}) // it was served before
	w.Check()
	leftOut := func(want ...string) {
		t.Helper()
		var got []string
		for _, file := range slices.Sorted(maps.Keys(w.Snapshot().LeftOut)) {
			got = append(got, w.short(file)+": "+w.Snapshot().LeftOut[file])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("left out (-want +got):\n%s", diff)
		}
	}
	broken := func(want ...string) {
		t.Helper()
		var got []string
		for _, f := range w.Snapshot().Files {
			if f.Problem != nil {
				got = append(got, w.short(f.Path))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("broken (-want +got):\n%s", diff)
		}
	}
	w.serves("a.yaml: a")
	leftOut("compose.yml: it is a list", "sub/seed.yaml: it is a list")
	broken("bad.yaml", "named/n.yaml", "old.yaml")

	w.write("new.yaml", "foreign")
	w.expect()
	leftOut("compose.yml: it is a list", "new.yaml: it is a list", "sub/seed.yaml: it is a list")
	w.write("new.yaml", "new") // it becomes a workflow
	w.expect("added new.yaml (new)")
	w.write("new.yaml", "foreign") // and no workflow again: it was served
	w.expect("broken new.yaml (new): new.yaml:1:1: the file is not a workflow: it is a list (a workflow is a mapping with at least `steps:`)")
	w.write("bad.yaml", "foreign") // it was never served
	w.expect("removed bad.yaml (bad)")
	w.remove("compose.yml")
	w.expect()
	leftOut("bad.yaml: it is a list", "sub/seed.yaml: it is a list")
	broken("named/n.yaml", "new.yaml", "old.yaml")
	for file, want := range map[string]int{"compose.yml": 1, "seed.yaml": 1, "new.yaml": 1, "bad.yaml": 1, "old.yaml": 0, "n.yaml ": 0} {
		if got := strings.Count(log.String(), file); got != want {
			t.Errorf("the log names %s %d times, want %d:\n%s", file, got, want, &log)
		}
	}
}
