package runbooktest_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runbooktest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/source"
)

// secret is in the files outside the folder of the tests. No log may contain it.
const secret = "Tr0ub4dor"

// A tree is a folder with secrets, and in it the folder `flows` of a pull request.
type tree struct {
	*testing.T
	root string
}

// script returns a workflow with a script whose x is its output.
func script(lua string) string {
	return "steps:\n  - id: a\n    lua: |\n      " + lua + "\noutputs: {x: \"${{ steps.a.outputs.x }}\"}\n"
}

// newTree makes the files and links that every escape may use.
func newTree(t *testing.T) *tree {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the links of this test are those of Unix")
	}
	w := &tree{t, t.TempDir()}
	for name, text := range map[string]string{
		"secret.txt":        secret + "\n",
		"secret.yaml":       "token: " + secret + "\n",
		"secret.lua":        "return '" + secret + "'\n",
		"secret/world.yaml": "http: {\"GET https://" + secret + ".example.com\": {status: 200}}\n",
		"secret/w.yaml":     script("log.info('" + secret + "')"),
		"secret/m.lua":      "return {text = '" + secret + "'}\n",
		"flows/w.yaml":      "inputs: {x: {type: string, default: none}}\n" + script("return {x = inputs.x}"),
		"flows/m.yaml":      script(`return {x = require("m").text}`),
		"flows/f.yaml":      "steps: [{id: a, lua_file: s.lua}]\n",
		"flows/h.yaml":      "permissions: {http: [\"https://*.example.com\"]}\nsteps: [{uses: log.info, with: {message: hi}}]\n",
		"flows/.env":        "TOKEN=" + secret + "\n",
		"flows/.git/config": "token = " + secret + "\n",
	} {
		w.write(name, text)
	}
	for name, to := range map[string]string{
		"flows/link.txt": "../secret.txt", "flows/abs.txt": filepath.Join(w.root, "secret.txt"), "flows/chain.txt": "link.txt",
		"flows/up": "..", "flows/out": "../secret", "flows/l.yaml": "../secret/w.yaml", "flows/m.lua": "../secret/m.lua", "flows/s.lua": "../secret.lua",
		"flows/h.world.yaml": "../secret/world.yaml", "flows/seed.yaml": "../secret.yaml", "flows/proc.txt": "/proc/self/environ", "flows/loop.txt": "loop.txt",
	} {
		w.link(name, to)
	}
	return w
}

func (w *tree) path(name string) string { return filepath.Join(w.root, filepath.FromSlash(name)) }

func (w *tree) write(name, text string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
}

func (w *tree) link(name, to string) {
	w.Helper()
	if err := os.Symlink(to, w.path(name)); err != nil {
		w.Fatal(err)
	}
}

