package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pdflow/pdflow/engine/phrase"
)

// A Severity says whether a problem keeps a file from being used.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// A Position is a place in a file. Lines and columns count from 1, and columns
// count characters.
type Position struct {
	Line, Column int
}

// A Problem is one thing that is wrong with a file.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Rule     string   `json:"rule"` // a stable name, such as unknown-key
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
}

// String returns `file:line:column: message (hint)`.
func (p Problem) String() string {
	severity := ""
	if p.Severity == SeverityWarning {
		severity = "warning: "
	}
	return visible(fmt.Sprintf("%s:%d:%d: %s%s", p.File, p.Line, p.Column, severity, p.Text()))
}

// visible replaces control characters: a file may have any name and any text, and neither may move
// the cursor of a terminal or begin a line.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Text returns the message and the hint, without the place.
func (p Problem) Text() string { return phrase.WithHint(p.Message, p.Hint) }

// Problems are the problems of files, as an error.
type Problems []Problem

// Error returns the problems, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// HasErrors reports whether one of the problems is an error.
func (p Problems) HasErrors() bool {
	return slices.ContainsFunc(p, func(one Problem) bool { return one.Severity == SeverityError })
}

// Of returns the problems of a severity.
func (p Problems) Of(severity Severity) Problems {
	return slices.DeleteFunc(slices.Clone(p), func(one Problem) bool { return one.Severity != severity })
}

// Sorted returns the problems by file and place, each once.
func (p Problems) Sorted() Problems {
	out := slices.Clone(p)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	seen := map[Problem]bool{}
	return slices.DeleteFunc(out, func(one Problem) bool {
		again := seen[one]
		seen[one] = true
		return again
	})
}
