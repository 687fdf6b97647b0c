package strictjson

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
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
	if near := nearest(string(name), names); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	if len(names) == 0 {
		return "; there are none"
	}
	return "; expected one of " + strings.Join(names, ", ")
}

// nearest returns the known name with the fewest differences, or "" when all differ too much.
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

// distance returns the number of edits that turn a into b. An edit inserts, deletes or
// changes a letter, or swaps two neighbours.
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
