package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// took writes a duration as people read it.
func took(d time.Duration) string {
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

// ago says how long ago something was, in the largest unit.
func ago(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return plural(int(d/time.Second), "second") + " ago"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute") + " ago"
	case d < day:
		return plural(int(d/time.Hour), "hour") + " ago"
	}
	return plural(int(d/day), "day") + " ago"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// printable replaces what would move the cursor of a terminal or change its
// colours: texts come from other services too.
func printable(text string) string {
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

// printableLines is printable text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// columns is how many columns of a terminal a text takes.
func columns(text string) int {
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

// cut shortens a text to a number of columns; an ellipsis says that something is
// missing.
func cut(text string, width int) string {
	switch {
	case columns(text) <= width:
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

// pad fills a text up to a number of columns, and shortens a longer one.
func pad(text string, width int) string {
	text = cut(text, width)
	return text + strings.Repeat(" ", max(width-columns(text), 0))
}

// wrap breaks a text into lines of at most that many columns, between words
// where that is possible.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(printable(paragraph)) {
			switch {
			case line == "":
				line = word
			case columns(line)+1+columns(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
			for columns(line) > max(width, 2) {
				head := prefix(line, max(width, 2))
				lines, line = append(lines, head), line[len(head):]
			}
		}
		lines = append(lines, line)
	}
	return lines
}
