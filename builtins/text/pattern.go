package text

import (
	"context"
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// patternDoc is part of the Doc of every action that takes a pattern.
const patternDoc = "The pattern is a regular expression in the syntax of RE2, whose time grows in proportion to the text for " +
	"every pattern. `(?i)` at its start ignores case, `(?s)` lets . match line ends, `(?m)` lets ^ and $ match at lines. " +
	"The text may have 4 MB, and the pattern 5,000 steps with its repetitions written out. A search fails with kind `limit` " +
	"after 256 million characters times steps."

const (
	// maxPatterns is the number of compiled patterns that are kept: enough for the loops of
	// a script.
	maxPatterns = 64
	// maxKeptSize and maxKeptRanges bound a pattern that is kept, to some 100 KB. \pL alone
	// has 1300 bounds of ranges.
	maxKeptSize   = 1000
	maxKeptRanges = 10_000
	// maxMatchTexts is the largest number of texts of all matches and their groups together.
	maxMatchTexts = 200_000
	// maxReferences is the largest number of dollar signs in a replacement.
	maxReferences = 1000
	// The steps that it takes to compile a pattern: for each byte, for its size, and for the
	// bounds of its ranges.
	stepsPerByte  = 8
	stepsPerSize  = 4
	stepsPerRange = 4
	// placeBytes is about the memory of one text in a list of matches.
	placeBytes = 64
)

func patternActions() []*action.Action {
	patterns := newPatternCache()
	match := spec("match", "Find the first match of a pattern.", "text", "pattern")
	match.Doc = patternDoc + " In Lua: `local whole, captures = text.match(\"db-07\", [[(\\w+)-(\\d+)]])`; `whole` is nil without a match."
	findAll := spec("find_all", "Find every match of a pattern.", "text", "pattern")
	findAll.Doc = patternDoc + " There may be 100,000 matches, and with the texts of their groups 200,000."
	replace := spec("replace", "Replace every match of a pattern.", "text", "pattern", "with")
	replace.Doc = patternDoc + " In the replacement `${1}` and `${name}` stand for captures and `$$` for a dollar sign; it may have " +
		"1,000 of them. There may be 100,000 matches, and the new text may have 4 MB."
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
	// Match can be absent, since an empty text is true in Lua.
	Match    any           `json:"match" doc:"The whole text that matched; absent without a match"`
	Captures []any         `json:"captures" doc:"The text of each group, in order; null for a group that took no part"`
	Named    action.Object `json:"named" doc:"The text of each group that has a name, as in (?P<name>...)"`
}

func (c *patternCache) match(ctx context.Context, in patternInput) (matchOutput, error) {
	search, err := c.search(ctx, in.Pattern, in.Text)
	if err != nil {
		return matchOutput{}, err
	}
	found, err := search.first()
	if found == nil || err != nil {
		return matchOutput{Named: action.Object{}}, err
	}
	captures := capturesOf(in.Text, found)
	named := action.Object{}
	for i, name := range search.pattern.SubexpNames()[1:] {
		if name != "" && captures[i] != nil {
			named[name] = captures[i]
		}
	}
	return matchOutput{Match: in.Text[found[0]:found[1]], Captures: captures, Named: named}, nil
}

type findAllOutput struct {
	Matches  []string `json:"matches" doc:"The whole text of each match, in order"`
	Captures []any    `json:"captures" doc:"A list for each match: the text of its groups, null for a group that took no part"`
}

func (c *patternCache) findAll(ctx context.Context, in patternInput) (findAllOutput, error) {
	search, err := c.search(ctx, in.Pattern, in.Text)
	if err != nil {
		return findAllOutput{}, err
	}
	out, texts := findAllOutput{}, 0
	err = search.each(func(place []int) error {
		if len(out.Matches) == maxItems {
			return errTooManyItems("matches")
		}
		if texts += len(place) / 2; texts > maxMatchTexts {
			return action.Errorf(action.Limit, "the matches and their groups are more than %d texts", maxMatchTexts)
		}
		if err := action.Hold(ctx, placeBytes*int64(len(place)/2)); err != nil {
			return err
		}
		out.Matches = append(out.Matches, in.Text[place[0]:place[1]])
		out.Captures = append(out.Captures, capturesOf(in.Text, place))
		return nil
	})
	if err != nil {
		return findAllOutput{}, err
	}
	return out, nil
}

type replaceInput struct {
	Text    string `json:"text" required:"true" doc:"The text"`
	Pattern string `json:"pattern" required:"true" max:"1000" doc:"The pattern"`
	With    string `json:"with" required:"true" doc:"The replacement"`
	Literal bool   `json:"literal" doc:"Whether the pattern and the replacement are plain text"`
}

func (c *patternCache) replace(ctx context.Context, in replaceInput) (textOutput, error) {
	if in.Literal {
		return replaceLiteral(in)
	}
	search, err := c.search(ctx, in.Pattern, in.Text)
	if err != nil {
		return textOutput{}, err
	}
	with, err := piecesOf(in.With)
	if err != nil {
		return textOutput{}, err
	}
	replacement := replacement{search: search, with: with}
	if err := search.each(replacement.add); err != nil {
		return textOutput{}, err
	}
	if err := replacement.write(in.Text[replacement.end:]); err != nil {
		return textOutput{}, err
	}
	return textOutput{Text: string(replacement.text)}, nil
}

// replaceLiteral replaces plain text. The size of the new text is known before it is made.
func replaceLiteral(in replaceInput) (textOutput, error) {
	count := strings.Count(in.Text, in.Pattern)
	if count > maxItems {
		return textOutput{}, errTooManyItems("matches")
	}
	if len(in.Text)+count*(len(in.With)-len(in.Pattern)) > maxText {
		return textOutput{}, errLongText()
	}
	return textOutput{Text: strings.ReplaceAll(in.Text, in.Pattern, in.With)}, nil
}

func errLongText() error {
	return action.Errorf(action.Limit, "the new text is longer than %d bytes", maxText)
}

// A replacement is the new text of text.replace while it is made.
type replacement struct {
	search *search
	with   []string // from piecesOf
	text   []byte
	count  int
	end    int // of the last match
}

// add adds the text between the last match and this match, and the replacement of this
// match.
func (r *replacement) add(place []int) error {
	if r.count++; r.count > maxItems {
		return errTooManyItems("matches")
	}
	if err := r.write(r.search.text[r.end:place[0]]); err != nil {
		return err
	}
	r.end = place[1]
	for _, piece := range r.with {
		if err := r.search.spend(workPerStep); err != nil {
			return err
		}
		r.text = r.search.pattern.ExpandString(r.text, piece, r.search.text, place)
		if len(r.text) > maxText {
			return errLongText()
		}
	}
	return nil
}

func (r *replacement) write(text string) error {
	if len(r.text)+len(text) > maxText {
		return errLongText()
	}
	r.text = append(r.text, text...)
	return nil
}

// piecesOf splits a replacement into pieces with at most one reference to a capture each,
// so that an expanded piece is not longer than the piece and the text together.
func piecesOf(with string) ([]string, error) {
	if strings.Count(with, "$") > maxReferences {
		err := action.Errorf(action.Limit, "the replacement has more than %d dollar signs", maxReferences)
		err.Hint = "give `literal = true` when they are plain text"
		return nil, err
	}
	var pieces []string
	for with != "" {
		from := 1
		if strings.HasPrefix(with, "$$") {
			from = 2
		}
		next := strings.IndexByte(with[from:], '$')
		if next < 0 {
			return append(pieces, with), nil
		}
		pieces, with = append(pieces, with[:from+next]), with[from+next:]
	}
	return pieces, nil
}

// capturesOf returns the groups of a match.
func capturesOf(text string, place []int) []any {
	captures := make([]any, len(place)/2-1)
	for i := range captures {
		if start, end := place[2*i+2], place[2*i+3]; start >= 0 {
			captures[i] = text[start:end]
		}
	}
	return captures
}

// A patternCache keeps the patterns that were compiled last, since scripts use patterns in
// loops. It is safe for concurrent use.
type patternCache struct {
	mu       sync.Mutex
	compiled map[string]*pattern
	order    []string // the oldest first
}

func newPatternCache() *patternCache {
	return &patternCache{compiled: map[string]*pattern{}}
}

// search starts a search. The steps of compiling are counted even when the pattern is
// kept, so that a script takes the same number of steps in every run.
func (c *patternCache) search(ctx context.Context, source, text string) (*search, error) {
	if err := action.Work(ctx, stepsPerByte*int64(len(source))); err != nil {
		return nil, err
	}
	p, err := c.compile(source)
	if err != nil {
		return nil, err
	}
	if err := action.Work(ctx, p.steps()); err != nil {
		return nil, err
	}
	return newSearch(ctx, p, text)
}

// keepable reports whether a pattern is small enough to be kept.
func (p *pattern) keepable() bool { return p.size <= maxKeptSize && p.ranges <= maxKeptRanges }

// steps returns the steps that it takes to compile the pattern.
func (p *pattern) steps() int64 {
	steps := stepsPerSize * p.size
	if !p.keepable() {
		steps += stepsPerRange * p.ranges // each time
	}
	return steps
}

// compile returns a kept pattern or a new one. It does not hold the lock while it compiles.
func (c *patternCache) compile(text string) (*pattern, error) {
	c.mu.Lock()
	p := c.compiled[text]
	c.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := newPattern(strings.Clone(text)) // the text may be a small part of a large one
	if err == nil && p.keepable() {
		c.keep(p)
	}
	return p, err
}

func (c *patternCache) keep(p *pattern) {
	text := p.String()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled[text] != nil {
		return // another call has kept it
	}
	if len(c.order) == maxPatterns {
		delete(c.compiled, c.order[0])
		c.order = c.order[1:]
	}
	c.compiled[text] = p
	c.order = append(c.order, text)
}

func patternError(pattern string, err error) error {
	failure := &action.Error{
		Kind:    action.InvalidInput,
		Message: fmt.Sprintf("the pattern %q is wrong: %v", phrase.Clip(pattern, 60), err),
	}
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		failure.Message = fmt.Sprintf("the pattern %q is wrong: %s: %s", phrase.Clip(pattern, 60), wrong.Code, phrase.Clip(wrong.Expr, 40))
	}
	if strings.Contains(pattern, "%") {
		failure.Hint = "this is not a Lua pattern: write \\d for %d, \\w for %w, \\. for %."
	}
	return failure
}
