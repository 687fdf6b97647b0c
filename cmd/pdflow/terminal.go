package main

import (
	"os"

	"golang.org/x/term"
)

// A terminal says what the place where progress goes can show.
type terminal struct {
	file   *os.File
	live   bool // lines can be drawn again
	colour bool
	fixed  [2]int // width and height, where they are not the file's
}

// newTerminal looks at a file and at the conventions NO_COLOR, CLICOLOR_FORCE
// and TERM=dumb.
func newTerminal(file *os.File, getenv func(string) string) terminal {
	isTerminal := term.IsTerminal(int(file.Fd())) && getenv("TERM") != "dumb"
	t := terminal{file: file, live: isTerminal, colour: isTerminal}
	if force := getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		t.colour = true
	}
	if getenv("NO_COLOR") != "" {
		t.colour = false
	}
	return t
}

// size returns the width and height in characters.
func (t terminal) size() (width, height int) {
	if t.fixed[0] > 0 {
		return t.fixed[0], t.fixed[1]
	}
	if t.file != nil {
		if w, h, err := term.GetSize(int(t.file.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}

// The styles of SGR that we use. None carries meaning alone: a sign and a word
// stand beside it.
const (
	styleRed    = "31"
	styleGreen  = "32"
	styleYellow = "33"
	styleDim    = "2"
	styleBold   = "1"
)

func (t terminal) style(style, text string) string {
	if !t.colour || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// pageColumns is the width of a page that is not printed on a terminal.
const pageColumns = 100

// columns is how wide a page may be.
func (t terminal) columns() int {
	if !t.live {
		return pageColumns
	}
	width, _ := t.size()
	return width
}
