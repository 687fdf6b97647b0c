package console

import (
	"os"

	"golang.org/x/term"
)

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
