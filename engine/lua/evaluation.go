package lua

import (
	"context"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

// An evaluation is a fresh Lua state for the programs of one attempt. Scripts and
// expressions have environments of their own in it.
type evaluation struct {
	interpreter *Interpreter
	ctx         context.Context
	env         attempt.Environment
	state       *glua.LState
	budget      budget

	expressions, scripts *glua.LTable           // the two environments
	data                 []data                 // inputs, steps, run and secrets, as far as they were read
	few                  [4]data                // where data begins
	modules              map[string]glua.LValue // what required modules returned
	raised               []raised
	stopped              glua.LValue    // what a pcall caught when the script was stopped, which has the place
	threads              []*glua.LState // of protected calls, not in use
	callers              []*glua.LState // those of the protected calls under way
	logged               int            // bytes that went to the log
}

// data is a table of what programs read.
type data struct {
	name  string
	table *glua.LTable
	whole bool // it holds everything
}

// Eval returns the value of a program.
func (e *evaluation) Eval(compiled workflow.Program) (any, error) {
	p := compiled.(*program)
	if v, ok := e.read(p.path); ok {
		return v, nil
	}
	e.open()
	function := e.load(p)
	values := 1 // an expression is one value, as it is inside parentheses
	if p.kind != workflow.Expression {
		values = glua.MultRet
	}
	e.begin()
	defer e.end()
	top := e.state.GetTop()
	e.state.Push(e.interpreter.library.shield)
	e.state.Push(function)
	err := e.state.PCall(1, values, nil)
	// A tail call of pcall hides that the script was stopped: the budget knows.
	if err != nil || e.budget.stop() != nil {
		return nil, e.failure(p, err)
	}
	return e.result(p, top)
}

// Used returns what the programs have used so far: instructions, with the steps of
// library functions; the bytes of the text that they made in all; and the time that
// they computed, without what they waited in calls.
func (e *evaluation) Used() run.Usage {
	return run.Usage{
		Instructions: int(e.budget.used), Bytes: int(e.budget.bytes), Microseconds: int(e.budget.stopwatch.spent.Microseconds()),
	}
}

// begin starts what watches over a program; end stops it.
func (e *evaluation) begin() {
	e.budget.stopwatch.start()
	e.interpreter.watchdog.enter(&e.budget)
}

func (e *evaluation) end() {
	e.interpreter.watchdog.leave(&e.budget)
	e.budget.stopwatch.pause()
}

// open makes the state, once.
func (e *evaluation) open() {
	if e.state != nil {
		return
	}
	e.state = glua.NewState(stateOptions())
	e.budget.open(e.ctx, e)
	e.state.SetContext(&e.budget)
	lib := e.interpreter.library
	e.state.SetMetatable(glua.LString(""), lib.stringMeta)
	e.data = e.few[:0]
	e.scripts = e.state.G.Global
	e.scripts.Metatable = lib.globalMeta
}

// load makes a function of the program and gives it what it reads.
func (e *evaluation) load(p *program) *glua.LFunction {
	e.budget.many = e.budget.many || p.many
	environment := e.scripts
	if p.kind == workflow.Expression {
		if e.expressions == nil {
			e.expressions = e.state.CreateTable(0, len(p.globals))
			e.expressions.Metatable = e.interpreter.library.pureMeta
		}
		environment = e.expressions
	}
	for _, g := range p.globals {
		e.provide(environment, g, p.kind)
	}
	function := e.state.NewFunctionFromProto(p.code())
	function.Env = environment
	if len(function.Upvalues) > 0 {
		function.Upvalues[0] = e.interpreter.library.concat
	}
	return function
}

// provide puts a name that a program reads into its environment.
func (e *evaluation) provide(environment *glua.LTable, g global, kind workflow.ChunkKind) {
	lib := e.interpreter.library
	if v, isData := e.env.Data(g.name); isData {
		environment.RawSetString(g.name, e.dataTable(g, v))
		return
	}
	switch {
	case g.name == "_G" && kind != workflow.Expression:
		for _, name := range action.SortedNames(lib.modules) {
			e.provideModule(environment, name)
		}
		environment.RawSetString("_G", environment)
	case kind != workflow.Expression || slices.Contains(pureModules, g.name):
		e.provideModule(environment, g.name)
	}
}

// provideModule gives a state its own empty table before a module of the library.
func (e *evaluation) provideModule(environment *glua.LTable, name string) {
	meta := e.interpreter.library.proxyMetas[name]
	if meta == nil || environment.RawGetString(name) != glua.LNil {
		return
	}
	proxy := e.state.CreateTable(0, 0)
	proxy.Metatable = meta
	environment.RawSetString(name, proxy)
}

// dataTable converts the parts of a value that a program reads, each once.
func (e *evaluation) dataTable(g global, v any) glua.LValue {
	o, ok := v.(action.Object)
	if !ok {
		return e.interpreter.library.toLua(e.state, v)
	}
	at := slices.IndexFunc(e.data, func(d data) bool { return d.name == g.name })
	if at < 0 {
		at = len(e.data)
		e.data = append(e.data, data{name: g.name, table: e.state.CreateTable(0, max(len(g.fields), 1))})
	}
	d, fields := &e.data[at], g.fields
	if g.whole && !d.whole {
		d.whole = true
		fields = action.SortedNames(o)
	}
	for _, name := range fields {
		if field, ok := o[name]; ok && d.table.RawGetString(name) == glua.LNil {
			d.table.RawSetString(name, e.interpreter.library.toLua(e.state, field))
		}
	}
	return d.table
}

// result converts what a program returned: one value, or none.
func (e *evaluation) result(p *program, top int) (any, error) {
	count := e.state.GetTop() - top
	defer e.state.SetTop(top)
	if count > 1 {
		return nil, &attempt.ScriptError{File: p.file, Err: action.Errorf(action.InvalidInput, "the script returned %d values; return one table", count)}
	}
	if count == 0 {
		return nil, nil
	}
	root := "outputs"
	if p.kind == workflow.Expression {
		root = "the value"
	}
	v, err := e.interpreter.library.fromLua(&e.budget, e.state.Get(-1), root)
	if err != nil {
		return nil, &attempt.ScriptError{File: p.file, Err: action.AsError(err)}
	}
	return v, nil
}

// call makes a call for a script. The script's own time stands still meanwhile.
func (e *evaluation) call(L *glua.LState, a *action.Action, input action.Object) action.Object {
	if e.env.Call == nil {
		L.RaiseError("%s cannot be called here", a.Name)
	}
	if a.Module() == logModule {
		return e.log(L, a, input)
	}
	return e.callOut(L, a, input)
}

// log makes a call that logs, as long as the attempt may.
func (e *evaluation) log(L *glua.LState, a *action.Action, input action.Object) (output action.Object) {
	for _, line := range e.admit(input) {
		output = e.callOut(L, a, line)
	}
	return output
}

func (e *evaluation) callOut(L *glua.LState, a *action.Action, input action.Object) action.Object {
	ctx, recorded := e.ctx, a.Effect.Recorded()
	waits := recorded && !a.Instant
	if waits {
		e.budget.stopwatch.pause()
		e.budget.waiting.Store(true)
	}
	if !recorded {
		ctx = action.WithMeter(ctx, meter{&e.budget})
	}
	output, err := e.env.Call(ctx, a, input)
	if waits {
		e.budget.waiting.Store(false)
		e.budget.stopwatch.start()
	}
	if waits || err != nil {
		e.budget.poll() // the attempt may have ended meanwhile, which pcall must not hide
	}
	if err != nil {
		e.raise(L, action.AsError(err))
	}
	return e.take(L, output, recorded)
}

// take counts what a call returned as the script's: what a pure function made, as its
// own text; what came from elsewhere, for as long as it is held.
func (e *evaluation) take(L *glua.LState, output action.Object, recorded bool) action.Object {
	if !recorded {
		e.budget.allocateText(L, output)
		return output
	}
	if !holdsLargeText(output) {
		return output
	}
	own, fits := e.budget.answers.keep(output, e.budget.limits.memory)
	if !fits {
		e.budget.exceedMemory()
		e.budget.raise(L)
	}
	return own
}

// require runs the module of a name, once.
func (e *evaluation) require(L *glua.LState, name string) glua.LValue {
	if v, ok := e.modules[name]; ok {
		return v
	}
	p, ok := e.env.Modules[name].(*program)
	if !ok {
		L.RaiseError("there is no module %q beside the workflow", name)
	}
	if e.modules == nil {
		e.modules = map[string]glua.LValue{}
	}
	e.modules[name] = glua.LTrue // what a circle of modules sees
	done := false
	defer func() {
		if !done { // it raised an error, which the next require is to raise again
			delete(e.modules, name)
		}
	}()
	L.Push(e.load(p))
	L.Call(0, 1)
	v := L.Get(-1)
	L.Pop(1)
	if v == glua.LNil {
		v = glua.LTrue
	}
	e.modules[name], done = v, true
	return v
}
