package console

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/action"
)

// A Console is the streams of a process. What it prints goes through its redactor.
type Console struct {
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Terminal Terminal // of stderr
	Page     Terminal // of stdout
	Redactor *action.Redactor
	Signal   atomic.Int32 // the exit code of the first signal that came, or 0

	mu sync.Mutex
	// line prints a line above what a live view has drawn; nil without one.
	line func(string)
}

// New returns a console of streams that are no terminal. Its writers mask.
func New(stdin io.Reader, stdout, stderr io.Writer, redactor *action.Redactor) *Console {
	return &Console{Stdin: stdin, Stdout: MaskedWriter(stdout, redactor), Stderr: MaskedWriter(stderr, redactor), Redactor: redactor}
}

// Standard returns the console of this process.
func Standard(getenv func(string) string) *Console {
	c := New(os.Stdin, os.Stdout, os.Stderr, &action.Redactor{})
	c.Terminal, c.Page = newTerminal(os.Stderr, getenv), newTerminal(os.Stdout, getenv)
	return c
}

// DrawsOver has lines printed by a live view from now on; nil ends that.
func (c *Console) DrawsOver(line func(string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = line
}

// Say prints a line, above a live view where there is one.
func (c *Console) Say(text string) {
	c.mu.Lock()
	line := c.line
	c.mu.Unlock()
	switch {
	case text == "":
	case line != nil:
		line(text)
	default:
		_, _ = io.WriteString(c.Stderr, text+"\n")
	}
}

// MaskedWriter returns a writer that masks the secrets a redactor knows.
func MaskedWriter(to io.Writer, redactor *action.Redactor) io.Writer {
	return &maskedWriter{to: to, redactor: redactor}
}

// A maskedWriter masks secret texts in whatever is written. Callers write
// whole lines or documents at once, also several at a time.
type maskedWriter struct {
	to       io.Writer
	redactor *action.Redactor
	mu       sync.Mutex
}

// Write writes the masked text and reports the length of the text given.
func (w *maskedWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := io.WriteString(w.to, w.redactor.Redact(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
