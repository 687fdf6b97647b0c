// Package pattern matches the patterns of Lua 5.1 against text, as string.find,
// string.match, string.gmatch and string.gsub need it.
//
// A [Matcher] tries one way after the other and goes back when one fails. The same
// pattern and text may take a number of steps that grows exponentially with their
// length, so the matcher charges its [Host] for each step, and the host ends the match
// when the steps are spent. The package knows nothing of the Lua machine.
//
// pattern.go has the matcher, capture.go what a pattern puts in parentheses, and
// class.go the sets of bytes such as %a and [a-z].
package pattern

import (
	"strings"
)

const (
	// maxMatchDepth bounds how deep a match nests: a level for each repetition,
	// option and parenthesis of the pattern.
	maxMatchDepth = 200
	maxCaptures   = 32
	// stepsAhead is how many steps a matcher charges at a time.
	stepsAhead = 4096
	// bytesPerStep is how many bytes are compared or skipped for one step.
	bytesPerStep = 64
)

// A Host counts the steps of matches and raises their errors. A Lua error is a panic of
// Go, so Charge and Fail end a match by a panic, which the matcher does not recover.
type Host interface {
	// Left returns how many steps may still be taken.
	Left() int64
	// Charge counts steps that are about to be taken. It panics when they are spent.
	Charge(steps int64)
	// Refund takes back steps that were counted and not taken.
	Refund(steps int64)
	// Fail panics with a message that says what is wrong with the pattern.
	Fail(message string)
}

// A Matcher matches one pattern against one subject. Each try to match one
// character is a step. The zero Matcher needs a Reset. It belongs to one goroutine.
type Matcher struct {
	host             Host
	subject, pattern string
	anchored         bool
	fuel             int64 // steps that are charged and not taken
	depth, level     int
	start, end       int // of the last match
	captures         [maxCaptures]capture

	setAt, setEnd int // the bounds of the last bracket set that was read
	set           byteSet
}

// Reset makes the matcher ready for a subject and a pattern. Where anchors is true, a
// ^ at the beginning of the pattern ties a match to the place where the search
// begins; otherwise it is an ordinary character, as in string.gmatch.
func (m *Matcher) Reset(host Host, subject, pattern string, anchors bool) {
	m.host, m.subject, m.pattern = host, subject, pattern
	m.anchored = anchors && strings.HasPrefix(pattern, "^")
	m.setAt, m.fuel, m.depth, m.level = -1, 0, 0, 0
}

// Finish gives back the steps that were charged and not taken.
func (m *Matcher) Finish() {
	m.host.Refund(m.fuel)
	m.fuel = 0
}

// Step takes a step for work that the caller does with a match.
func (m *Matcher) Step() { m.burn(1) }

// burn takes steps, and charges for the next ones when needed.
func (m *Matcher) burn(steps int64) {
	if m.fuel -= steps; m.fuel < 0 {
		m.refuel()
	}
}

// refuel charges for the steps that were taken without a charge, and for as many of the
// next ones as are left.
func (m *Matcher) refuel() {
	ahead := max(min(stepsAhead, m.host.Left()), -m.fuel)
	m.host.Charge(ahead)
	m.fuel += ahead
}

// Subject returns the text that the matcher searches.
func (m *Matcher) Subject() string { return m.subject }

// Find looks for the first match from a byte of the subject on. It returns the bounds of
// the match, or -1.
func (m *Matcher) Find(from int) (start, end int) {
	m.start, m.end = m.find(from)
	return m.start, m.end
}

func (m *Matcher) find(from int) (start, end int) {
	p := 0
	if m.anchored {
		p = 1
	}
	first, literal := m.literal(p)
	for at := from; ; at++ {
		if literal && !m.anchored {
			skip := strings.IndexByte(m.subject[at:], first)
			if skip < 0 {
				m.burn(int64(len(m.subject)-at)/bytesPerStep + 1)
				return -1, -1
			}
			m.burn(int64(skip) / bytesPerStep)
			at += skip
		}
		m.level = 0
		if end := m.match(at, p); end >= 0 {
			return at, end
		}
		if m.anchored || at >= len(m.subject) {
			return -1, -1
		}
	}
}

// literal returns the character that every match begins with, when the pattern begins
// with a literal character.
func (m *Matcher) literal(p int) (byte, bool) {
	if p >= len(m.pattern) || strings.IndexByte("^$*+?.([%-)", m.pattern[p]) >= 0 {
		return 0, false
	}
	if p+1 < len(m.pattern) && strings.IndexByte("*?-", m.pattern[p+1]) >= 0 {
		return 0, false
	}
	return m.pattern[p], true
}

