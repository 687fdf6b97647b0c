package strictjson

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
)

// Problem is one mistake in a document.
type Problem struct {
	Path    string `json:"path"`    // the path of the field, such as faults[2].match.endpoint; empty for the whole document
	Message string `json:"message"` // what is wrong and what was expected; it never holds a key
}

// Problems are all mistakes in a document, in the order of the document.
type Problems []Problem

// Error returns one line for each mistake.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	for _, problem := range p {
		if problem.Path == "" {
			lines = append(lines, problem.Message)
			continue
		}
		lines = append(lines, problem.Path+": "+problem.Message)
	}
	return strings.Join(lines, "\n")
}

// Add adds a mistake at path. The message is formatted as by fmt.Sprintf.
func (p *Problems) Add(path, format string, values ...any) {
	*p = append(*p, Problem{path, fmt.Sprintf(format, values...)})
}

// Err returns the problems as an error, or nil when there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// keyShape matches every text that may be a key.
var keyShape = regexp.MustCompile(`^[0-9A-Za-z_+/=-]{20,}$`)

// Quote returns a text of a document for a message. A text that may be a key in the
// wrong field is described by its length instead.
func Quote(text string) string {
	if keyShape.MatchString(text) {
		return fmt.Sprintf("a text of %d characters that may be a key", len(text))
	}
	return strconv.Quote(text)
}

// Suggestion returns the end of a message about a name that does not exist: the known
// name that was probably meant, or else all known names.
func Suggestion[T ~string](name T, known []T) string {
	names := make([]string, 0, len(known))
	for _, text := range known {
		names = append(names, string(text))
	}
	if hint := phrase.DidYouMean(string(name), names); hint != "" {
		return " (" + hint + ")"
	}
	if len(names) == 0 {
		return "; there are none"
	}
	return "; expected one of " + strings.Join(names, ", ")
}
