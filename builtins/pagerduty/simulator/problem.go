package simulator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Problem is one mistake in a document.
type Problem struct {
	Path    string `json:"path"`    // of the field, such as faults[2].match.endpoint; empty for the document
	Message string `json:"message"` // what is wrong, what is expected; never a key
}

// Problems are all mistakes in a document, in its order.
type Problems []Problem

// Error has one line for each mistake.
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

func (p *Problems) add(path, format string, values ...any) {
	*p = append(*p, Problem{path, fmt.Sprintf(format, values...)})
}

// asError is nil when there are none.
func (p Problems) asError() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// keyShape is that of all keys: letters, digits and a few signs, without a space.
var keyShape = regexp.MustCompile(`^[0-9A-Za-z_+/=-]{20,}$`)

// quoted shows a text of a document, unless it may be a key that slipped into the
// wrong field.
func quoted(text string) string {
	if keyShape.MatchString(text) {
		return fmt.Sprintf("a text of %d characters that may be a key", len(text))
	}
	return strconv.Quote(text)
}

// suggestion is the end of a message about a name that does not exist: the one
// that was probably meant, or else all.
func suggestion(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	if len(known) == 0 {
		return "; there are none"
	}
	return "; expected one of " + strings.Join(known, ", ")
}

// nearest returns the known name with the fewest differences, if they are few.
func nearest(name string, known []string) string {
	best, fewest := "", 1+max(1, len(name)/3)
	if name == "" {
		return ""
	}
	for _, candidate := range known {
		if difference := len(name) - len(candidate); max(difference, -difference) >= fewest {
			continue
		}
		if n := distance(strings.ToLower(name), strings.ToLower(candidate)); n < fewest {
			best, fewest = candidate, n
		}
	}
	return best
}

// distance counts the letters to insert, delete, change or swap with their
// neighbour that make b out of a.
func distance(a, b string) int {
	before, previous := []int(nil), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			change := previous[j]
			if a[i] != b[j] {
				change++
			}
			current[j+1] = min(change, previous[j+1]+1, current[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				current[j+1] = min(current[j+1], before[j-1]+1)
			}
		}
		before, previous = previous, current
	}
	return previous[len(b)]
}