// outside returns the names and texts of everything outside the folder of the tests.
func (w *tree) outside() string {
	w.Helper()
	var b strings.Builder
	err := filepath.WalkDir(w.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == w.path("flows") {
			return fs.SkipDir
		}
		text, _ := os.ReadFile(path)
		b.WriteString(path + "\n" + string(text) + "\n")
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return b.String()
}

// TestA4Confined: nothing that a test says reads a file outside its folder, with and without
// --update. Each row is a test file that tries, and what it gets.
func TestA4Confined(t *testing.T) {
	const outside, noFile, leaves, none = "is outside the test", "there is no file", "is a link that leaves the folder", "is not a command of tests"
	const notInside, wrongName, hidden = "is outside the folder of the test", "is not a name of a file inside the test", "hidden files next to it are not read"
	text := "\n-- x.txt --\n-- e.yaml --\nhttp: {}\n"
	rows := []struct{ name, script, want string }{
		{"absolute", "cmp /etc/passwd x.txt", outside},
		{"the row of issue A4", "cmp .'.'/.'.'/.'.'/.'.'/.'.'/.'.'/etc/passwd x.txt", outside},
		{"quotes within a name", "cmp '..'/secret.txt x.txt", outside},
		{"a quote at the beginning", "cmp ''../secret.txt x.txt", outside},
		{"up from a folder that is not there", "cmp -x/../../secret.txt x.txt", outside},
		{"up within, then out", "cmp a/../../secret.txt x.txt", outside},
		{"the second name", "cmp x.txt ../secret.txt", outside},
		{"both names", "cmp ../secret.txt ../secret.yaml", outside},
		{"not equal", "! cmp ../secret.txt x.txt", outside},
		{"grep", "grep Tr ../secret.txt", outside},
		{"grep with a count", "grep -count=1 'Tr.*' .'.'/secret.txt", outside},
		{"not grep", "! grep . ../secret.txt", outside},
		{"grep after a dash", "grep . -count=1/../../../secret.txt", outside},
		{"a variable", "cmp $WORK/../../secret.txt x.txt", outside},
		{"a variable alone", "cmp $WORK x.txt", noFile},
		{"a variable of the machine", "cmp $HOME/secret.txt x.txt", noFile},
		{"a variable for a separator", "cmp ..${/}secret.txt x.txt", noFile},
		{"a variable in braces", "grep . ${WORK}/../../secret.txt", outside},
		{"a link", "cmp link.txt x.txt", noFile},
		{"a link of the pull request to grep", "grep . link.txt", noFile},
		{"stdin", "stdin ../secret.txt", none},
		{"unquote", "unquote ../secret.txt", none},
		{"cp", "cp ../secret.txt x.txt", none},
		{"exec", "exec cat ../secret.txt", none},
		{"a negated exec", "! exec cat /etc/passwd", none},
		{"cd", "cd ..", none},
		{"env", "env HOME", none},
		{"symlink", "symlink y.txt -> ../secret.txt", none},
		{"mkdir", "mkdir ../made", none},
		{"rm", "rm ../secret.txt", none},
		{"mv", "mv ../secret.txt x.txt", none},
		{"a quoted command", "e'x'ec cat ../secret.txt", none},
		{"a condition", "[unix] exec cat ../secret.txt", "does not begin with a command of tests"},
		{"a condition before a known word", "[exec:cat] cmp ../secret.txt x.txt", "does not begin with a command of tests"},
		{"another case of a command", "Exec cat ../secret.txt", "does not begin with a command of tests"},
		{"in the background", "run w.yaml &", "background"},
		{"in the background with a name", "run w.yaml &a&", "background"},
		{"an open quote", "cmp '../secret.txt x.txt", "a quote is not closed"},
		{"run a file outside", "run ../secret/w.yaml", notInside},
		{"run an absolute file", "run /etc/passwd", notInside},
		{"run through a folder", "run out/w.yaml", leaves},
		{"run a link", "run l.yaml", leaves},
		{"run up and down again", "run up/flows/w.yaml", leaves},
		{"every", "every 1m 2 run l.yaml", leaves},
		{"an input that is a link", "run w.yaml -i x=@link.txt", leaves},
		{"an input by an absolute link", "run w.yaml -i x=@abs.txt", leaves},
		{"an input by a link to a link", "run w.yaml -i x=@chain.txt", leaves},
		{"an input through a folder", "run w.yaml -i x=@up/secret.txt", leaves},
		{"an input of the process", "run w.yaml -i x=@proc.txt", leaves},
		{"an input that is a circle", "run w.yaml -i x=@loop.txt", "loop.txt"},
		{"an input outside", "run w.yaml -i x=@../secret.txt", notInside},
		{"an input with quotes", "run w.yaml -i x=@.'.'/secret.txt", notInside},
		{"an absolute input", "run w.yaml -i x=@/etc/passwd", notInside},
		{"standard input", "run w.yaml -i x=@-", noFile},
		{"an input file", "run w.yaml --input-file ../secret.yaml", notInside},
		{"an input file after =", "run w.yaml --input-file=../secret.yaml", notInside},
		{"an input file that is a link", "run w.yaml --input-file seed.yaml", leaves},
		{"an input file on standard input", "run w.yaml --input-file -", noFile},
		{"a hidden file", "run w.yaml -i x=@.env", hidden},
		{"a file of a hidden folder", "run w.yaml -i x=@.git/config", hidden},
		{"a hidden file by another name", "run w.yaml -i x=@a/../.env", hidden},
		{"an account", "account ../secret.yaml", notInside},
		{"an account that is a link", "account seed.yaml", leaves},
		{"a world", "world ../secret/world.yaml", notInside},
		{"a world through a folder", "world out/world.yaml", leaves},
		{"the world next to a workflow", "run h.yaml", leaves},
		{"faults", "faults seed.yaml", leaves},
		{"a module that is a link", "run m.yaml", leaves},
		{"a script that is a link", "run f.yaml", leaves},
		{"NUL in a name", "run w.yaml -i x=@link.txt\x00", notInside},
		{"NUL in a name of cmp", "cmp x.txt\x00/../../secret.txt x.txt", outside},
		{"a carriage return", "cmp ../secret.txt x.txt\r", outside},
		{"a backslash", `cmp ..\secret.txt x.txt`, outside},
		{"another case of a file", "run L.YAML", noFile},
		{"a name of Windows", `run w.yaml -i x=@C:\secret.txt`, noFile},
		{"a file of the test outside", "run w.yaml\n-- ../x --\ngone", wrongName},
		{"an absolute file of the test", "run w.yaml\n-- /etc/passwd --\ngone", wrongName},
		{"a file of the test that climbs", "run w.yaml\n-- a/../../x --\ngone", wrongName},
		{"a file of the test with NUL", "run w.yaml\n-- a\x00b --\ngone", wrongName},
		{"a file of the test through a link", "cmp up/secret.txt x.txt\n-- up/secret.txt --\nmine", "differ"},
		{"a file of the test over a link", "cmp link.txt x.txt\n-- link.txt --\nmine", "differ"},
		{"a workflow of the test that reads a link", "run own.yaml\n-- own.yaml --\n" + script(`return {x = require("m").text}`), "there is no file"},
		{"a workflow of the test that climbs", "run own.yaml\n-- own.yaml --\nsteps: [{lua_file: ../secret.lua}]", "is not a path inside"},
		{"an absolute lua_file", "run own.yaml\n-- own.yaml --\nsteps: [{lua_file: /etc/x.lua}]", "is not a path inside"},
	}
	for _, row := range rows {
		for _, update := range []bool{false, true} {
			name := row.name
			if update {
				name += ", --update"
			}
			t.Run(name, func(t *testing.T) {
				w := newTree(t)
				before := w.outside()
				w.write("flows/x.test.txtar", row.script+text)
				files, err := runbooktest.Files([]string{w.path("flows")}, "")
				if err != nil {
					t.Fatal(err)
				}
				result := runbooktest.Run(context.Background(), &setup.Configuration{}, files, update)[0]
				if result.Passed != (update && row.want == "differ") || !strings.Contains(result.Log, row.want) && !result.Passed {
					t.Errorf("passed: %v; got\n%s\nwant that it fails with %q", result.Passed, result.Log, row.want)
				}
				if strings.Contains(result.Log, secret) || strings.Contains(result.Log, "root:") {
					t.Errorf("the log has the text of a file outside:\n%s", result.Log)
				}
				if w.outside() != before {
					t.Error("something outside the folder has changed")
				}
				if text, err := os.ReadFile(w.path("flows/x.test.txtar")); err != nil || bytes.Contains(text, []byte(secret)) {
					t.Errorf("the test file is %q, %v", text, err)
				}
			})
		}
	}
}

// TestA4InsideIsRead: files and links within the folder are read, also below it.
func TestA4InsideIsRead(t *testing.T) {
	w := newTree(t)
	w.write("flows/sub/in.txt", "inside\n")
	w.link("flows/in.txt", "sub/in.txt")
	w.link("flows/absolute.txt", w.path("flows/sub/in.txt"))
	w.write("flows/sub/v.yaml", script(`return {x = require("n").text}`))
	w.write("flows/sub/n.lua", "return {text = 'a module'}\n")
	w.write("flows/x.test.txtar", `run ./w.yaml -i x=@in.txt
stdout inside
run w.yaml -i x=@absolute.txt
stdout inside
run w.yaml -i x=@sub/../sub/in.txt
stdout inside
run sub/v.yaml
stdout 'a module'
run w.yaml -i 'x=it''s $HOME' # a comment
stdout '^x  it''s \$HOME$'
grep -count=2 '^.$' two.txt
cmp a//two.txt two.txt
-- two.txt --
1
2
-- ./a/two.txt --
1
2
`)
	files, err := runbooktest.Files([]string{w.path("flows")}, "")
	if err != nil {
		t.Fatal(err)
	}
	if result := runbooktest.Run(context.Background(), &setup.Configuration{}, files, false)[0]; !result.Passed {
		t.Errorf("got\n%s\nwant that it passes", result.Log)
	}
}

// TestA4UpdateWritesOnlyTheTest: neither --update nor --record writes through a link, and
// neither opens a file that is there already.
func TestA4UpdateWritesOnlyTheTest(t *testing.T) {
	const wrong = "run w.yaml\ncmp stdout n.txt\n-- n.txt --\nold\n"
	w := newTree(t)
	w.write("outside.test.txtar", wrong)
	w.write("flows/real.test.txtar", wrong)
	w.write("flows/inside.txtar", wrong)
	w.write("empty.txt", "")
	w.link("flows/out.test.txtar", "../outside.test.txtar")
	w.link("flows/in.test.txtar", "inside.txtar")
	w.link("flows/.real.test.txtar-0~", "../empty.txt") // where a new file might be written first
	w.link("flows/.recording-w.test.txtar", "../empty.txt")
	if err := os.Chmod(w.path("flows/real.test.txtar"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := w.outside()

	files, err := runbooktest.Files([]string{w.path("flows")}, "")
	if err != nil {
		t.Fatal(err)
	}
	// A file that was named is followed for reading, but not for writing.
	files = append(files, source.File{Path: w.path("flows/out.test.txtar")})
	want := []struct {
		passed bool
		log    string
	}{{false, "is not a regular file but a link"}, {false, "is a link that leaves the folder"}, {true, ""}, {false, "is not a regular file but a link"}}
	for i, result := range runbooktest.Run(context.Background(), &setup.Configuration{}, files, true) {
		if result.Passed != want[i].passed || !strings.Contains(result.Log, want[i].log) {
			t.Errorf("%s: passed: %v; got\n%s\nwant %v, %q", result.File, result.Passed, result.Log, want[i].passed, want[i].log)
		}
	}
	text, err := os.ReadFile(w.path("flows/real.test.txtar"))
	if err != nil || !strings.Contains(string(text), "x  none") {
		t.Errorf("the updated test is %q, %v", text, err)
	}
	if info, err := os.Lstat(w.path("flows/real.test.txtar")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the updated test has the mode %v, %v; want that it is kept", info.Mode(), err)
	}

	w.link("flows/w.test.txtar", "../empty.txt")
	for _, overwrite := range []bool{false, true} {
		var printed bytes.Buffer
		p := console.New(strings.NewReader(""), &printed, &printed, &redact.Redactor{})
		err := runbooktest.Record(context.Background(), p, &setup.Configuration{}, []string{w.path("flows/w.yaml")}, runbooktest.Recording{Overwrite: overwrite})
		if err == nil {
			t.Errorf("recorded over a link (overwrite: %v): %s", overwrite, printed.String())
		}
	}
	if err := os.Remove(w.path("flows/w.test.txtar")); err != nil {
		t.Fatal(err)
	}
	p := console.New(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, &redact.Redactor{})
	if err := runbooktest.Record(context.Background(), p, &setup.Configuration{}, []string{w.path("flows/w.yaml")}, runbooktest.Recording{}); err != nil {
		t.Errorf("record: %v", err)
	}
	if got := w.outside(); got != before {
		t.Errorf("something outside the folder has changed:\n%s\nwas\n%s", got, before)
	}
}
