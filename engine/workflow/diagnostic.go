package workflow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
)

// A Severity says whether a diagnostic keeps a file from running.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// A Position is a place in a file; lines and columns count from 1, columns in
// characters.
type Position struct {
	Line, Column int
}

// A Diagnostic is one problem of a file.
type Diagnostic struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Rule     string   `json:"rule"` // a stable name, such as unknown-key
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
}

// String returns `file:line:column: message (hint)`.
func (d Diagnostic) String() string {
	severity := ""
	if d.Severity == SeverityWarning {
		severity = "warning: "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", d.File, d.Line, d.Column, severity, d.Text())
}

// Text returns the message and the hint, without the place.
func (d Diagnostic) Text() string { return action.WithHint(d.Message, d.Hint) }

// Diagnostics are the problems of a file, in the order of their places.
type Diagnostics []Diagnostic

// Error returns the problems, one a line.
func (d Diagnostics) Error() string {
	lines := make([]string, len(d))
	for i := range d {
		lines[i] = d[i].String()
	}
	return strings.Join(lines, "\n")
}

// HasErrors reports whether one of them keeps the file from running.
func (d Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(d, func(one Diagnostic) bool { return one.Severity == SeverityError })
}

// sorted orders the problems by place and drops repeated ones.
func (d Diagnostics) sorted() Diagnostics {
	out := slices.Clone(d)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	seen := map[Diagnostic]bool{}
	return slices.DeleteFunc(out, func(one Diagnostic) bool {
		again := seen[one]
		seen[one] = true
		return again
	})
}

// err returns the problems as an error when one of them is an error.
func (d Diagnostics) err() error {
	if !d.HasErrors() {
		return nil
	}
	return d.sorted()
}
