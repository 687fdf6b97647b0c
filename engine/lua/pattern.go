package lua

import (
	"strings"

	glua "github.com/yuin/gopher-lua"
)

const (
	// maxMatchDepth bounds how deep a match nests: a level for each repetition,
	// option and parenthesis of the pattern.
	maxMatchDepth = 200
	maxCaptures   = 32
	// matchStretch is how many steps a match takes between two charges.
	matchStretch = 4096
)

// The lengths of captures that have none.
const (
	captureOpen     = -1
	capturePosition = -2
)

// A capture is a part of the subject that a pattern puts in parentheses.
type capture struct{ start, length int }

// A matcher matches one pattern of Lua against one subject, by trying and going
// back. Each try to match one character is a step of the budget, so that a pattern
// that would take forever ends when the budget does.
type matcher struct {
	L                *glua.LState
	budget           *budget
	subject, pattern string
	fuel             int64 // steps that are charged already
	depth, level     int
	captures         [maxCaptures]capture

	setAt, setEnd int // the bracket set that was read last: where it stands
	set           byteSet
}

// reset makes the matcher ready for a subject and a pattern.
func (m *matcher) reset(L *glua.LState, subject, pattern string) {
	m.L, m.budget, m.subject, m.pattern = L, budgetOf(L), subject, pattern
	m.setAt, m.fuel, m.depth, m.level = -1, 0, 0, 0
}

// burn takes steps, and charges for the next stretch of them when needed.
func (m *matcher) burn(steps int64) {
	if m.fuel -= steps; m.fuel < 0 {
		m.refuel()
	}
}

func (m *matcher) refuel() {
	ahead := max(min(matchStretch, m.budget.limits.instructions-m.budget.used), 1) - m.fuel
	m.budget.charge(m.L, ahead)
	m.fuel += ahead
}

// finish gives back what was charged and not needed.
func (m *matcher) finish() {
	m.budget.used -= m.fuel
	m.fuel = 0
}

func (m *matcher) fail(message string) { m.L.RaiseError("%s", message) }

// find looks for the pattern from a place of the subject on, where p is the place
// in the pattern after an anchor. It returns the bounds of the match, or -1.
func (m *matcher) find(from, p int, anchored bool) (start, end int) {
	first, literal := m.literal(p)
	for at := from; ; at++ {
		if literal && !anchored {
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
		if anchored || at >= len(m.subject) {
			return -1, -1
		}
	}
}

// literal returns the character that every match begins with, if the pattern
// tells.
func (m *matcher) literal(p int) (byte, bool) {
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
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxMatchDepth {
		m.fail("pattern too complex: it nests deeper than 200 levels")
	}
	end := m.items(s, p)
	m.depth--
	return end
}

// items matches item after item until one needs to try several ways.
func (m *matcher) items(s, p int) int {
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

// repeated matches a single character with what may follow it: ?, *, + or -.
// There is more to match from (s, p) on, or s is the end of the whole match.
func (m *matcher) repeated(s, p int) (next, rest int, more bool) {
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

// longest takes as many characters as there are, and goes back one by one until
// the rest of the pattern matches.
func (m *matcher) longest(s, p, rest int) int {
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

// shortest takes as few characters as the rest of the pattern lets it.
func (m *matcher) shortest(s, p, rest int) int {
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
func (m *matcher) single(s, p int) bool {
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
func (m *matcher) itemEnd(p int) int {
	switch m.pattern[p] {
	case '%':
		if p+1 == len(m.pattern) {
			m.fail("malformed pattern (ends with '%')")
		}
		return p + 2
	case '[':
		return m.bracket(p)
	}
	return p + 1
}

// bracket reads the set at p, unless it was the last one, and returns where it
// ends. A bracket that closes a set stands anywhere but in its first place.
func (m *matcher) bracket(p int) int {
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
	m.fail("malformed pattern (missing ']')")
	return 0
}
