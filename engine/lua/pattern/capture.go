package pattern

import (
	"strings"
)

// The lengths of captures without text.
const (
	captureOpen     = -1
	capturePosition = -2
)

// A capture is a part of the subject that a pattern puts in parentheses.
type capture struct{ start, length int }

// open begins a capture, and then matches the rest of the pattern.
func (m *Matcher) open(s, p, length int) int {
	if m.level == maxCaptures {
		m.host.Fail("too many captures")
	}
	m.captures[m.level] = capture{s, length}
	m.level++
	end := m.match(s, p)
	if end < 0 {
		m.level--
	}
	return end
}

// close ends the last open capture, and then matches the rest of the pattern.
func (m *Matcher) close(s, p int) int {
	at := m.level - 1
	for at >= 0 && m.captures[at].length != captureOpen {
		at--
	}
	if at < 0 {
		m.host.Fail("invalid pattern capture")
	}
	m.captures[at].length = s - m.captures[at].start
	end := m.match(s, p)
	if end < 0 {
		m.captures[at].length = captureOpen
	}
	return end
}

// special matches %b, %f and %1 to %9. It returns where the match ends, or -1, and the
// length of the item in the pattern.
func (m *Matcher) special(s, p int) (end, length int, special bool) {
	if p+1 == len(m.pattern) {
		return 0, 0, false
	}
	switch c := m.pattern[p+1]; {
	case c == 'b':
		return m.balanced(s, p+2), 4, true
	case c == 'f':
		end, length = m.frontier(s, p+2)
		return end, length + 2, true
	case '0' <= c && c <= '9':
		return m.repeatCapture(s, int(c)-'1'), 2, true
	}
	return 0, 0, false
}

// balanced matches from an opening character to its closing character. The pattern has
// both at p.
func (m *Matcher) balanced(s, p int) int {
	if p+1 >= len(m.pattern) {
		m.host.Fail("malformed pattern (missing arguments to '%b')")
	}
	opening, closing := m.pattern[p], m.pattern[p+1]
	if s >= len(m.subject) || m.subject[s] != opening {
		return -1
	}
	for at, deep := s+1, 1; at < len(m.subject); at++ {
		m.burn(1)
		switch m.subject[at] {
		case closing:
			if deep--; deep == 0 {
				return at + 1
			}
		case opening:
			deep++
		}
	}
	return -1
}

// frontier matches the empty text between a character outside a set and a character in
// it. The subject counts as surrounded by zero bytes.
func (m *Matcher) frontier(s, p int) (end, length int) {
	if p >= len(m.pattern) || m.pattern[p] != '[' {
		m.host.Fail("missing '[' after '%f' in pattern")
	}
	length = m.bracket(p) - p
	before, after := byte(0), byte(0)
	if s > 0 {
		before = m.subject[s-1]
	}
	if s < len(m.subject) {
		after = m.subject[s]
	}
	if m.set.has(before) || !m.set.has(after) {
		return -1, length
	}
	return s, length
}

// repeatCapture matches the text of an earlier capture once more.
func (m *Matcher) repeatCapture(s, index int) int {
	if index < 0 || index >= m.level || m.captures[index].length == captureOpen {
		m.host.Fail("invalid capture index")
	}
	c := m.captures[index]
	if c.length < 0 { // a position is not text
		return -1
	}
	m.burn(int64(c.length) / bytesPerStep)
	if !strings.HasPrefix(m.subject[s:], m.subject[c.start:c.start+c.length]) {
		return -1
	}
	return s + c.length
}

// A Capture is a part of the subject, or a position in it for "()".
type Capture struct {
	Text     string
	Position int // in bytes from 1; 0 where the capture is text
}

// Captures returns how many captures the last match has.
func (m *Matcher) Captures() int { return m.level }

// Capture returns a capture of the last match, counted from 0. Where the pattern has no
// captures, the whole match is the first.
func (m *Matcher) Capture(index int) Capture {
	if index >= m.level {
		if index > 0 {
			m.host.Fail("invalid capture index")
		}
		return Capture{Text: m.subject[m.start:m.end]}
	}
	c := m.captures[index]
	switch c.length {
	case capturePosition:
		return Capture{Position: c.start + 1}
	case captureOpen:
		m.host.Fail("unfinished capture")
	}
	return Capture{Text: m.subject[c.start : c.start+c.length]}
}
