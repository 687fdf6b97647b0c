package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// ShellWord quotes a text for a POSIX shell where that is needed.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Took writes a duration as people read it.
func Took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// Ago says how long ago something was, in the largest unit.
func Ago(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return Plural(int(d/time.Second), "second") + " ago"
	case d < time.Hour:
		return Plural(int(d/time.Minute), "minute") + " ago"
	case d < day:
		return Plural(int(d/time.Hour), "hour") + " ago"
	}
	return Plural(int(d/day), "day") + " ago"
}

func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func FirstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Printable replaces what would move the cursor of a terminal or change its
// colours: texts come from other services too.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// PrintableLines is printable text of several lines.
func PrintableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Columns is how many columns of a terminal a text takes.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is 2 for the wide characters of East Asia and for pictographs, and 0
// for marks that join the character before.
func columnsOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), 0x1F300 <= r && r <= 0x1FAFF, 0xFF00 <= r && r <= 0xFF60:
		return 2
	}
	return 1
}

// Cut shortens a text to a number of columns; an ellipsis says that something is
// missing.
func Cut(text string, width int) string {
	switch {
	case Columns(text) <= width:
		return text
	case width < 1:
		return ""
	}
	return prefix(text, width-1) + "…"
}

// prefix is as much of a text as that many columns hold.
func prefix(text string, width int) string {
	n := 0
	for i, r := range text {
		if n += columnsOf(r); n > width {
			return text[:i]
		}
	}
	return text
}

// Pad fills a text up to a number of columns, and shortens a longer one.
func Pad(text string, width int) string {
	text = Cut(text, width)
	return text + strings.Repeat(" ", max(width-Columns(text), 0))
}

// Wrap breaks a text into lines of at most that many columns, between words
// where that is possible.
func Wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(Printable(paragraph)) {
			switch {
			case line == "":
				line = word
			case Columns(line)+1+Columns(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
			for Columns(line) > max(width, 2) {
				head := prefix(line, max(width, 2))
				lines, line = append(lines, head), line[len(head):]
			}
		}
		lines = append(lines, line)
	}
	return lines
}
