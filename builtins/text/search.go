package text

import (
	"context"
	"io"
	"regexp"
	"regexp/syntax"
	"sync"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

const (
	// maxSearched is the largest size in bytes of a text that is searched.
	maxSearched = 4 << 20
	// maxPatternSize is the largest size of a pattern with its repetitions written out, in
	// instructions of its program: (?:a?){900} has 1800.
	maxPatternSize = 5000
	// maxSearchWork is the largest work of one call: the number of characters read times the
	// size of the pattern. It takes at most two seconds, and usually a fifth of a second.
	maxSearchWork = 256 << 20
	// smallSearch is the work that is done without calling the meter: some milliseconds. Up
	// to it, the faster functions of package regexp are used.
	smallSearch = 2 << 20
	// meterEvery is the work between two calls of the meter.
	meterEvery = 4096
	// workPerStep is the work that takes about as long as an instruction of a script.
	workPerStep = 16
	// groupsPerCopy is the number of groups that are copied in the time of an instruction.
	groupsPerCopy = 8
)

// A pattern is a compiled regular expression.
type pattern struct {
	*regexp.Regexp
	size   int64 // of its program
	ranges int64 // the number of range bounds in its character classes
	// later finds the first match after the first character of a text. The character before
	// a place decides whether ^ and \b match there, so a search is continued one character
	// earlier.
	later func() (*regexp.Regexp, error)
}

// newPattern compiles a pattern unless it is too large. It computes the size before it
// compiles, since a short text with large counts makes a program of gigabytes.
func newPattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, patternError(text, err)
	}
	size, ranges := sizeOf(tree)
	size += 2 // the start and the end
	if size > maxPatternSize {
		return nil, errLargePattern(text, size)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, patternError(text, err)
	}
	return &pattern{
		Regexp: re, size: size, ranges: ranges,
		later: sync.OnceValues(func() (*regexp.Regexp, error) {
			return regexp.Compile(`\A(?s:..*?)(` + tree.String() + `)`)
		}),
	}, nil
}

func errLargePattern(text string, size int64) error {
	err := action.Errorf(action.Limit, "the pattern %q has %d steps with its repetitions written out, at most %d are allowed",
		phrase.Clip(text, 60), size, maxPatternSize)
	err.Hint = "use smaller counts in {...}, or * and +"
	return err
}

// sizeOf returns about how many instructions the program of a pattern has, and how many
// range bounds its character classes have.
func sizeOf(tree *syntax.Regexp) (size, ranges int64) {
	for _, part := range tree.Sub {
		s, r := sizeOf(part)
		size, ranges = size+s, ranges+r
	}
	switch tree.Op {
	case syntax.OpLiteral:
		size = int64(len(tree.Rune))
	case syntax.OpCharClass:
		size, ranges = 1, int64(len(tree.Rune))
	case syntax.OpConcat:
	case syntax.OpAlternate:
		size += int64(len(tree.Sub))
	case syntax.OpRepeat:
		size = (size + 1) * int64(max(tree.Min, tree.Max, 1))
	default: // a position, or an operator on one part
		size += 2
	}
	return size, ranges
}

// work returns the work of reading a number of characters. For each character every
// instruction is tried, and its groups are copied.
func (p *pattern) work(characters int64) int64 {
	return characters * p.size * (1 + int64(p.NumSubexp())/groupsPerCopy)
}

// A search is one call that searches for a pattern. Package regexp takes time in proportion
// to the text for one match and cannot be stopped, and a text may have as many matches as
// characters. So the work is counted, and a large text is read character by character,
// which ends when the work must stop.
type search struct {
	ctx      context.Context
	pattern  *pattern
	text     string
	done     int64 // work
	reported int64 // the work that was counted at the meter
	err      error // why the search ended early
}

func newSearch(ctx context.Context, p *pattern, text string) (*search, error) {
	if len(text) > maxSearched {
		err := action.Errorf(action.Limit, "the text is %d bytes long, at most %d are allowed for a search", len(text), maxSearched)
		err.Hint = "split it with text.lines or text.split first"
		return nil, err
	}
	return &search{ctx: ctx, pattern: p, text: text}, nil
}

// spend counts work before it is done.
func (s *search) spend(work int64) error {
	if s.done += work; s.done > maxSearchWork {
		err := action.Errorf(action.Limit, "the search for the pattern %q in %d bytes of text takes too long", phrase.Clip(s.pattern.String(), 60), len(s.text))
		err.Hint = "make the pattern simpler, so that a match ends soon after it begins, or the text shorter, such as line by line"
		return err
	}
	if s.done-s.reported < meterEvery {
		return nil
	}
	steps := (s.done - s.reported) / workPerStep
	s.reported = s.done
	return action.Work(s.ctx, steps)
}

// first returns the places of the first match and its groups, or nil.
func (s *search) first() ([]int, error) {
	if work := s.pattern.work(int64(len(s.text))); work <= smallSearch {
		if err := s.spend(work); err != nil {
			return nil, err
		}
		return s.pattern.FindStringSubmatchIndex(s.text), nil
	}
	return s.from(0)
}

// each calls deliver with the places of every match, in the order of FindAll of package
// regexp.
func (s *search) each(deliver func(place []int) error) error {
	size := int64(len(s.text))
	if s.pattern.work(size*(size+1)) <= smallSearch {
		if err := s.spend(s.pattern.work(size)); err != nil {
			return err
		}
		for _, place := range s.pattern.FindAllStringSubmatchIndex(s.text, -1) {
			if err := deliver(place); err != nil {
				return err
			}
		}
		return nil
	}
	return s.eachByCharacters(deliver)
}

func (s *search) eachByCharacters(deliver func(place []int) error) error {
	for at, end := 0, -1; at <= len(s.text); {
		place, err := s.from(at)
		if place == nil || err != nil {
			return err
		}
		// An empty match right after another match does not count.
		accepted := place[1] > at || place[0] != end
		if end = place[1]; end > at {
			at = end
		} else {
			_, width := utf8.DecodeRuneInString(s.text[at:])
			at += max(width, 1)
		}
		if !accepted {
			continue
		}
		if err := deliver(place); err != nil {
			return err
		}
	}
	return nil
}

// from returns the places of the first match at or after an offset.
func (s *search) from(at int) ([]int, error) {
	if at == 0 {
		place := s.pattern.FindReaderSubmatchIndex(&characters{search: s})
		return place, s.err
	}
	later, err := s.pattern.later()
	if err != nil {
		return nil, patternError(s.pattern.String(), err)
	}
	_, width := utf8.DecodeLastRuneInString(s.text[:at])
	place := later.FindReaderSubmatchIndex(&characters{s, at - width})
	if place == nil || s.err != nil {
		return nil, s.err
	}
	place = place[2:] // without the characters before the match
	for i := range place {
		if place[i] >= 0 {
			place[i] += at - width
		}
	}
	return place, nil
}

// characters reads the text of a search from an offset, until the search must stop.
type characters struct {
	search *search
	at     int
}

// ReadRune returns the next character.
func (c *characters) ReadRune() (r rune, size int, err error) {
	s := c.search
	if s.err == nil {
		s.err = s.spend(s.pattern.work(1))
	}
	if s.err != nil {
		return 0, 0, s.err
	}
	if c.at >= len(s.text) {
		return 0, 0, io.EOF
	}
	r, size = utf8.DecodeRuneInString(s.text[c.at:])
	c.at += size
	return r, size, nil
}
