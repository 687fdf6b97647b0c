package lua

import (
	"cmp"
	"regexp"
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// maxProtected bounds how deep calls of pcall nest.
const maxProtected = 100

// gopher-lua's own pcall is not used. An error closes the variables that closures
// share with every function of a thread, those too that live on after the pcall:
// a counter outside of it then silently has two values. Its xpcall, and a panic
// of a Go function, do not close any, so that closures read the variables of
// others. Here each protected call has a thread of its own: all that an error
// closes is what it ends.

// protected calls the value at the first place of L with the arguments from the
// given place on. It returns the thread with the results on its stack, which is
// to be given back to release, or what was raised.
func (e *evaluation) protected(L *glua.LState, first int) (*glua.LState, glua.LValue) {
	if len(e.callers) == maxProtected {
		L.RaiseError("pcall nests deeper than %d levels", maxProtected)
	}
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
	if e.stopped == nil && e.budget.stop() != nil {
		e.stopped = raised
	}
	return nil, raised
}

// placed puts the place of a protected call before a message that has none, since
// the function that raised it was called directly, as in pcall(string.rep).
// gopher-lua leaves a blank there.
func placed(L *glua.LState, raised glua.LValue) glua.LValue {
	if text, ok := raised.(glua.LString); ok && strings.HasPrefix(string(text), " ") {
		return glua.LString(where(L, 1)) + text
	}
	return raised
}

// where is the place of a function of Lua that is running: "file:line:", or
// nothing where there is none at that level.
func where(L *glua.LState, level int) (found string) {
	defer func() {
		// gopher-lua itself fails in a function that has not begun, since the stack
		// was too small for its arguments.
		if recover() != nil {
			found = ""
		}
	}()
	if place := L.Where(level); positionPattern.MatchString(place) {
		return place
	}
	return ""
}

// thread returns a thread that is not in use.
func (e *evaluation) thread() *glua.LState {
	if last := len(e.threads) - 1; last >= 0 {
		thread := e.threads[last]
		e.threads = e.threads[:last]
		return thread
	}
	thread, cancel := e.state.NewThread()
	cancel() // of a context that the next line replaces
	thread.SetContext(&e.budget)
	return thread
}

func (e *evaluation) release(thread *glua.LState) {
	thread.SetTop(0)
	e.threads = append(e.threads, thread)
}

func raisedValue(err error) glua.LValue {
	if api, ok := err.(*glua.ApiError); ok && api.Object != nil {
		return api.Object
	}
	return glua.LString(err.Error())
}

// shield is what a protected call begins with. It keeps gopher-lua from building
// a stack trace, which takes seconds after many tail calls, and raises the panics
// of Go functions where they happened, as errors of Lua.
func shield(L *glua.LState) int {
	L.Panic = func(L *glua.LState) {
		panic(&glua.ApiError{Type: glua.ApiErrorRun, Object: withoutAddress(L.Get(-1)), StackTrace: "none"})
	}
	defer func() {
		switch r := recover().(type) {
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

// panicText tells of a panic of Go. gopher-lua's own are text, such as that the
// stack is full; of others a script must not see what was where in memory.
func panicText(r any) string {
	if text, ok := r.(string); ok {
		return text
	}
	return "internal error: a function failed that should have refused its arguments; please report it"
}

// badIndex is how gopher-lua's message of a bad index begins, after the place.
const badIndex = "attempt to index a "

// addressPattern finds where that message quotes a key by its place in memory, and
// long keys.
var addressPattern = regexp.MustCompile(`^(` + badIndex + `.{0,60} with key ')(?:(table|function|userdata|thread): 0x[0-9a-f]+'$|(?s:.{200,}))`)

// withoutAddress returns what was raised without a place in memory, which would
// differ from run to run.
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

// pcall is Lua's: true and the results, or false and what was raised.
func pcall(L *glua.LState) int {
	L.CheckAny(1)
	thread, raised := evaluationOf(L).protected(L, 2)
	if thread == nil {
		L.Push(glua.LFalse)
		L.Push(raised)
		return 2
	}
	return results(L, thread)
}

// xpcall is pcall with a function that makes something else of what was raised.
// It is called after the error has ended its functions, since scripts have no
// debug library that could look at them.
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
	L.Push(glua.LFalse)
	L.Push(raised)
	return 2
}

// results moves what a protected call returned to the caller's stack.
func results(L, thread *glua.LState) int {
	count := thread.GetTop()
	L.Push(glua.LTrue)
	for i := 1; i <= count; i++ {
		L.Push(thread.Get(i))
	}
	evaluationOf(L).release(thread)
	return count + 1
}
