package lua

import (
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// open begins a capture and matches the rest of the pattern.
func (m *matcher) open(s, p, length int) int {
	if m.level == maxCaptures {
		m.fail("too many captures")
	}
	m.captures[m.level] = capture{s, length}
	m.level++
	end := m.match(s, p)
	if end < 0 {
		m.level--
	}
	return end
}

// close ends the last capture that is open and matches the rest of the pattern.
func (m *matcher) close(s, p int) int {
	at := m.level - 1
	for at >= 0 && m.captures[at].length != captureOpen {
		at--
	}
	if at < 0 {
		m.fail("invalid pattern capture")
	}
	m.captures[at].length = s - m.captures[at].start
	end := m.match(s, p)
	if end < 0 {
		m.captures[at].length = captureOpen
	}
	return end
}

// special matches %b, %f and %1 to %9. It returns where the match ends, or -1, and
// how long the item is.
func (m *matcher) special(s, p int) (end, length int, special bool) {
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

// balanced matches from an opening character to the one that closes it: those two
// stand at p.
func (m *matcher) balanced(s, p int) int {
	if p+1 >= len(m.pattern) {
		m.fail("malformed pattern (missing arguments to '%b')")
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

// frontier matches the empty text where a set begins to hold: the character
// before is not in it, the one after is. Beyond the subject there are zeros.
func (m *matcher) frontier(s, p int) (end, length int) {
	if p >= len(m.pattern) || m.pattern[p] != '[' {
		m.fail("missing '[' after '%f' in pattern")
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
func (m *matcher) repeatCapture(s, index int) int {
	if index < 0 || index >= m.level || m.captures[index].length == captureOpen {
		m.fail("invalid capture index")
	}
	c := m.captures[index]
	if c.length < 0 { // a position is no text
		return -1
	}
	m.burn(int64(c.length) / bytesPerStep)
	if !strings.HasPrefix(m.subject[s:], m.subject[c.start:c.start+c.length]) {
		return -1
	}
	return s + c.length
}

// value returns a capture of a match, which begins and ends at the given places.
// Where the pattern has none, the whole match is the first.
func (m *matcher) value(index, start, end int) glua.LValue {
	if index >= m.level {
		if index > 0 {
			m.fail("invalid capture index")
		}
		return glua.LString(m.subject[start:end])
	}
	switch c := m.captures[index]; c.length {
	case capturePosition:
		return glua.LNumber(c.start + 1)
	case captureOpen:
		m.fail("unfinished capture")
		return glua.LNil
	default:
		return glua.LString(m.subject[c.start : c.start+c.length])
	}
}

// pushCaptures pushes the captures of a match and returns how many there are.
// Without any it is the whole match, if wanted.
func (m *matcher) pushCaptures(start, end int, whole bool) int {
	count := m.level
	if count == 0 && whole {
		count = 1
	}
	for i := range count {
		m.L.Push(m.value(i, start, end))
	}
	return count
}
