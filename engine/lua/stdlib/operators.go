package stdlib

import (
	"math"
	"strings"

	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/number"
	glua "github.com/yuin/gopher-lua"
)

// operators compute the operations that text takes part in when it is a number.
var operators = map[string]func(a, b float64) float64{
	"__add": func(a, b float64) float64 { return a + b },
	"__sub": func(a, b float64) float64 { return a - b },
	"__mul": func(a, b float64) float64 { return a * b },
	"__div": func(a, b float64) float64 { return a / b },
	"__mod": modulo,
	"__pow": math.Pow,
	"__unm": func(a, _ float64) float64 { return -a },
}

// StringMetamethods returns the metamethods of all strings, by event. They replace
// gopher-lua's own arithmetic on text, which reads "010" as eight and "1_000" as a
// number.
func StringMetamethods() map[string]glua.LGFunction {
	methods := map[string]glua.LGFunction{}
	for event, compute := range operators {
		methods[event] = operator(event, compute)
	}
	return methods
}

// modulo is Lua's %: the result has the sign of b.
func modulo(a, b float64) float64 {
	remainder := math.Mod(a, b)
	if remainder != 0 && (remainder < 0) != (b < 0) {
		remainder += b
	}
	return remainder
}

// operator returns the metamethod of strings for an operation. The other operand may
// have a metamethod of its own.
func operator(event string, compute func(a, b float64) float64) glua.LGFunction {
	return func(L *glua.LState) int {
		left, right := L.Get(1), L.Get(2)
		if event == "__unm" { // gopher-lua passes one operand, Lua two
			right = left
		}
		a, leftIsNumber := numberOf(left)
		b, rightIsNumber := numberOf(right)
		if leftIsNumber && rightIsNumber {
			return Push(L, glua.LNumber(compute(a, b)))
		}
		for _, operand := range [...]glua.LValue{left, right} {
			if method := L.GetMetaField(operand, event); operand.Type() != glua.LTString && method != glua.LNil {
				return Push(L, call(L, method, left, right))
			}
		}
		wrong := left
		if leftIsNumber {
			wrong = right
		}
		L.RaiseError("attempt to perform arithmetic on a %s value", wrong.Type())
		return 0
	}
}

// Concat is a .. b .. c: one operation over all its operands, which charges for the
// text before it makes it. gopher-lua's own is a single instruction, whatever the
// size.
func Concat(L *glua.LState) int {
	var few [8]string
	parts, size := few[:0], 0
	for i, top := 1, L.GetTop(); i <= top; i++ {
		part, ok := partOf(L.Get(i))
		if !ok { // two at a time from the right, as Lua does
			right := L.Get(top)
			for left := top - 1; left >= 1; left-- {
				right = concatPair(L, L.Get(left), right)
			}
			return Push(L, right)
		}
		parts = append(parts, part)
		size += len(part)
	}
	limits.Of(L).Allocate(L, int64(size))
	return Push(L, glua.LString(strings.Join(parts, "")))
}

// concatPair concatenates two operands, by their metamethod when one is neither text nor
// a number.
func concatPair(L *glua.LState, left, right glua.LValue) glua.LValue {
	a, leftIsText := partOf(left)
	b, rightIsText := partOf(right)
	if leftIsText && rightIsText {
		limits.Of(L).Allocate(L, int64(len(a)+len(b)))
		return glua.LString(a + b)
	}
	method := L.GetMetaField(left, "__concat")
	if method == glua.LNil {
		method = L.GetMetaField(right, "__concat")
	}
	if method == glua.LNil {
		wrong := left
		if leftIsText {
			wrong = right
		}
		L.RaiseError("attempt to concatenate a %s value", wrong.Type())
	}
	return call(L, method, left, right)
}

// partOf returns the text of an operand that is text or a number.
func partOf(v glua.LValue) (string, bool) {
	switch v := v.(type) {
	case glua.LString:
		return string(v), true
	case glua.LNumber:
		return number.Text(float64(v)), true
	}
	return "", false
}
