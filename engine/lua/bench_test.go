package lua_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
	"gopkg.in/yaml.v3"
)

// The benchmarks come in pairs: our code, and the same with the least that gopher-lua
// needs (Bound). Compare the two in one run: an attempt must take at most 1.7 times its
// bound and 120 allocations.

type lookupIn struct {
	Email string `json:"email" required:"true" doc:"Whom."`
}

type lookupOut struct {
	ID    string `json:"id" doc:"The id."`
	Found bool   `json:"found" doc:"Whether there is one."`
}

func lookup() *action.Action {
	return action.New(action.Spec{Name: "demo.lookup", Summary: "Look up.", Effect: action.Reads},
		func(_ context.Context, in lookupIn) (lookupOut, error) {
			return lookupOut{ID: in.Email, Found: true}, nil
		})
}

// One step: inputs of two levels and six fields in, one call, three fields out.
const attemptScript = `
local user = inputs.user
local reply = demo.lookup{email = user.email}
return {id = reply.id, found = reply.found, name = user.name .. " " .. inputs.suffix}`

var attemptInputs = action.Object{
	"user":   action.Object{"email": "ann@example.com", "name": "Ann", "role": "user"},
	"suffix": "x", "count": 3.0, "dry": false,
}

func BenchmarkAttempt(b *testing.B) {
	m := newMachine(b, lookup())
	m.env.Data = func(name string) (any, bool) { return attemptInputs, name == "inputs" }
	chunk := m.compile(b, workflow.Script, attemptScript)
	b.ReportAllocs()
	for b.Loop() {
		if v, err := m.open().Eval(chunk); err != nil || v.(action.Object)["id"] != "ann@example.com" {
			b.Fatal(v, err)
		}
	}
}

// BenchmarkAttemptBound uses a bare state without libraries and limits.
func BenchmarkAttemptBound(b *testing.B) {
	proto := compileBare(b, attemptScript)
	b.ReportAllocs()
	for b.Loop() {
		L := glua.NewState(glua.Options{SkipOpenLibs: true})
		demo := L.NewTable()
		demo.RawSetString("lookup", L.NewFunction(bareLookup))
		L.SetGlobal("demo", demo)
		L.SetGlobal("inputs", bareTable(L, attemptInputs))
		L.Push(L.NewFunctionFromProto(proto))
		if err := L.PCall(0, 1, nil); err != nil {
			b.Fatal(err)
		}
		if v := bareValue(L.Get(-1)); v.(action.Object)["id"] != "ann@example.com" {
			b.Fatal(v)
		}
		L.Close()
	}
}

const calls = 1000

var callScript = fmt.Sprintf("for i = 1, %d do demo.lookup{email = 'a'} end", calls)

// BenchmarkCall makes one call of an action from Lua.
func BenchmarkCall(b *testing.B) {
	m := newMachine(b, lookup())
	chunk := m.compile(b, workflow.Script, callScript)
	b.ReportAllocs()
	for range (b.N + calls - 1) / calls {
		if _, err := m.open().Eval(chunk); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallBound(b *testing.B) {
	proto := compileBare(b, callScript)
	b.ReportAllocs()
	for range (b.N + calls - 1) / calls {
		L := glua.NewState(glua.Options{SkipOpenLibs: true})
		demo := L.NewTable()
		demo.RawSetString("lookup", L.NewFunction(bareLookup))
		L.SetGlobal("demo", demo)
		L.Push(L.NewFunctionFromProto(proto))
		if err := L.PCall(0, 0, nil); err != nil {
			b.Fatal(err)
		}
		L.Close()
	}
}

// hundredSteps returns a workflow of a hundred steps that each add one.
func hundredSteps() []byte {
	var b strings.Builder
	b.WriteString("steps:\n- id: s0\n  lua: |\n    return {n = 0}\n")
	for i := 1; i < 100; i++ {
		fmt.Fprintf(&b, "- id: s%d\n  lua: |\n    local before = steps.s%d.outputs.n\n    return {n = before + 1}\n", i, i-1)
	}
	return []byte(b.String())
}

// BenchmarkRun100Steps reads a file of 100 steps, checks it and runs it, with an
// isolated state for each step.
func BenchmarkRun100Steps(b *testing.B) {
	catalog, err := action.NewCatalog(lookup())
	if err != nil {
		b.Fatal(err)
	}
	interpreter, source := lua.New(catalog), hundredSteps()
	local := &engine.Local{Interpreter: interpreter}
	b.ReportAllocs()
	for b.Loop() {
		parsed, err := workflow.Parse("w.yaml", source)
		if err != nil {
			b.Fatal(err)
		}
		plan, err := workflow.Compile(parsed, catalog, interpreter)
		if err != nil {
			b.Fatal(err)
		}
		result, err := local.Run(b.Context(), plan, engine.Request{})
		if err != nil || result.Steps[99].Outputs.(action.Object)["n"] != 99.0 {
			b.Fatal(result, err)
		}
	}
}

// BenchmarkRun100StepsBound decodes the same file, compiles each step and runs it
// in a fresh state with four libraries; nothing is checked or limited.
func BenchmarkRun100StepsBound(b *testing.B) {
	source := hundredSteps()
	b.ReportAllocs()
	for b.Loop() {
		var file struct {
			Steps []struct{ ID, Lua string }
		}
		if err := yaml.Unmarshal(source, &file); err != nil {
			b.Fatal(err)
		}
		results := action.Object{}
		for _, s := range file.Steps {
			L := glua.NewState(glua.Options{SkipOpenLibs: true})
			for _, open := range []glua.LGFunction{glua.OpenBase, glua.OpenString, glua.OpenTable, glua.OpenMath} {
				L.Push(L.NewFunction(open))
				L.Call(0, 0)
			}
			L.SetGlobal("steps", bareTable(L, results))
			L.Push(L.NewFunctionFromProto(compileBare(b, s.Lua)))
			if err := L.PCall(0, 1, nil); err != nil {
				b.Fatal(err)
			}
			results = action.Object{s.ID: action.Object{"outputs": bareValue(L.Get(-1))}}
			L.Close()
		}
	}
}

func compileBare(b *testing.B, source string) *glua.FunctionProto {
	b.Helper()
	statements, err := parse.Parse(strings.NewReader(source), "w.yaml")
	if err != nil {
		b.Fatal(err)
	}
	proto, err := glua.Compile(statements, "w.yaml")
	if err != nil {
		b.Fatal(err)
	}
	return proto
}

func bareLookup(L *glua.LState) int {
	email := L.CheckTable(1).RawGetString("email").String()
	out := L.NewTable()
	out.RawSetString("id", glua.LString(email))
	out.RawSetString("found", glua.LTrue)
	L.Push(out)
	return 1
}

func bareTable(L *glua.LState, o action.Object) *glua.LTable {
	t := L.NewTable()
	for name, v := range o {
		switch v := v.(type) {
		case string:
			t.RawSetString(name, glua.LString(v))
		case float64:
			t.RawSetString(name, glua.LNumber(v))
		case bool:
			t.RawSetString(name, glua.LBool(v))
		case action.Object:
			t.RawSetString(name, bareTable(L, v))
		}
	}
	return t
}

func bareValue(v glua.LValue) any {
	switch v := v.(type) {
	case glua.LString:
		return string(v)
	case glua.LNumber:
		return float64(v)
	case glua.LBool:
		return bool(v)
	case *glua.LTable:
		o := action.Object{}
		v.ForEach(func(key, value glua.LValue) { o[key.String()] = bareValue(value) })
		return o
	}
	return nil
}
