package lua

import (
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// textFind is string.find: where the first match begins and ends, and its
// captures.
func textFind(L *glua.LState) int { return search(L, true) }

// textMatch is string.match: the captures of the first match, or all of it.
func textMatch(L *glua.LState) int { return search(L, false) }

func search(L *glua.LState, find bool) int {
	s, pattern := textArgument(L, 1), textArgument(L, 2)
	from := min(max(place(optionalInteger(L, 3, 1), len(s))-1, 0), len(s))
	if find && (L.ToBool(4) || !strings.ContainsAny(pattern, "^$*+?.([%-")) {
		return findPlain(L, s, pattern, from)
	}
	var m matcher
	m.reset(L, s, pattern)
	anchored := strings.HasPrefix(pattern, "^")
	start, end := m.find(from, anchor(anchored), anchored)
	m.finish()
	if end < 0 {
		L.Push(glua.LNil)
		return 1
	}
	if find {
		L.Push(glua.LNumber(start + 1))
		L.Push(glua.LNumber(end))
		return 2 + m.pushCaptures(start, end, false)
	}
	return m.pushCaptures(start, end, true)
}

// anchor returns where the items of a pattern begin.
func anchor(anchored bool) int {
	if anchored {
		return 1
	}
	return 0
}

// findPlain is string.find of text in which nothing has a meaning of its own.
func findPlain(L *glua.LState, s, text string, from int) int {
	budgetOf(L).charge(L, int64(len(s)-from+len(text))/bytesPerStep)
	at := strings.Index(s[from:], text)
	if at < 0 {
		L.Push(glua.LNil)
		return 1
	}
	L.Push(glua.LNumber(from + at + 1))
	L.Push(glua.LNumber(from + at + len(text)))
	return 2
}

// textGmatch is string.gmatch: an iterator that looks for the next match when it
// is asked for it. An anchor is an ordinary character in it.
func textGmatch(L *glua.LState) int {
	s, pattern := textArgument(L, 1), textArgument(L, 2)
	from := 0
	L.Push(L.NewFunction(func(L *glua.LState) int {
		if from > len(s) {
			L.Push(glua.LNil)
			return 1
		}
		var m matcher
		m.reset(L, s, pattern)
		start, end := m.find(from, 0, false)
		m.finish()
		if end < 0 {
			from = len(s) + 1
			L.Push(glua.LNil)
			return 1
		}
		if from = end; end == start {
			from++
		}
		return m.pushCaptures(start, end, true)
	}))
	return 1
}

// A substitution is one call of string.gsub under way.
type substitution struct {
	matcher     matcher
	out         strings.Builder
	replacement glua.LValue
}

// textGsub is string.gsub: the text with its matches replaced, and how many there
// were.
func textGsub(L *glua.LState) int {
	s, pattern := textArgument(L, 1), textArgument(L, 2)
	var sub substitution
	switch v := L.Get(3).(type) {
	case glua.LString, *glua.LTable, *glua.LFunction:
		sub.replacement = v
	case glua.LNumber:
		sub.replacement = glua.LString(numberText(float64(v)))
	default:
		wrongType(L, 3, "string/function/table")
	}
	most := optionalInteger(L, 4, len(s)+1)
	sub.matcher.reset(L, s, pattern)
	count := sub.run(most, strings.HasPrefix(pattern, "^"))
	sub.matcher.finish()
	if count == 0 {
		L.Push(glua.LString(s))
	} else {
		L.Push(glua.LString(sub.out.String()))
	}
	L.Push(glua.LNumber(count))
	return 2
}

// run replaces up to so many matches and returns how many there were.
func (u *substitution) run(most int, anchored bool) (count int) {
	m := &u.matcher
	kept := 0 // what stands before it is in out
	for from := 0; count < most; {
		start, end := m.find(from, anchor(anchored), anchored)
		if end < 0 {
			break
		}
		count++
		u.write(m.subject[kept:start])
		u.replace(start, end)
		kept = end
		if from = end; end == start { // an empty match: the next character stays
			if end == len(m.subject) {
				break
			}
			from++
		}
		if anchored {
			break
		}
	}
	if count > 0 {
		u.write(m.subject[kept:])
	}
	return count
}

// write appends text to the result.
func (u *substitution) write(text string) {
	if u.out.Len()+len(text) > maxString {
		u.matcher.budget.allocate(u.matcher.L, int64(u.out.Len()+len(text)))
	}
	u.matcher.budget.allocate(u.matcher.L, int64(len(text)))
	u.out.WriteString(text)
}

// replace writes what stands for a match.
func (u *substitution) replace(start, end int) {
	m := &u.matcher
	m.burn(1)
	var value glua.LValue
	switch replacement := u.replacement.(type) {
	case glua.LString:
		u.expand(string(replacement), start, end)
		return
	case *glua.LTable:
		value = m.L.GetTable(replacement, m.value(0, start, end))
	case *glua.LFunction:
		value = u.call(replacement, start, end)
	}
	switch v := value.(type) {
	case glua.LString:
		u.write(string(v))
	case glua.LNumber:
		u.write(numberText(float64(v)))
	default:
		if v != glua.LNil && v != glua.LFalse {
			m.fail("invalid replacement value (a " + v.Type().String() + ")")
		}
		u.write(m.subject[start:end])
	}
}

// call calls the function that replaces with the captures of a match.
func (u *substitution) call(function *glua.LFunction, start, end int) glua.LValue {
	L := u.matcher.L
	L.Push(function)
	L.Call(u.matcher.pushCaptures(start, end, true), 1)
	value := L.Get(-1)
	L.Pop(1)
	return value
}

// expand writes a replacement, in which %1 stands for a capture, %0 for the match
// and %% for a percent sign.
func (u *substitution) expand(replacement string, start, end int) {
	m := &u.matcher
	for {
		at := strings.IndexByte(replacement, '%')
		if at < 0 {
			u.write(replacement)
			return
		}
		u.write(replacement[:at])
		if at+1 == len(replacement) {
			m.fail("invalid use of '%' at the end of the replacement: write %% for a percent sign")
		}
		m.burn(1)
		switch c := replacement[at+1]; {
		case c == '0':
			u.write(m.subject[start:end])
		case '1' <= c && c <= '9':
			value := m.value(int(c-'1'), start, end)
			if n, ok := value.(glua.LNumber); ok {
				value = glua.LString(numberText(float64(n)))
			}
			u.write(value.String())
		default:
			u.write(replacement[at+1 : at+2])
		}
		replacement = replacement[at+2:]
	}
}
