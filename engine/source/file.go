package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MaxFileSize bounds a file, in bytes. The largest files that people write by hand have a
// few kilobytes.
const MaxFileSize = 1 << 20

// ReadFile returns the text of a file that somebody else may have written. It reads
// regular files of at most most bytes and refuses everything else, such as a named pipe
// or a device: opening or reading one of these may wait for ever, or never end. It
// follows links. Errors about the file itself are as those of [os.Open].
func ReadFile(name string, most int64) ([]byte, error) {
	// Without O_NONBLOCK, opening a named pipe waits for its other end.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadOpen(f, name, most)
}

// ReadOpen is [ReadFile] of a file that is open already. The name is for messages.
func ReadOpen(f fs.File, name string, most int64) ([]byte, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder; expected a file", name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file but %s", name, kindOf(info.Mode()))
	case info.Size() > most:
		return nil, fmt.Errorf("%s has %d bytes, at most %d are read", name, info.Size(), most)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1)) // it may have grown since
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d bytes, at most %d are read", name, most, most)
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// Leaves reports whether a name in a folder is a link that leads out of the folder. Links
// within it, such as those of a Kubernetes ConfigMap, and a folder that is a link itself do
// not, and neither does a link to nothing.
func Leaves(folder, name string) bool {
	info, err := os.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return false
	}
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return true
	}
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	inside, err := filepath.Rel(root, target)
	return err != nil || !filepath.IsLocal(inside)
}

// kindOf names what a file is.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
