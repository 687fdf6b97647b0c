package builtins

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
)

// patternDoc documents the patterns where they can be used.
const patternDoc = "The pattern is a regular expression in the syntax of RE2, which takes time in proportion to the text, " +
	"whatever the pattern. `(?i)` at its start ignores case, `(?s)` lets . match line ends, `(?m)` lets ^ and $ match at lines."

// maxPatterns bounds the compiled patterns that are kept: enough for the loops
// of a script, little enough to forget about.
const maxPatterns = 64

func patternActions() []*action.Action {
	patterns := &patternCache{compiled: map[string]*regexp.Regexp{}}
	match := textSpec("match", "Find the first match of a pattern.", "text", "pattern")
	match.Doc = patternDoc + " In Lua: `local whole, captures = text.match(\"db-07\", [[(\\w+)-(\\d+)]])`; `whole` is nil without a match."
	findAll := textSpec("find_all", "Find every match of a pattern.", "text", "pattern")
	findAll.Doc = patternDoc
	replace := textSpec("replace", "Replace every match of a pattern.", "text", "pattern", "with")
	replace.Doc = patternDoc + " In the replacement `${1}` and `${name}` stand for captures and `$$` for a dollar sign."
	return []*action.Action{
		action.New(match, patterns.match),
		action.New(findAll, patterns.findAll),
		action.New(replace, patterns.replace),
	}
}

type patternInput struct {
	Text    string `json:"text" required:"true" doc:"The text"`
	Pattern string `json:"pattern" required:"true" max:"1000" doc:"The pattern"`
}

type matchOutput struct {
	// Match is of any type so that it can be absent: in Lua empty text is true.
	Match    any           `json:"match" doc:"The whole text that matched; nothing when nothing did"`
	Captures []any         `json:"captures" doc:"The text of each group, in order; null for one that took no part"`
	Named    action.Object `json:"named" doc:"The text of each group that has a name, as in (?P<name>...)"`
}

func (c *patternCache) match(_ context.Context, in patternInput) (matchOutput, error) {
	re, err := c.compile(in.Pattern, false)
	if err != nil {
		return matchOutput{}, err
	}
	found := re.FindStringSubmatchIndex(in.Text)
	if found == nil {
		return matchOutput{Named: action.Object{}}, nil
	}
	captures, named := capturesOf(re, in.Text, found)
	return matchOutput{Match: in.Text[found[0]:found[1]], Captures: captures, Named: named}, nil
}

type findAllOutput struct {
	Matches  []string `json:"matches" doc:"The whole text of each match, in order"`
	Captures []any    `json:"captures" doc:"A list for each match: the text of its groups, null for one that took no part"`
}

func (c *patternCache) findAll(_ context.Context, in patternInput) (findAllOutput, error) {
	re, err := c.compile(in.Pattern, false)
	if err != nil {
		return findAllOutput{}, err
	}
	found, err := allMatches(re, in.Text)
	out := findAllOutput{}
	for _, place := range found {
		captures, _ := capturesOf(re, in.Text, place)
		out.Matches = append(out.Matches, in.Text[place[0]:place[1]])
		out.Captures = append(out.Captures, captures)
	}
	return out, err
}

type replaceInput struct {
	Text    string `json:"text" required:"true" doc:"The text"`
	Pattern string `json:"pattern" required:"true" max:"1000" doc:"The pattern"`
	With    string `json:"with" required:"true" doc:"The replacement"`
	Literal bool   `json:"literal" doc:"Whether the pattern and the replacement are plain text"`
}

func (c *patternCache) replace(_ context.Context, in replaceInput) (textOutput, error) {
	re, err := c.compile(in.Pattern, in.Literal)
	if err != nil {
		return textOutput{}, err
	}
	found, err := allMatches(re, in.Text)
	if err != nil {
		return textOutput{}, err
	}
	var b []byte
	end := 0
	for _, place := range found {
		b = append(b, in.Text[end:place[0]]...)
		if in.Literal {
			b = append(b, in.With...)
		} else {
			b = re.ExpandString(b, in.With, in.Text, place)
		}
		if end = place[1]; len(b) > maxText {
			return textOutput{}, action.Errorf(action.Limit, "the new text is longer than %d bytes", maxText)
		}
	}
	return textOutput{Text: string(append(b, in.Text[end:]...))}, nil
}

func allMatches(re *regexp.Regexp, text string) ([][]int, error) {
	found := re.FindAllStringSubmatchIndex(text, maxItems+1)
	if len(found) > maxItems {
		return nil, errTooManyItems("matches")
	}
	return found, nil
}

// capturesOf returns the groups of a match, by place and by name.
func capturesOf(re *regexp.Regexp, text string, place []int) (captures []any, named action.Object) {
	captures, named = make([]any, re.NumSubexp()), action.Object{}
	for i, name := range re.SubexpNames()[1:] {
		start, end := place[2*i+2], place[2*i+3]
		if start < 0 {
			continue
		}
		captures[i] = text[start:end]
		if name != "" {
			named[name] = text[start:end]
		}
	}
	return captures, named
}

// A patternCache keeps the patterns that were compiled last, since scripts use
// them in loops. It is safe for concurrent use.
type patternCache struct {
	mu       sync.Mutex
	compiled map[string]*regexp.Regexp
	order    []string // the oldest first
}

func (c *patternCache) compile(pattern string, literal bool) (*regexp.Regexp, error) {
	if literal {
		pattern = regexp.QuoteMeta(pattern)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if re := c.compiled[pattern]; re != nil {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, patternError(pattern, err)
	}
	if len(c.order) == maxPatterns {
		delete(c.compiled, c.order[0])
		c.order = c.order[1:]
	}
	c.compiled[pattern] = re
	c.order = append(c.order, pattern)
	return re, nil
}

func patternError(pattern string, err error) error {
	failure := &action.Error{
		Kind:    action.InvalidInput,
		Message: fmt.Sprintf("the pattern %q is wrong: %v", clip(pattern, 60), err),
	}
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		failure.Message = fmt.Sprintf("the pattern %q is wrong: %s: %s", clip(pattern, 60), wrong.Code, clip(wrong.Expr, 40))
	}
	if strings.Contains(pattern, "%") {
		failure.Hint = "this is no Lua pattern: write \\d for %d, \\w for %w, \\. for %."
	}
	return failure
}
