package source

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestA18OnlyRegularFiles: what is not a regular file of a usual size is refused, also
// behind a link. Nothing is waited for and nothing is read without end.
func TestA18OnlyRegularFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the files of this test are those of Unix")
	}
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := syscall.Mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	sparse, err := os.Create(in("sparse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sparse.Truncate(40 << 30); err != nil {
		t.Fatal(err)
	}
	sparse.Close()
	for name, text := range map[string]string{"full": strings.Repeat("x", 100), "large": strings.Repeat("x", 101), "empty": ""} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"to-pipe": in("pipe"), "to-zero": "/dev/zero", "to-null": "/dev/null", "to-sparse": in("sparse"), "to-full": in("full"), "to-folder": folder, "to-itself": in("to-itself")} {
		if err := os.Symlink(target, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"pipe": "not a regular file but a named pipe", "to-pipe": "a named pipe", "to-zero": "a device", "to-null": "a device",
		"sparse": "42949672960 bytes, at most 100 are read", "to-sparse": "at most 100", "large": "101 bytes, at most 100", "to-folder": "is a folder",
		"to-itself": "too many levels", "none": "no such file", "full": "", "to-full": "", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			text, err := ReadFile(in(name), 100)
			switch {
			case want == "" && (err != nil || name != "empty" && len(text) != 100):
				t.Errorf("got %d bytes, %v, want the text", len(text), err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("got %d bytes, %v, want an error with %q", len(text), err, want)
			}
		})
	}
}

// TestA8ManyValues: a file with more values than a person writes is refused before the
// YAML library makes a tree of it. The measure is what the library allocates: some 500
// bytes for a value.
func TestA8ManyValues(t *testing.T) {
	fill := func(unit string) string { return strings.Repeat(unit, MaxFileSize/len(unit)) }
	list := func(unit string) string { return "a: [" + fill(unit)[:MaxFileSize-10] }
	for name, text := range map[string]string{
		"numbers": list("1,"), "empty texts": list(`"",`), "maps": list("{},"), "nested": list("["), "blocks": fill("- 1\n"), "dashes": fill("- "),
		"keys": fill("a: 1\n"), "nulls": fill("a:\n"), "questions": fill("? a\n"), "anchors": "a: &a 1\nb: [" + fill("*a,"), "tags": fill("- !x\n"),
		"comments": fill("#\n"), "long comments": fill("- 1 # x\n"), "lines": "a: |\n" + fill(" \n"), "folded": "a: >\n" + fill(" x\n"),
		"documents": fill("---\n"), "too large": strings.Repeat("x", MaxFileSize+1), "flow keys": "a: {" + fill("a,"), "aliases": fill("*a "), "plain lines": fill("x\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if len(text) > MaxFileSize && name != "too large" {
				text = text[:MaxFileSize]
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Read("large.yaml", []byte(text)).Err()
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
				t.Errorf("reading it took %d MB, want at most 100", used>>20)
			}
			if err == nil || !strings.Contains(err.Error(), "large.yaml:") {
				t.Errorf("got %v, want an error with a place", err)
			}
		})
	}
	// What people write is far below the bound: 5,000 hosts, and a script of 200 KB.
	hosts := "hosts:\n" + strings.Repeat("  - {name: db.example.com, port: 5432, zone: a}\n", 5000)
	script := "lua: |\n" + strings.Repeat("  local t = {a = 1, b = {2, 3}} -- the table: of names\n", 4000)
	for _, text := range []string{hosts, script} {
		if err := Read("usual.yaml", []byte(text)).Err(); err != nil {
			t.Errorf("%d bytes: got %v, want no error", len(text), err)
		}
	}
}

// TestA8BrokenFile: finding the line of a syntax error parses a bounded amount of text.
func TestA8BrokenFile(t *testing.T) {
	text := strings.Repeat("a"+strings.Repeat("x", 30)+": 1\n", 20_000) + "b: [\n"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Read("broken.yaml", []byte(text)).Err()
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "not valid YAML") {
		t.Errorf("got %v, want a syntax error", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 500<<20 {
		t.Errorf("it took %d MB, want at most 500", used>>20)
	}
}
