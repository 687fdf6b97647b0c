package source

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// MaxFileSize bounds a file, in bytes. The largest files that people write by hand have a
// few kilobytes.
const MaxFileSize = 1 << 20

// ReadFile returns the text of a file whose author is not trusted. It reads a regular file
// of at most most bytes. It refuses everything else, such as a named pipe or a device, since
// opening or reading one of these may never end. It follows links. If the file cannot be
// opened, the error is the error of [os.Open].
func ReadFile(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := CheckRegular(info, name); err != nil {
		return nil, err
	}
	// It may be another file by now. Without O_NONBLOCK, opening a named pipe waits for its
	// other end.
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
	if err != nil {
		return nil, err
	}
	if err := CheckRegular(info, name); err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are read", name, info.Size(), most)
	}
	return ReadStream(f, name, most) // it may have grown since
}

// ReadStream reads a stream to its end. It is an error if it has more than most bytes. The
// name is for messages.
func ReadStream(from io.Reader, name string, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes, at most %d are read", name, most, most)
	}
	return text, nil
}

// CheckRegular returns an error if a file is not a regular file. The name is for messages.
func CheckRegular(info fs.FileInfo, name string) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s is a folder; expected a file", name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file but %s", name, kindOf(info.Mode()))
	}
	return nil
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
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode.IsDir():
		return "a folder"
	}
	return "something else"
}
