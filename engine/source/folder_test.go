package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestFolderIsNotLeft: names and links that lead out of a folder are refused, those within
// are followed, and so is a link to the folder itself.
func TestFolderIsNotLeft(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the links of this test are those of Unix")
	}
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, name) }
	write := func(name, text string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(in(name)), 0o755), os.WriteFile(in(name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("out.txt", "out")
	write("folder2/near.txt", "out")
	write("folder/a.txt", "a")
	write("folder/sub/b.txt", "b")
	write("folder/..v1/c.txt", "c")
	for name, to := range map[string]string{
		"folder/link": "a.txt", "folder/deep": "sub/b.txt", "folder/sub/up": "../a.txt", "folder/abs": in("folder/sub/b.txt"), "folder/..data": "..v1",
		"folder/c.txt": "..data/c.txt", "folder/out": "../out.txt", "folder/far": in("out.txt"), "folder/top": "..", "folder/near": "../folder2/near.txt",
		"folder/chain": "out", "folder/etc": "/etc", "folder/round": "../folder/a.txt", "folder/gone": "nothing", "folder/self": "self", "current": "folder",
	} {
		if err := os.Symlink(to, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	leaves := "is a link that leaves the folder " + in("current")
	for name, want := range map[string]string{
		"a.txt": "", "sub/b.txt": "", "link": "", "deep": "", "sub/up": "", "abs": "", "c.txt": "", "..data/c.txt": "", "round": "",
		"out": leaves, "far": leaves, "near": leaves, "chain": leaves, "top/out.txt": leaves, "top/folder/a.txt": "", "etc/passwd": leaves,
		"../out.txt": "is not the name of a file in the folder", "/etc/passwd": "is not the name", "sub/../../out.txt": "is not the name", "": "is not the name",
		"a.txt\x00": "is not the name", "gone": "no such file", "none": "no such file", "self": "self", "sub": "is a folder; expected a file", ".": "is a folder",
	} {
		t.Run(name, func(t *testing.T) {
			folder, err := OpenFolder(in("current"))
			if err != nil {
				t.Fatal(err)
			}
			defer folder.Close()
			text, err := folder.Read(name, 100)
			switch {
			case want == "" && (err != nil || len(text) != 1):
				t.Errorf("got %q, %v, want the text", text, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("got %q, %v, want an error with %q", text, err, want)
			}
			f, err := folder.Open(name)
			if (err == nil) != (want == "") {
				t.Errorf("Open: got %v, want as Read", err)
			}
			if err == nil {
				f.Close()
			}
			if left := new(LeavesError); errors.As(err, &left) != (want == leaves || strings.HasPrefix(want, "is not the name")) {
				t.Errorf("Open: got %v, want that it says whether the folder is left", err)
			}
		})
	}
}

// TestFind: what is found is in the folder or below it, and is not hidden. A link that
// leaves, and a folder that cannot be read, are found and fail when they are read.
func TestFind(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"f/a.yaml", "f/b.txt", "f/sub/c.yaml", "f/.hidden.yaml", "f/.git/d.yaml", "f/closed/e.yaml", "g/out.yaml"} {
		file := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("../g/out.yaml", filepath.Join(top, "f/link.yaml")), os.Symlink("../g", filepath.Join(top, "f/linked")), os.Symlink("f", filepath.Join(top, "now"))); err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(filepath.Join(top, "f/closed"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(top, "f/closed"), 0o700) })
	found, err := Find(filepath.Join(top, "now"), func(name string) bool { return filepath.Ext(name) == ".yaml" })
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range found {
		text, err := f.Read(10)
		name, _ := filepath.Rel(top, f.Path)
		got += fmt.Sprintf("%s %q %v\n", filepath.ToSlash(name), text, err != nil)
	}
	want := "now/a.yaml \"x\" false\nnow/closed \"\" true\nnow/link.yaml \"\" true\nnow/sub/c.yaml \"x\" false\n"
	if os.Geteuid() == 0 { // root may read everything
		want = strings.Replace(want, "now/closed \"\" true", "now/closed/e.yaml \"x\" false", 1)
	}
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if _, err := Find(filepath.Join(top, "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is no such folder", err)
	}
}

// TestReplace: a file is replaced as a whole, keeps its permissions, and is never a link.
func TestReplace(t *testing.T) {
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, name) }
	if err := errors.Join(os.MkdirAll(in("f/sub"), 0o755), os.WriteFile(in("f/a"), []byte("old"), 0o640), os.WriteFile(in("out"), []byte("old"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("../out", in("f/link")), os.Symlink("a", in("f/inside")), os.Symlink("../out", in("f/.a-0~"))); err != nil {
		t.Skip(err)
	}
	folder, err := OpenFolder(in("f"))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for name, want := range map[string]bool{"a": true, "new": true, "sub/new": true, "link": false, "inside": false, "sub": false, "../out": false} {
		if err := folder.Replace(name, []byte("new")); (err == nil) != want {
			t.Errorf("%s: got %v, want success: %v", name, err, want)
		}
		text, err := os.ReadFile(in("f/" + name))
		if want && (err != nil || string(text) != "new") {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
	if text, err := os.ReadFile(in("out")); err != nil || string(text) != "old" {
		t.Errorf("a file outside became %q, %v", text, err)
	}
	if info, err := os.Stat(in("f/a")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got the mode %v, %v, want that it is kept", info.Mode(), err)
	}
	entries, err := os.ReadDir(in("f"))
	if names := fmt.Sprint(entries); err != nil || len(entries) != 6 {
		t.Errorf("got %s, %v, want no file that is left over", names, err)
	}
}
