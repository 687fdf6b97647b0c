package lua

import (
	"math"

	glua "github.com/yuin/gopher-lua"
)

// operators are the operations that text which is a number takes part in. They
// are in the metatable of strings, since gopher-lua itself takes "010" for eight
// and "1_000" for a number.
var operators = map[string]func(a, b float64) float64{
	"__add": func(a, b float64) float64 { return a + b },
	"__sub": func(a, b float64) float64 { return a - b },
	"__mul": func(a, b float64) float64 { return a * b },
	"__div": func(a, b float64) float64 { return a / b },
	"__mod": modulo,
	"__pow": math.Pow,
	"__unm": func(a, _ float64) float64 { return -a },
}

// modulo is Lua's %: the result has the sign of b.
func modulo(a, b float64) float64 {
	remainder := math.Mod(a, b)
	if remainder != 0 && (remainder < 0) != (b < 0) {
		remainder += b
	}
	return remainder
}

// operator returns the metamethod of strings for an operation. The other operand
// may be one that has its own.
func operator(event string, compute func(a, b float64) float64) glua.LGFunction {
	return func(L *glua.LState) int {
		left, right := L.Get(1), L.Get(2)
		if event == "__unm" { // gopher-lua gives one operand, Lua two
			right = left
		}
		a, leftIsNumber := numberOf(left)
		b, rightIsNumber := numberOf(right)
		if leftIsNumber && rightIsNumber {
			L.Push(glua.LNumber(compute(a, b)))
			return 1
		}
		for _, operand := range [...]glua.LValue{left, right} {
			if method := L.GetMetaField(operand, event); operand.Type() != glua.LTString && method != glua.LNil {
				L.Push(callMethod(L, method, left, right))
				return 1
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
