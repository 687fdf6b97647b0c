package lua

import (
	"cmp"
	"fmt"
	"regexp"
	"runtime"
	"strings"

	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/stdlib"
	glua "github.com/yuin/gopher-lua"
)

// maxProtected bounds how deep calls of pcall nest.
const maxProtected = 100

// pcall and xpcall of gopher-lua are wrong where closures share variables. After an error,
// its pcall closes the variables of every function of the thread, including the
// functions that continue after the pcall: a counter outside of the pcall then
// silently has two values. Its xpcall, and a panic of a Go function, close no variables,
// so closures read the variables of others.
//
// Here each protected call has a thread of its own, so an error closes only the
// variables of the functions that it ends.

// protected calls the value at the first place of L's stack with the arguments from the
// given place on. It returns the thread with the results on its stack, which must be
// released, or the value that was raised.
func (e *evaluation) protected(L *glua.LState, first int) (*thread, glua.LValue) {
	if len(e.callers) == maxProtected {
		L.RaiseError("pcall nests deeper than %d levels", maxProtected)
	}
	limits.KeepStack(L, e.reserved(L))
	thread := e.thread()
	thread.Push(e.interpreter.library.shield)
	thread.Push(L.Get(1))
	top := L.GetTop()
	for i := first; i <= top; i++ {
		thread.Push(L.Get(i))
	}
	e.callers = append(e.callers, L)
	err := thread.PCall(max(top-first+1, 0)+1, glua.MultRet, nil)
	e.callers = e.callers[:len(e.callers)-1]
	if err == nil {
		return thread, nil
	}
	e.release(thread)
	raised := placed(L, raisedValue(err))
	if e.stopped == nil && e.budget.Stopped() != nil {
		e.stopped = raised
	}
	return nil, raised
}

// placed adds the place of a protected call to a message without one. A message has no
// place when pcall called the function that raised it directly, as in
// pcall(string.rep); gopher-lua then begins it with a blank.
func placed(L *glua.LState, raised glua.LValue) glua.LValue {
	if text, ok := raised.(glua.LString); ok && strings.HasPrefix(string(text), " ") {
		return glua.LString(where(L, 1)) + text
	}
	return raised
}

// where returns the place of the Lua function that runs at a level, as "file:line:". It is
// empty where there is none.
func where(L *glua.LState, level int) (found string) {
	defer func() {
		// gopher-lua panics for a function that could not begin because the stack was too
		// small for its arguments.
		if recover() != nil {
			found = definition(L, level)
		}
	}()
	if place := L.Where(level); positionPattern.MatchString(place) {
		return place
	}
	return ""
}

// A thread is the state of a protected call.
type thread struct {
	*glua.LState
	reserved int // the registers that it was charged for
}

// reserved returns the count of the registers that a state was charged for.
func (e *evaluation) reserved(L *glua.LState) *int {
	for _, t := range e.all {
		if t.LState == L {
			return &t.reserved
		}
	}
	return &e.registers
}

// definition returns the place where the function that runs at a level is defined.
func definition(L *glua.LState, level int) string {
	info, ok := L.GetStack(level)
	if !ok {
		return ""
	}
	if _, err := L.GetInfo("S", info, glua.LNil); err != nil || info.LineDefined <= 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:", info.Source, info.LineDefined)
}

// thread returns a thread for a protected call.
func (e *evaluation) thread() *thread {
	if last := len(e.threads) - 1; last >= 0 {
		thread := e.threads[last]
		e.threads = e.threads[:last]
		return thread
	}
	state, cancel := e.state.NewThread()
	cancel() // the next line replaces the context
	state.SetContext(&e.budget)
	made := &thread{LState: state}
	e.all = append(e.all, made)
	return made
}

// release makes a thread ready to use again.
func (e *evaluation) release(thread *thread) {
	thread.SetTop(0)
	e.threads = append(e.threads, thread)
}

func raisedValue(err error) glua.LValue {
	if api, ok := err.(*glua.ApiError); ok && api.Object != nil {
		return api.Object
	}
	return glua.LString(err.Error())
}

