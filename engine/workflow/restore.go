package workflow

import (
	"io"
	"io/fs"
	"strings"
	"time"
)

// Restore parses a workflow from the sources of a plan, as a journal keeps them: the
// workflow first, then its Lua files. The error is the error of Parse.
func Restore(sources []Source) (*Workflow, error) {
	if len(sources) == 0 {
		sources = []Source{{}}
	}
	w, err := Parse(sources[0].Name, sources[0].Text)
	w.Files, w.Ceilings = sourceFiles(sources[1:]), unlimited
	return w, err
}

// sourceFiles are sources as a file system: the folder of the workflow.
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

// A sourceFile is an open source.
type sourceFile struct {
	source *Source
	io.Reader
}

// Stat describes the file.
func (f *sourceFile) Stat() (fs.FileInfo, error) { return sourceInfo{f.source}, nil }

// Close does nothing.
func (*sourceFile) Close() error { return nil }

// A sourceInfo describes a source as a regular file that cannot be changed.
type sourceInfo struct{ source *Source }

// Name returns the name without folders.
func (i sourceInfo) Name() string {
	return i.source.Name[strings.LastIndexByte(i.source.Name, '/')+1:]
}

// Size returns the length in bytes.
func (i sourceInfo) Size() int64 { return int64(len(i.source.Text)) }

// Mode returns the mode of a read-only file.
func (sourceInfo) Mode() fs.FileMode { return 0o444 }

// ModTime returns the zero time: it is not known.
func (sourceInfo) ModTime() time.Time { return time.Time{} }

// IsDir returns false.
func (sourceInfo) IsDir() bool { return false }

// Sys returns nil.
func (sourceInfo) Sys() any { return nil }
