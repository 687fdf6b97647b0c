package lua

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/lua/syntax"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

// Raw runs a chunk and returns its values as Lua has them, before they are converted, to
// compare them with the values of another Lua.
func (i *Interpreter) Raw(source string, instructions int64) ([]glua.LValue, error) {
	compiled, findings := i.Check(workflow.Chunk{Kind: workflow.Script, File: "raw", Line: 1, Text: source})
	if compiled == nil {
		return nil, fmt.Errorf("it does not compile: %v", findings)
	}
	e := &evaluation{interpreter: i, ctx: context.Background(), env: attempt.Environment{
		Limits: workflow.Limits{Instructions: instructions},
		Data:   func(string) (any, bool) { return nil, false },
	}}
	c := compiled.(*syntax.Chunk)
	e.open()
	function := e.load(c)
	e.budget.Begin()
	defer e.budget.End()
	e.state.Push(e.interpreter.library.shield)
	e.state.Push(function)
	if err := e.state.PCall(1, glua.MultRet, nil); err != nil || e.budget.Stopped() != nil {
		return nil, e.failure(c, err)
	}
	var values []glua.LValue
	for at := range e.state.GetTop() {
		values = append(values, e.state.Get(at+1))
	}
	return values, nil
}

// Held returns how many bytes the script of an evaluation holds.
func Held(e attempt.Evaluation) int64 { return e.(*evaluation).budget.Held() }
