package console

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// ShellWord quotes a text for a POSIX shell if it needs quotes.
func ShellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// DateTime is the layout of times in lists.
const DateTime = "2006-01-02 15:04:05"

// Took returns a duration for people, such as 1.5 s.
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

// Ago returns how long ago something was, in the largest unit.
func Ago(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < -time.Minute:
		return "in the future" // the clock was wrong then, or is now
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

// Plural returns a number with a noun, such as 1 step or 2 steps.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// FirstLine returns the text up to its first newline.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Printable replaces control characters, because texts of other services must not move the cursor
// or change colours.
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

// PrintableLines does what Printable does and keeps the newlines.
func PrintableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// columns counts terminal columns the same way in every locale.
var columns = &runewidth.Condition{StrictEmojiNeutral: true}

// Columns returns how many columns of a terminal a text takes.
func Columns(text string) int { return columns.StringWidth(text) }

// Cut shortens a text to a number of columns. A shortened text ends with an ellipsis.
func Cut(text string, width int) string {
	if width < 1 {
		return ""
	}
	return columns.Truncate(text, width, "…")
}

// Pad fills a text with spaces up to a number of columns, or shortens it.
func Pad(text string, width int) string { return columns.FillRight(Cut(text, width), width) }

// Wrap breaks a text into lines of at most width columns, between words if possible.
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
				head := columns.Truncate(line, max(width, 2), "")
				lines, line = append(lines, head), line[len(head):]
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// Table returns rows in aligned columns. The first row is the headings. Paint may style the
// padded cells of row n, counted from 0 after the headings; nil leaves them plain.
func Table(rows [][]string, widths []int, paint func(n int, row []string)) string {
	var b strings.Builder
	for n, row := range rows {
		for i := range row {
			row[i] = Pad(row[i], widths[i])
		}
		if n > 0 && paint != nil {
			paint(n-1, row)
		}
		b.WriteString(strings.TrimRight(strings.Join(row, "  "), " ") + "\n")
	}
	return b.String()
}

// ColumnWidths returns the width of each column, and the width of a whole line with two spaces
// between columns.
func ColumnWidths(rows [][]string) (widths []int, whole int) {
	widths = make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	whole = 2 * (len(widths) - 1)
	for _, width := range widths {
		whole += width
	}
	return widths, whole
}

// WriteJSON writes a value as one indented document with one call of Write.
func WriteJSON(to io.Writer, v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// ValueText returns a text without control characters as it is, and every other value as JSON.
func ValueText(v any) string {
	if s, ok := v.(string); ok && !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	text, err := MarshalLine(v)
	if err != nil {
		text = fmt.Sprint(v)
	}
	return Printable(text) // JSON keeps control characters above 127
}

// MarshalLine returns a value as JSON on one line, without a newline at the end.
func MarshalLine(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