// match matches the pattern from p on against the subject from s on. It returns
// where the match ends, or -1.
func (m *Matcher) match(s, p int) int {
	if m.depth++; m.depth > maxMatchDepth {
		m.host.Fail("pattern too complex: it nests deeper than 200 levels")
	}
	end := m.items(s, p)
	m.depth--
	return end
}

// items matches one item after the other until an item can match in several ways.
func (m *Matcher) items(s, p int) int {
	for p < len(m.pattern) {
		m.burn(1)
		switch m.pattern[p] {
		case '(':
			if p+1 < len(m.pattern) && m.pattern[p+1] == ')' {
				return m.open(s, p+2, capturePosition)
			}
			return m.open(s, p+1, captureOpen)
		case ')':
			return m.close(s, p+1)
		case '$':
			if p+1 == len(m.pattern) {
				if s == len(m.subject) {
					return s
				}
				return -1
			}
		case '%':
			if next, length, special := m.special(s, p); special {
				if next < 0 {
					return -1
				}
				s, p = next, p+length
				continue
			}
		}
		next, rest, more := m.repeated(s, p)
		if !more {
			return next
		}
		s, p = next, rest
	}
	return s
}

// repeated matches a single character with the suffix that may follow it: ?, *, + or -.
// When more is true, the caller continues at next and rest; otherwise next is the result
// of the whole match.
func (m *Matcher) repeated(s, p int) (next, rest int, more bool) {
	end := m.itemEnd(p)
	suffix := byte(0)
	if end < len(m.pattern) {
		suffix = m.pattern[end]
	}
	switch suffix {
	case '?':
		if m.single(s, p) {
			if found := m.match(s+1, end+1); found >= 0 {
				return found, 0, false
			}
		}
		return s, end + 1, true
	case '*':
		return m.longest(s, p, end+1), 0, false
	case '+':
		if !m.single(s, p) {
			return -1, 0, false
		}
		return m.longest(s+1, p, end+1), 0, false
	case '-':
		return m.shortest(s, p, end+1), 0, false
	}
	if !m.single(s, p) {
		return -1, 0, false
	}
	return s + 1, end, true
}

// longest takes as many characters as match, and gives them back one by one until the
// rest of the pattern matches.
func (m *Matcher) longest(s, p, rest int) int {
	most := s
	for m.single(most, p) {
		most++
		m.burn(1)
	}
	if rest == len(m.pattern) {
		return most
	}
	for at := most; at >= s; at-- {
		if end := m.match(at, rest); end >= 0 {
			return end
		}
	}
	return -1
}

// shortest takes as few characters as possible for the rest of the pattern to match.
func (m *Matcher) shortest(s, p, rest int) int {
	for {
		if end := m.match(s, rest); end >= 0 {
			return end
		}
		if !m.single(s, p) {
			return -1
		}
		s++
	}
}

// single reports whether the item at p matches the character at s.
func (m *Matcher) single(s, p int) bool {
	if s >= len(m.subject) {
		return false
	}
	c := m.subject[s]
	switch m.pattern[p] {
	case '.':
		return true
	case '%':
		if class := classOf(m.pattern[p+1]); class != nil {
			return class.has(c)
		}
		return m.pattern[p+1] == c
	case '[':
		m.bracket(p)
		return m.set.has(c)
	}
	return m.pattern[p] == c
}

// itemEnd returns where the item that begins at p ends.
func (m *Matcher) itemEnd(p int) int {
	switch m.pattern[p] {
	case '%':
		if p+1 == len(m.pattern) {
			m.host.Fail("malformed pattern (ends with '%')")
		}
		return p + 2
	case '[':
		return m.bracket(p)
	}
	return p + 1
}

// bracket reads the set at p, unless it is the last one read, and returns where the set
// ends. A ] in the first place of a set is an ordinary character.
func (m *Matcher) bracket(p int) int {
	if p == m.setAt {
		return m.setEnd
	}
	first := p + 1
	if first < len(m.pattern) && m.pattern[first] == '^' {
		first++
	}
	for at := first; at < len(m.pattern); at++ {
		switch {
		case m.pattern[at] == '%':
			at++
		case m.pattern[at] == ']' && at > first:
			m.burn(int64(at-p) / 8)
			m.setAt, m.setEnd, m.set = p, at+1, bracketSet(m.pattern[p+1:at+1])
			return at + 1
		}
	}
	m.host.Fail("malformed pattern (missing ']')")
	return 0
}