// shield is the function that begins a protected call, and calls the rest. It keeps
// gopher-lua from building a stack trace, which takes seconds after many tail calls.
// It also turns the panics of Go functions into errors of Lua, with the place where they
// happened. gopher-lua panics when its stack is full.
func shield(L *glua.LState) int {
	L.Panic = func(L *glua.LState) {
		panic(&glua.ApiError{Type: glua.ApiErrorRun, Object: withoutAddress(L.Get(-1)), StackTrace: "none"})
	}
	defer func() {
		r := recover()
		if r != nil && isOverflow(L, r) {
			evaluationOf(L).overflow(L)
		}
		switch r := r.(type) {
		case nil:
		case *glua.ApiError:
			panic(r)
		default:
			place := cmp.Or(where(L, 0), where(L, 1))
			L.Error(glua.LString(strings.TrimPrefix(place+" "+panicText(r), " ")), 0)
		}
	}()
	L.Call(L.GetTop()-1, glua.MultRet)
	return L.GetTop()
}

// isOverflow reports whether a panic says that the stack is full. gopher-lua panics with a
// text when too many functions are called, raises an error when a value finds no
// register, and in some instructions just goes beyond the registers.
func isOverflow(L *glua.LState, r any) bool {
	switch r := r.(type) {
	case string:
		return r == "lua callstack overflow"
	case runtime.Error:
		return limits.StackIsFull(L)
	case *glua.ApiError:
		text, ok := r.Object.(glua.LString)
		return ok && strings.HasSuffix(string(text), "registry overflow") && limits.StackIsFull(L)
	}
	return false
}

// panicText returns the message for a panic of Go. gopher-lua panics with texts, for
// example when the stack is full. The values of other panics are not shown to a script,
// because they may contain addresses of memory.
func panicText(r any) string {
	if text, ok := r.(string); ok {
		return text
	}
	return "internal error: a function failed instead of refusing its arguments; please report it"
}

// badIndex is the beginning of gopher-lua's message for a bad index, after the place.
const badIndex = "attempt to index a "

// addressPattern finds a key in that message that is written as an address, or is long.
var addressPattern = regexp.MustCompile(`^(` + badIndex + `.{0,60} with key ')(?:(table|function|userdata|thread): 0x[0-9a-f]+'$|(?s:.{200,}))`)

// withoutAddress returns a raised value without an address of memory, which would differ
// from run to run.
func withoutAddress(raised glua.LValue) glua.LValue {
	text, ok := raised.(glua.LString)
	if !ok {
		return raised
	}
	head := string(text[:min(len(text), maxErrorText)])
	at := strings.Index(head, badIndex)
	if at < 0 {
		return raised
	}
	m := addressPattern.FindStringSubmatch(head[at:])
	switch {
	case m == nil:
		return raised
	case m[2] != "":
		return glua.LString(head[:at] + m[1] + "a " + m[2] + "'")
	}
	return glua.LString(clip(head, at+len(m[1])+200) + "'")
}

// pcall is pcall(f, ...): true and the results, or false and the raised value.
func pcall(L *glua.LState) int {
	L.CheckAny(1)
	thread, raised := evaluationOf(L).protected(L, 2)
	if thread == nil {
		return stdlib.Push(L, glua.LFalse, raised)
	}
	return results(L, thread)
}

// xpcall is xpcall(f, handler, ...): pcall with a handler that replaces the raised value.
// The handler runs after the error has ended its functions. Scripts cannot see the
// difference, because they have no debug library.
func xpcall(L *glua.LState) int {
	L.CheckFunction(1)
	handler := L.CheckFunction(2)
	e := evaluationOf(L)
	thread, raised := e.protected(L, 3)
	if thread != nil {
		return results(L, thread)
	}
	L.SetTop(0)
	L.Push(handler)
	L.Push(raised)
	if thread, raised = e.protected(L, 2); thread != nil {
		raised = thread.Get(1)
		e.release(thread)
	}
	return stdlib.Push(L, glua.LFalse, raised)
}

// results moves the results of a protected call to the caller's stack.
func results(L *glua.LState, thread *thread) int {
	count := thread.GetTop()
	L.Push(glua.LTrue)
	for i := 1; i <= count; i++ {
		L.Push(thread.Get(i))
	}
	evaluationOf(L).release(thread)
	return count + 1
}
