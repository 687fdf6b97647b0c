package stdlib

import (
	"math"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/lua/limits"
	glua "github.com/yuin/gopher-lua"
)

// String returns the functions of the module string. A string is a sequence of bytes:
// a letter beyond ASCII is several bytes, which upper and lower leave as they are.
func String() map[string]glua.LGFunction {
	return map[string]glua.LGFunction{
		"byte": textBytes, "char": textChar, "find": textFind, "format": textFormat, "gmatch": textGmatch, "gsub": textGsub, "len": textLen,
		"lower": changeCase('A', 'Z'), "match": textMatch, "rep": textRepeat, "reverse": textReverse, "sub": textSub, "upper": changeCase('a', 'z'),
	}
}

// A textWriter builds a text, and charges for each part before it adds the part.
type textWriter struct {
	L   *glua.LState
	out strings.Builder
}

func (w *textWriter) write(text string) {
	b := limits.Of(w.L)
	if w.out.Len()+len(text) > limits.MaxString {
		b.Allocate(w.L, int64(w.out.Len()+len(text)))
	}
	b.Allocate(w.L, int64(len(text)))
	w.out.WriteString(text)
}

// Write adds a part.
func (w *textWriter) Write(part []byte) (int, error) {
	w.write(string(part))
	return len(part), nil
}

// place returns a place in a text, counted from the beginning. A negative place counts from
// the end. The result may be outside the text.
func place(at, length int) int {
	if at < 0 {
		return max(at+length+1, 0)
	}
	return at
}

// span returns the bounds of the part from the first to the last place, inclusive.
func span(first, last, length int) (from, to int) {
	from, to = max(place(first, length), 1)-1, min(place(last, length), length)
	return min(from, max(to, 0)), max(to, 0)
}

func textLen(L *glua.LState) int {
	return Push(L, glua.LNumber(len(textArgument(L, 1))))
}

func textSub(L *glua.LState) int {
	s := textArgument(L, 1)
	from, to := span(integerArgument(L, 2), optionalInteger(L, 3, -1), len(s))
	return Push(L, limits.Part(L, s, s[from:to]))
}

func textBytes(L *glua.LState) int {
	s := textArgument(L, 1)
	first := optionalInteger(L, 2, 1)
	from, to := span(first, optionalInteger(L, 3, first), len(s))
	if to-from >= maxResults {
		L.RaiseError("stack overflow (string slice too long: %d bytes, at most %d)", to-from, maxResults-1)
	}
	limits.Of(L).Charge(L, int64(to-from))
	for i := from; i < to; i++ {
		L.Push(glua.LNumber(s[i]))
	}
	return to - from
}

func textChar(L *glua.LState) int {
	text := make([]byte, L.GetTop())
	limits.Of(L).Allocate(L, int64(len(text)))
	for i := range text {
		code := integerArgument(L, i+1)
		if code < 0 || code > math.MaxUint8 {
			L.ArgError(i+1, "invalid value")
		}
		text[i] = byte(code)
	}
	return Push(L, glua.LString(text))
}

func textRepeat(L *glua.LState) int {
	s, count := textArgument(L, 1), integerArgument(L, 2)
	if count <= 0 || s == "" {
		return Push(L, glua.LString(""))
	}
	limits.Of(L).Allocate(L, int64(min(count, limits.MaxString+1))*int64(len(s)))
	return Push(L, glua.LString(strings.Repeat(s, count)))
}

// changeCase returns a function that changes the case of the letters from first to last.
func changeCase(first, last byte) glua.LGFunction {
	return func(L *glua.LState) int {
		s := textArgument(L, 1)
		b := limits.Of(L)
		b.Charge(L, int64(len(s))/8)
		b.Allocate(L, int64(len(s)))
		out := []byte(s)
		for i, c := range out {
			if first <= c && c <= last {
				out[i] = c ^ ('a' - 'A')
			}
		}
		return Push(L, glua.LString(out))
	}
}

func textReverse(L *glua.LState) int {
	s := textArgument(L, 1)
	limits.Of(L).Allocate(L, int64(len(s)))
	out := []byte(s)
	slices.Reverse(out)
	return Push(L, glua.LString(out))
}
