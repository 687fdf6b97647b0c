package lua

import (
	"context"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/syntax"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

// An evaluation is a fresh Lua state for the chunks of one attempt. Scripts and
// expressions have separate tables of globals in it.
type evaluation struct {
	interpreter *Interpreter
	ctx         context.Context
	env         environment
	state       *glua.LState
	budget      limits.Budget

	expressions, scripts *glua.LTable           // the two tables of globals
	data                 []data                 // inputs, steps, run and secrets, as far as they were read
	few                  [4]data                // the first array of data
	modules              map[string]glua.LValue // what required modules returned
	raised               []raised
	stopped              glua.LValue    // what a pcall caught when the script was stopped; it has the place
	all                  []*thread      // of protected calls
	threads              []*thread      // those that are ready to use again
	registers            int            // the registers that the state was charged for
	callers              []*glua.LState // the callers of the protected calls that run now
	logged               int            // bytes that were logged
}

// data is a table of what chunks read.
type data struct {
	name  string
	table *glua.LTable
	whole bool // it holds every field
}

// evaluationOf returns the evaluation that a state belongs to.
func evaluationOf(L *glua.LState) *evaluation { return limits.Of(L).Owner().(*evaluation) }

// Eval returns the value of a chunk that the interpreter compiled.
func (e *evaluation) Eval(compiled workflow.Program) (any, error) {
	return e.eval(compiled.(*syntax.Chunk), false)
}

// EvalAny returns the value of a chunk in which notes replace what is not data.
func (e *evaluation) EvalAny(compiled workflow.Program) (any, error) {
	return e.eval(compiled.(*syntax.Chunk), true)
}

func (e *evaluation) eval(c *syntax.Chunk, lenient bool) (any, error) {
	if v, ok := e.read(c.Path); ok {
		return v, nil
	}
	e.open()
	function := e.load(c)
	values := 1 // an expression is one value, as if it were in parentheses
	if c.Kind != workflow.Expression {
		values = glua.MultRet
	}
	e.budget.Begin()
	defer e.budget.End()
	top := e.state.GetTop()
	e.state.Push(e.interpreter.library.shield)
	e.state.Push(function)
	err := e.state.PCall(1, values, nil)
	// After a tail call of pcall, only the budget shows that the script was stopped.
	if err != nil || e.budget.Stopped() != nil {
		return nil, e.failure(c, err)
	}
	return e.result(c, top, lenient)
}

// read returns the value of a path. When ok is false, Lua must evaluate the path, and its
// error says what is wrong.
func (e *evaluation) read(path []string) (value any, ok bool) {
	if path == nil {
		return nil, false
	}
	value, ok = e.env.Data(path[0])
	if !ok {
		return nil, false
	}
	for _, name := range path[1:] {
		o, isObject := value.(action.Object)
		if !isObject {
			return nil, false
		}
		value = o[name]
	}
	return value, true
}

// open makes the state, once.
func (e *evaluation) open() {
	if e.state != nil {
		return
	}
	e.state = limits.NewState()
	e.budget.Open(e.ctx, e.env.Limits, e.env.Clock, e.env.Room, e)
	e.state.SetContext(&e.budget)
	lib := e.interpreter.library
	e.state.SetMetatable(glua.LString(""), lib.stringMeta)
	e.data = e.few[:0]
	e.scripts = e.state.G.Global
	e.scripts.Metatable = lib.globalMeta
}

// load makes a function of a chunk and provides the globals that it reads.
func (e *evaluation) load(c *syntax.Chunk) *glua.LFunction {
	globals := e.scripts
	if c.Kind == workflow.Expression {
		if e.expressions == nil {
			e.expressions = e.state.CreateTable(0, len(c.Globals))
			e.expressions.Metatable = e.interpreter.library.pureMeta
		}
		globals = e.expressions
	}
	for _, g := range c.Globals {
		e.provide(globals, g, c.Kind)
	}
	function := e.state.NewFunctionFromProto(c.Code())
	function.Env = globals
	if len(function.Upvalues) > 0 {
		function.Upvalues[0] = e.interpreter.library.concat
	}
	return function
}

// provide sets a global that a chunk reads.
func (e *evaluation) provide(globals *glua.LTable, g syntax.Global, kind workflow.ChunkKind) {
	lib := e.interpreter.library
	if v, isData := e.env.Data(g.Name); isData {
		globals.RawSetString(g.Name, e.dataTable(g, v))
		return
	}
	switch {
	case g.Name == "_G" && kind != workflow.Expression:
		for _, name := range phrase.Names(lib.modules) {
			e.provideModule(globals, name)
		}
		globals.RawSetString("_G", globals)
	case kind != workflow.Expression || slices.Contains(pureModules, g.Name):
		e.provideModule(globals, g.Name)
	}
}

// provideModule gives a state its own empty table in front of a module of the library.
func (e *evaluation) provideModule(globals *glua.LTable, name string) {
	meta := e.interpreter.library.proxyMetas[name]
	if meta == nil || globals.RawGetString(name) != glua.LNil {
		return
	}
	proxy := e.state.CreateTable(0, 0)
	proxy.Metatable = meta
	globals.RawSetString(name, proxy)
}

// dataTable converts the fields of a value that a chunk reads, each once.
func (e *evaluation) dataTable(g syntax.Global, v any) glua.LValue {
	o, ok := v.(action.Object)
	if !ok {
		e.budget.Borrow(v)
		return e.interpreter.library.toLua(e.state, v)
	}
	at := slices.IndexFunc(e.data, func(d data) bool { return d.name == g.Name })
	if at < 0 {
		at = len(e.data)
		e.data = append(e.data, data{name: g.Name, table: e.state.CreateTable(0, max(len(g.Fields), 1))})
	}
	d, fields := &e.data[at], g.Fields
	if g.Whole && !d.whole {
		d.whole = true
		fields = phrase.Names(o)
	}
	for _, name := range fields {
		if field, ok := o[name]; ok && d.table.RawGetString(name) == glua.LNil {
			e.budget.Borrow(field)
			d.table.RawSetString(name, e.interpreter.library.toLua(e.state, field))
		}
	}
	return d.table
}

// result converts what a chunk returned: one value, or none.
func (e *evaluation) result(c *syntax.Chunk, top int, lenient bool) (any, error) {
	count := e.state.GetTop() - top
	defer e.state.SetTop(top)
	if count > 1 {
		return nil, scriptError(c.File, 0, action.Errorf(action.InvalidInput, "the script returned %d values; return one table", count))
	}
	if count == 0 {
		return nil, nil
	}
	root := "outputs"
	if c.Kind == workflow.Expression {
		root = "the value"
	}
	v, err := e.interpreter.library.fromLua(&e.budget, e.state.Get(-1), root, lenient)
	if err != nil {
		return nil, scriptError(c.File, 0, action.AsError(err))
	}
	return v, nil
}

// call makes a call for a script.
func (e *evaluation) call(L *glua.LState, a *action.Action, input action.Object) action.Object {
	if e.env.Call == nil {
		L.RaiseError("%s cannot be called here", a.Name)
	}
	if a.Module() == logModule {
		var output action.Object
		for _, line := range e.admit(input) {
			output = e.callOut(L, a, line)
		}
		return output
	}
	return e.callOut(L, a, input)
}

// callOut makes a call. While a script waits for it, the script's time is paused. A pure
// function is not waited for: its work counts as the script's.
func (e *evaluation) callOut(L *glua.LState, a *action.Action, input action.Object) action.Object {
	ctx, recorded := e.ctx, a.Effect.Recorded()
	waits := recorded && !a.Instant
	if waits {
		e.budget.BeginCall()
	}
	if !recorded {
		ctx = action.WithMeter(ctx, &e.budget)
		defer e.budget.Unpin(e.budget.Pinned()) // what the function holds while it works
	}
	output, err := e.env.Call(ctx, a, input)
	if waits {
		e.budget.EndCall()
	}
	if waits || err != nil {
		e.budget.Poll() // the attempt may have ended meanwhile, which pcall must not hide
	}
	if err != nil {
		e.raise(L, action.AsError(err))
	}
	e.budget.AllocateText(L, output)
	return output
}

var _ limits.Holder = (*evaluation)(nil)

// States returns the states of the script.
func (e *evaluation) States() []*glua.LState {
	states := []*glua.LState{e.state}
	for _, t := range e.all {
		states = append(states, t.LState)
	}
	return states
}

// Values visits what the evaluation holds for the script outside of its states.
func (e *evaluation) Values(visit func(glua.LValue)) {
	if e.expressions != nil {
		visit(e.expressions)
	}
	for i := range e.data {
		visit(e.data[i].table)
	}
	for _, v := range e.modules {
		visit(v)
	}
	if e.stopped != nil {
		visit(e.stopped)
	}
}

// Shared reports whether a table belongs to the library.
func (e *evaluation) Shared(t *glua.LTable) bool { return e.interpreter.library.metas[t] }

// require runs the module of a name, once.
func (e *evaluation) require(L *glua.LState, name string) glua.LValue {
	if v, ok := e.modules[name]; ok {
		return v
	}
	c, ok := e.env.Modules[name].(*syntax.Chunk)
	if !ok {
		L.RaiseError("there is no module %q next to the workflow", name)
	}
	if e.modules == nil {
		e.modules = map[string]glua.LValue{}
	}
	e.modules[name] = glua.LTrue // what modules that require each other see
	done := false
	defer func() {
		if !done { // it raised an error, and the next require must raise it again
			delete(e.modules, name)
		}
	}()
	L.Push(e.load(c))
	L.Call(0, 1)
	v := L.Get(-1)
	L.Pop(1)
	if v == glua.LNil {
		v = glua.LTrue
	}
	e.modules[name], done = v, true
	return v
}
