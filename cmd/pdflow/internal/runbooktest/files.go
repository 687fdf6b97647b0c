package runbooktest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/pdflow/pdflow/engine/source"
	"github.com/rogpeppe/go-internal/txtar"
)

// inMemory returns the files of a test. They are never written to a disk, so a name or a link can lead
// nowhere. Of two files of one name the last one counts.
func inMemory(archive *txtar.Archive) fstest.MapFS {
	files := fstest.MapFS{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o444}
	}
	return files
}

// A found is a file that a test names: a file of the test, or a file next to it.
type found struct {
	path string // as messages show it
	name string // in the files
	text []byte
	all  fs.FS // the files of the test, or the folder
}

// key returns a text that no other file of the test has.
func (f *found) key() string {
	if _, inTest := f.all.(fstest.MapFS); inTest {
		return "-- " + f.name + " --"
	}
	return f.name
}

// near returns the files of the folder that holds the file.
func (f *found) near() (fs.FS, error) { return fs.Sub(f.all, path.Dir(f.name)) }

// find reads a file of the test, or a file next to it. Hidden files are not read, because a folder may have
// the credentials of its tools there.
func (t *runbookTest) find(name string) (*found, error) {
	if !filepath.IsLocal(name) || strings.ContainsAny(name, "\x00\n") {
		return nil, fmt.Errorf("%q is outside the folder of the test", name)
	}
	slashed := path.Clean(filepath.ToSlash(name))
	if file, ok := t.own[slashed]; ok {
		return &found{slashed, slashed, file.Data, t.own}, nil
	}
	if strings.HasPrefix(slashed, ".") || strings.Contains(slashed, "/.") {
		return nil, fmt.Errorf("there is no file %s in the test, and hidden files next to it are not read", name)
	}
	text, err := t.folder.Read(slashed, source.MaxFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &missingError{name}
	}
	if err != nil {
		return nil, err
	}
	return &found{t.folder.Path(slashed), slashed, text, t.folder}, nil
}

// A missingError says that there is no file of a name.
type missingError struct{ name string }

// Error says where the file may be.
func (e *missingError) Error() string {
	return fmt.Sprintf("there is no file %s, neither in the test nor next to it", e.name)
}

// besides reads another file of the place of a file. It returns nil if there is none.
func (t *runbookTest) besides(file *found, name string) (*found, error) {
	if inTest, ok := file.all.(fstest.MapFS); ok {
		if other, ok := inTest[name]; ok {
			return &found{name, name, other.Data, inTest}, nil
		}
		return nil, nil
	}
	text, err := t.folder.Read(name, source.MaxFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found{t.folder.Path(name), name, text, t.folder}, nil
}

// readInput reads a file that an input names.
func (t *runbookTest) readInput(name string) ([]byte, error) {
	file, err := t.find(name)
	if err != nil {
		return nil, err
	}
	return file.text, nil
}
