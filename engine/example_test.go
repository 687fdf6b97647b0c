package engine_test

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

type onCallInput struct {
	Team string `json:"team" required:"true" doc:"The team's name."`
}

type onCallOutput struct {
	Name string `json:"name" doc:"Who is on call."`
}

// A program runs workflows that call its own functions.
func ExampleLocal() {
	onCall := action.New(action.Spec{Name: "rota.on_call", Summary: "Who is on call.", Effect: action.Reads},
		func(_ context.Context, in onCallInput) (onCallOutput, error) {
			return onCallOutput{Name: map[string]string{"db": "Ann"}[in.Team]}, nil
		})
	catalog, _ := action.NewCatalog(onCall) // and builtins.Actions(...)
	interpreter := lua.New(catalog)

	parsed, _ := workflow.Parse("hello.yaml", []byte(`
inputs: {team: {type: string, required: true}}
steps:
- id: who
  lua: |
    return "hello " .. rota.on_call{team = inputs.team}.name
outputs: {text: "${{ steps.who.outputs }}"}
`))
	plan, err := workflow.Compile(parsed, catalog, interpreter)
	if err != nil {
		fmt.Println(err) // every problem of the file, with its place
		return
	}
	local := &engine.Local{Interpreter: interpreter}
	result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"team": "db"}})
	if err != nil {
		fmt.Println(err) // the inputs were wrong: nothing was called
		return
	}
	fmt.Println(result.Status, result.Outputs["text"])
	// Output: success hello Ann
}
