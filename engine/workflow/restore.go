package workflow

import (
	"io"
	"io/fs"
	"strings"
	"time"
)

// Restore parses a workflow from the sources that a plan was made from, as a
// journal keeps them: the workflow first, then the Lua files beside it. The
// error is that of Parse.
func Restore(sources []Source) (*Workflow, error) {
	if len(sources) == 0 {
		sources = []Source{{}}
	}
	w, err := Parse(sources[0].Name, sources[0].Text)
	w.Files = sourceFiles(sources[1:])
	return w, err
}

// sourceFiles are sources as the files that they were, by their names in the
// folder of the workflow.
type sourceFiles []Source

var _ fs.FS = sourceFiles(nil)

// Open opens a source for reading.
func (s sourceFiles) Open(name string) (fs.File, error) {
	for i := range s {
		if s[i].Name == name {
			return &sourceFile{&s[i], strings.NewReader(string(s[i].Text))}, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// A sourceFile is a source that is open.
type sourceFile struct {
	source *Source
	io.Reader
}

// Stat describes the file.
func (f *sourceFile) Stat() (fs.FileInfo, error) { return sourceInfo{f.source}, nil }

// Close does nothing.
func (*sourceFile) Close() error { return nil }

// A sourceInfo describes a source as a regular file that nobody may change.
type sourceInfo struct{ source *Source }

// Name returns the name without folders.
func (i sourceInfo) Name() string {
	return i.source.Name[strings.LastIndexByte(i.source.Name, '/')+1:]
}

// Size returns the length in bytes.
func (i sourceInfo) Size() int64 { return int64(len(i.source.Text)) }

// Mode returns that of a file that is read only.
func (sourceInfo) Mode() fs.FileMode { return 0o444 }

// ModTime is not known.
func (sourceInfo) ModTime() time.Time { return time.Time{} }

// IsDir returns false.
func (sourceInfo) IsDir() bool { return false }

// Sys returns nothing.
func (sourceInfo) Sys() any { return nil }
