package redact

import (
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// An escape is a part of a text that stands for other characters.
type escape struct {
	end   int    // where it ends
	means string // what it stands for; empty: for nothing
}

// escapesAt appends the escapes that begin at a place of a text. Several may begin there:
// in %2541, %25 stands for %, and %2541 for A.
func (r *reading) escapesAt(to []escape, text string, at int) []escape {
	switch text[at] {
	case '%':
		return r.percent(to, text, at+1)
	case '&':
		return r.entity(to, text, at+1)
	case '\\':
		return r.backslash(to, text, at+1)
	case '0':
		if r.kind == asHex && at+1 < len(text) && text[at+1]|0x20 == 'x' {
			return append(to, escape{at + 2, ""}) // 0x before the digits of a byte
		}
	}
	return to
}

// mayBegin are the bytes with which escapes begin.
const mayBegin = "%&\\0"

// mayEscape reports whether an escape may begin at a place, at which stands a byte of
// mayBegin.
func mayEscape(text string, at int) bool {
	if at+1 == len(text) {
		return false
	}
	switch next := text[at+1]; text[at] {
	case '%':
		return isHex(next)
	case '0':
		return next|0x20 == 'x'
	case '\\':
		return strings.IndexByte("ntrbfxuU\"'/\\", next) >= 0
	default:
		return next == '#' || 'A' <= next && next <= 'Z' || 'a' <= next && next <= 'z'
	}
}

// more appends the escape of which the last escape of the list is the beginning: programs
// escape what is escaped already.
func (r *reading) more(to []escape, text string) []escape {
	switch last := to[len(to)-1]; last.means {
	case "%":
		return r.percent(to, text, last.end)
	case "&":
		return r.entity(to, text, last.end)
	case "\\":
		return r.backslash(to, text, last.end)
	}
	return to
}

// percent appends the escape of a URL of which the digits begin at a place.
func (r *reading) percent(to []escape, text string, digits int) []escape {
	value, ok := number(text, digits, 2)
	if !ok {
		return to
	}
	return r.more(append(to, escape{digits + 2, string([]byte{byte(value)})}), text)
}

// longestEntity is longer than the name of any character in HTML.
const longestEntity = 34

// entity appends the escape of HTML of which the name begins at a place.
func (r *reading) entity(to []escape, text string, name int) []escape {
	length := strings.IndexAny(text[name:min(len(text), name+longestEntity)], ";&")
	if length < 2 || text[name+length] == '&' {
		return to
	}
	end := name + length + 1
	written := "&" + text[name:end]
	means := html.UnescapeString(written)
	if means == written || len(means) > 1 && means[len(means)-1] == ';' {
		return to // there is no such name
	}
	return r.more(append(to, escape{end, means}), text)
}

// backslash appends the escape of which the letter after the backslash stands at a place.
// The text as characters needs none for quotes and slashes: it passes over backslashes.
func (r *reading) backslash(to []escape, text string, letter int) []escape {
	if letter == len(text) {
		return to
	}
	switch c := text[letter]; c {
	case 'n':
		return append(to, escape{letter + 1, "\n"})
	case 't':
		return append(to, escape{letter + 1, "\t"})
	case 'r':
		return append(to, escape{letter + 1, "\r"})
	case 'b':
		return append(to, escape{letter + 1, "\b"})
	case 'f':
		return append(to, escape{letter + 1, "\f"})
	case '"', '\'', '/', '\\':
		if r.kind == asExact {
			return append(to, escape{letter + 1, text[letter : letter+1]})
		}
	case 'x':
		if r.kind == asHex {
			return append(to, escape{letter + 1, ""}) // \x before the digits of a byte
		}
		if value, ok := number(text, letter+1, 2); ok {
			return append(to, escape{letter + 3, string([]byte{byte(value)})})
		}
	case 'u', 'U':
		return r.numbered(to, text, letter)
	}
	return to
}

// numbered appends the escape \uXXXX, \UXXXXXXXX or \u{X} of which the letter stands at a
// place.
func (r *reading) numbered(to []escape, text string, letter int) []escape {
	start, digits, after := letter+1, 4, 0
	switch {
	case text[letter] == 'U':
		digits = 8
	case strings.HasPrefix(text[start:], "{"):
		start, after = start+1, 1
		digits = strings.IndexByte(text[start:min(len(text), start+8)], '}')
	}
	value, ok := number(text, start, digits)
	if !ok {
		return to
	}
	end := start + digits + after
	if utf16.IsSurrogate(value) {
		if low, after, ok := lowSurrogate(text, end); ok {
			return append(to, escape{after, string(utf16.DecodeRune(value, low))})
		}
		value = utf8.RuneError
	}
	return r.more(append(to, escape{end, string(value)}), text)
}

// lowSurrogate reads the second half of a character: backslashes and uXXXX.
func lowSurrogate(text string, at int) (low rune, end int, ok bool) {
	letter := at + len(text[at:]) - len(strings.TrimLeft(text[at:], `\`))
	if letter == at || !strings.HasPrefix(text[letter:], "u") {
		return 0, 0, false
	}
	low, ok = number(text, letter+1, 4)
	return low, letter + 5, ok
}

// number reads hexadecimal digits.
func number(text string, at, digits int) (value rune, ok bool) {
	if digits <= 0 || at+digits > len(text) {
		return 0, false
	}
	for _, c := range []byte(text[at : at+digits]) {
		if !isHex(c) {
			return 0, false
		}
		if c > '9' {
			c += 9 // the low four bits of the letters begin with 1
		}
		value = value<<4 | rune(c&0xf)
	}
	return value, true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
