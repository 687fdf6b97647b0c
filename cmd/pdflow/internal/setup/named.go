package setup

import (
	"io"
	"os"
	"slices"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/source"
)

// The most bytes of files that a person names.
const (
	MaxInputFile = 16 << 20 // of an input, which is recorded with each run
	maxKeyFile   = 64 << 10
	maxPEMFile   = 1 << 20 // some 500 certificates
)

// ReadNamed reads a file that a person named: in a flag, in a variable of the environment, or in the
// configuration. Unlike a file that is found in a folder it may be a pipe or a device, such as /dev/stdin,
// /dev/null, or `<(command)` of a shell. At most most bytes are read. Reading a pipe ends when stop is
// closed, because its other end may never write. If the file cannot be opened, the error is the error of
// [os.Open].
func ReadNamed(stop <-chan struct{}, name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() || info.IsDir() {
		return source.ReadFile(name, most)
	}
	return until(stop, func() ([]byte, error) {
		f, err := os.Open(name) // waits for the other end of a named pipe
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return source.ReadStream(f, name, most)
	})
}

// readNamed is [ReadNamed] until the first signal. It remembers the name: see [Environment.NamedFiles].
func (e *Environment) readNamed(name string, most int64) ([]byte, error) {
	e.named.Store(name, true)
	return ReadNamed(e.stop, name, most)
}

// NamedFiles returns the files that this process was told to read so far, sorted: the configuration, and
// files of keys and certificates. Some of them may not exist.
func (e *Environment) NamedFiles() []string {
	var names []string
	e.named.Range(func(name, _ any) bool {
		names = append(names, name.(string))
		return true
	})
	slices.Sort(names)
	return names
}

// readStream reads a stream, such as standard input, like [ReadNamed].
func readStream(stop <-chan struct{}, from io.Reader, name string, most int64) ([]byte, error) {
	return until(stop, func() ([]byte, error) { return source.ReadStream(from, name, most) })
}

// until returns the result of read, or [console.ErrInterrupted] if stop is closed first. Then read is left alone:
// nothing can end it but the end of the process.
func until(stop <-chan struct{}, read func() ([]byte, error)) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-stop:
		return nil, console.ErrInterrupted
	}
}
