package lua

import (
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// concatName is the local name behind which a chunk finds the function that its
// .. operators became. No source can spell it.
const concatName = "(concat)"

// newConcat returns the variable that all chunks share. It is closed and never
// assigned to, so that states on several goroutines can read it.
func newConcat(L *glua.LState) *glua.Upvalue {
	variable := &glua.Upvalue{}
	variable.Close()
	variable.SetValue(L.NewFunction(concat))
	return variable
}

// concat is a .. b .. c: one operation over all its operands, charged before the
// text is made. gopher-lua's own is a single instruction, whatever the size.
func concat(L *glua.LState) int {
	var few [8]string
	parts, size := few[:0], 0
	for i, top := 1, L.GetTop(); i <= top; i++ {
		switch v := L.Get(i).(type) {
		case glua.LString:
			parts = append(parts, string(v))
		case glua.LNumber:
			parts = append(parts, numberText(float64(v)))
		default:
			L.Push(concatValues(L, top))
			return 1
		}
		size += len(parts[i-1])
	}
	budgetOf(L).allocate(L, int64(size))
	L.Push(glua.LString(strings.Join(parts, "")))
	return 1
}

// concatValues is concat where an operand is neither text nor a number: two at a
// time from the right, as Lua does, by their metamethods.
func concatValues(L *glua.LState, top int) glua.LValue {
	right := L.Get(top)
	for i := top - 1; i >= 1; i-- {
		right = concatPair(L, L.Get(i), right)
	}
	return right
}

func concatPair(L *glua.LState, left, right glua.LValue) glua.LValue {
	a, leftIsText := partOf(left)
	b, rightIsText := partOf(right)
	if leftIsText && rightIsText {
		budgetOf(L).allocate(L, int64(len(a)+len(b)))
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
	return callMethod(L, method, left, right)
}

// callMethod calls a metamethod of two operands.
func callMethod(L *glua.LState, method, left, right glua.LValue) glua.LValue {
	L.Push(method)
	L.Push(left)
	L.Push(right)
	L.Call(2, 1)
	value := L.Get(-1)
	L.Pop(1)
	return value
}

func partOf(v glua.LValue) (string, bool) {
	switch v := v.(type) {
	case glua.LString:
		return string(v), true
	case glua.LNumber:
		return numberText(float64(v)), true
	}
	return "", false
}
