package stdlib

import (
	"strings"

	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/pattern"
	glua "github.com/yuin/gopher-lua"
)

// A host is a Lua state for the matcher: it charges the budget of the state and raises
// errors of Lua.
type host glua.LState

var _ pattern.Host = (*host)(nil)

func (h *host) budget() *limits.Budget { return limits.Of((*glua.LState)(h)) }

// Left returns how many steps the budget has.
func (h *host) Left() int64 { return h.budget().Left() }

// Charge charges the budget.
func (h *host) Charge(steps int64) { h.budget().Charge((*glua.LState)(h), steps) }

// Refund takes back what was charged.
func (h *host) Refund(steps int64) { h.budget().Refund(steps) }

// Fail raises an error of Lua.
func (h *host) Fail(message string) { (*glua.LState)(h).RaiseError("%s", message) }

// textFind is string.find: the bounds of the first match, and its captures.
func textFind(L *glua.LState) int { return search(L, true) }

// textMatch is string.match: the captures of the first match, or the whole match when the
// pattern has no captures.
func textMatch(L *glua.LState) int { return search(L, false) }

func search(L *glua.LState, find bool) int {
	s, p := textArgument(L, 1), textArgument(L, 2)
	from := min(max(place(optionalInteger(L, 3, 1), len(s))-1, 0), len(s))
	if find && (L.ToBool(4) || !strings.ContainsAny(p, "^$*+?.([%-")) {
		return findPlain(L, s, p, from)
	}
	var m pattern.Matcher
	m.Reset((*host)(L), s, p, true)
	start, end := m.Find(from)
	m.Finish()
	if end < 0 {
		return Push(L, glua.LNil)
	}
	if find {
		L.Push(glua.LNumber(start + 1))
		L.Push(glua.LNumber(end))
		return 2 + pushCaptures(L, &m, m.Captures())
	}
	return pushCaptures(L, &m, max(m.Captures(), 1))
}

// pushCaptures pushes the first captures of a match and returns how many there are.
func pushCaptures(L *glua.LState, m *pattern.Matcher, count int) int {
	for i := range count {
		L.Push(captured(L, m, i))
	}
	return count
}

// captured returns a capture of a match, counted from 0.
func captured(L *glua.LState, m *pattern.Matcher, index int) glua.LValue {
	c := m.Capture(index)
	if c.Position > 0 {
		return glua.LNumber(c.Position)
	}
	return limits.Part(L, m.Subject(), c.Text)
}

// findPlain is string.find of text without special characters.
func findPlain(L *glua.LState, s, text string, from int) int {
	limits.Of(L).Charge(L, int64(len(s)-from+len(text))/limits.BytesPerStep)
	at := strings.Index(s[from:], text)
	if at < 0 {
		return Push(L, glua.LNil)
	}
	return Push(L, glua.LNumber(from+at+1), glua.LNumber(from+at+len(text)))
}

// textGmatch is string.gmatch: an iterator whose every call finds the next match. A ^ in
// the pattern is an ordinary character.
func textGmatch(L *glua.LState) int {
	s, p := textArgument(L, 1), textArgument(L, 2)
	from := 0
	limits.KeepClosure(L)
	L.Push(L.NewClosure(func(L *glua.LState) int {
		if from > len(s) {
			return Push(L, glua.LNil)
		}
		var m pattern.Matcher
		m.Reset((*host)(L), s, p, false)
		start, end := m.Find(from)
		m.Finish()
		if end < 0 {
			from = len(s) + 1
			return Push(L, glua.LNil)
		}
		if from = end; end == start {
			from++
		}
		return pushCaptures(L, &m, max(m.Captures(), 1))
	}, glua.LString(s), glua.LString(p))) // so that they are measured with the iterator
	return 1
}

// A substitution is one call of string.gsub.
type substitution struct {
	textWriter
	subject     string
	matcher     pattern.Matcher
	replacement glua.LValue
}

// textGsub is string.gsub: the text with its matches replaced, and how many there
// were.
func textGsub(L *glua.LState) int {
	s, p := textArgument(L, 1), textArgument(L, 2)
	sub := substitution{textWriter: textWriter{L: L}, subject: s}
	switch v := L.Get(3).(type) {
	case *glua.LTable, *glua.LFunction:
		sub.replacement = v
	default:
		text, ok := partOf(v)
		if !ok {
			wrongType(L, 3, "string/function/table")
		}
		sub.replacement = glua.LString(text)
	}
	most := optionalInteger(L, 4, len(s)+1)
	sub.matcher.Reset((*host)(L), s, p, true)
	count := sub.run(most, strings.HasPrefix(p, "^"))
	sub.matcher.Finish()
	if count == 0 {
		L.Push(glua.LString(s))
	} else {
		L.Push(glua.LString(sub.out.String()))
	}
	L.Push(glua.LNumber(count))
	return 2
}

// run replaces up to most matches and returns how many there were.
func (u *substitution) run(most int, anchored bool) (count int) {
	copied := 0 // the subject up to here is in out
	for from := 0; count < most; {
		start, end := u.matcher.Find(from)
		if end < 0 {
			break
		}
		count++
		u.write(u.subject[copied:start])
		u.replace(start, end)
		copied = end
		if from = end; end == start { // an empty match: the next character stays
			if end == len(u.subject) {
				break
			}
			from++
		}
		if anchored {
			break
		}
	}
	if count > 0 {
		u.write(u.subject[copied:])
	}
	return count
}

// replace writes what replaces a match.
func (u *substitution) replace(start, end int) {
	u.matcher.Step()
	var value glua.LValue
	switch replacement := u.replacement.(type) {
	case glua.LString:
		u.expand(string(replacement), start, end)
		return
	case *glua.LTable:
		u.matcher.Finish() // a metamethod needs the steps
		limits.Of(u.L).While(int64(u.out.Cap()), func() { value = u.L.GetTable(replacement, captured(u.L, &u.matcher, 0)) })
	case *glua.LFunction:
		value = u.call(replacement)
	}
	text, ok := partOf(value)
	switch {
	case ok:
	case value == glua.LNil || value == glua.LFalse:
		text = u.subject[start:end]
	default:
		u.L.RaiseError("invalid replacement value (a %s)", value.Type())
	}
	u.write(text)
}

// call calls the function that replaces a match with the captures of the match.
func (u *substitution) call(function *glua.LFunction) glua.LValue {
	u.matcher.Finish() // the function needs the steps
	u.L.Push(function)
	limits.Of(u.L).While(int64(u.out.Cap()), func() {
		u.L.Call(pushCaptures(u.L, &u.matcher, max(u.matcher.Captures(), 1)), 1)
	})
	value := u.L.Get(-1)
	u.L.Pop(1)
	return value
}

// expand writes a replacement, in which %1 stands for a capture, %0 for the match and
// %% for a percent sign.
func (u *substitution) expand(replacement string, start, end int) {
	for {
		at := strings.IndexByte(replacement, '%')
		if at < 0 {
			u.write(replacement)
			return
		}
		u.write(replacement[:at])
		if at+1 == len(replacement) {
			u.L.RaiseError("invalid use of '%%' at the end of the replacement: write %%%% for a percent sign")
		}
		u.matcher.Step()
		switch c := replacement[at+1]; {
		case c == '0':
			u.write(u.subject[start:end])
		case '1' <= c && c <= '9':
			part, _ := partOf(captured(u.L, &u.matcher, int(c-'1')))
			u.write(part)
		default:
			u.write(replacement[at+1 : at+2])
		}
		replacement = replacement[at+2:]
	}
}
