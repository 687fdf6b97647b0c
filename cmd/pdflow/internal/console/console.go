// Package console is what a command reads from and writes to.
//
//   - A [Console] holds the three streams of a process. Its writers mask secrets.
//   - A [Terminal] says what a stream can show: its width, colours, and whether lines can be
//     drawn again.
//   - [Exit] and [Usage] make errors that carry an exit code. [Console.Fail] prints an error
//     and returns its code.
//   - text.go has the layout of text: columns, tables, durations, shell words, JSON.
package console

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/redact"
	"golang.org/x/term"
)

// A Console holds the streams of a process.
type Console struct {
	Stdin    io.Reader
	Stdout   io.Writer // masks the secrets of Redactor
	Stderr   io.Writer // masks the secrets of Redactor
	Terminal Terminal  // what Stderr can show
	Page     Terminal  // what Stdout can show
	Redactor *redact.Redactor
	Signal   atomic.Int32 // the exit code of the first signal received, or 0

	mu   sync.Mutex
	line func(string) // set by DrawsOver
}

// New returns a console on streams that are not terminals.
func New(stdin io.Reader, stdout, stderr io.Writer, redactor *redact.Redactor) *Console {
	return &Console{Stdin: stdin, Stdout: &output{to: MaskedWriter(stdout, redactor)}, Stderr: MaskedWriter(stderr, redactor), Redactor: redactor}
}

// Standard returns the console of this process. The environment says whether terminals have
// colours.
func Standard(getenv func(string) string) *Console {
	c := New(os.Stdin, os.Stdout, os.Stderr, &redact.Redactor{})
	c.Terminal, c.Page = newTerminal(os.Stderr, getenv), newTerminal(os.Stdout, getenv)
	return c
}

// DrawsOver sets the function that prints a line above the lines that a live view has drawn.
// Nil means that there is no live view.
func (c *Console) DrawsOver(line func(string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = line
}

// Say prints a line to Stderr, above a live view if there is one. It prints nothing if the text
// is empty.
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

// Print prints a value to Stdout: as JSON if the format is json, else as the text.
func (c *Console) Print(format string, value any, text string) error {
	if format == "json" {
		return WriteJSON(c.Stdout, value)
	}
	_, err := io.WriteString(c.Stdout, text)
	return err
}

// MaskedWriter returns a writer that masks the secrets that the redactor knows. Callers write
// whole lines or documents at once. Several goroutines may write.
func MaskedWriter(to io.Writer, redactor *redact.Redactor) io.Writer {
	return &maskedWriter{to: to, redactor: redactor}
}

type maskedWriter struct {
	to       io.Writer
	redactor *redact.Redactor
	mu       sync.Mutex
}

// Write writes the masked text and returns the length of the text that it was given.
func (w *maskedWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := io.WriteString(w.to, w.redactor.Redact(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// A Terminal says what a stream can show. The zero Terminal is a stream that is not a terminal.
type Terminal struct {
	file   *os.File
	Live   bool // lines can be drawn again
	colour bool
	Fixed  [2]int // width and height; zero: ask the file
}

// newTerminal returns what a file can show. It follows the conventions NO_COLOR, CLICOLOR_FORCE
// and TERM=dumb.
func newTerminal(file *os.File, getenv func(string) string) Terminal {
	isTerminal := term.IsTerminal(int(file.Fd())) && getenv("TERM") != "dumb"
	t := Terminal{file: file, Live: isTerminal, colour: isTerminal}
	if force := getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		t.colour = true
	}
	if getenv("NO_COLOR") != "" {
		t.colour = false
	}
	return t
}

// Size returns the width and height in characters.
func (t Terminal) Size() (width, height int) {
	if t.Fixed[0] > 0 {
		return t.Fixed[0], t.Fixed[1]
	}
	if t.file != nil {
		if w, h, err := term.GetSize(int(t.file.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}

// The SGR styles in use. A style never carries meaning alone: a sign and a word say the same.
const (
	StyleRed    = "31"
	StyleGreen  = "32"
	StyleYellow = "33"
	StyleDim    = "2"
)

// Style returns the text in a style, or the plain text if the terminal has no colours.
func (t Terminal) Style(style, text string) string {
	if !t.colour || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// pageColumns is the width of a page that is not printed on a terminal.
const pageColumns = 100

// Columns returns how many columns wide a page may be.
func (t Terminal) Columns() int {
	if !t.Live {
		return pageColumns
	}
	width, _ := t.Size()
	return width
}
