package main_test

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

type lookUpInput struct {
	Host string `json:"host" required:"true" doc:"A host name."`
}

type lookUpOutput struct {
	Owner string `json:"owner" doc:"Who owns the host."`
}

const source = `
inputs: {host: {type: string, required: true}}
steps:
  - id: owner
    uses: inventory.owner
    with: {host: "${{ inputs.host }}"}
outputs:
  owner: ${{ string.upper(steps.owner.outputs.owner) }}
`

// A program runs a workflow with an action of its own in addition to the built-in actions.
func Example() {
	owner := action.New(action.Spec{Name: "inventory.owner", Summary: "Say who owns a host.", Effect: action.Reads},
		func(_ context.Context, in lookUpInput) (lookUpOutput, error) {
			return lookUpOutput{Owner: "ann, who runs " + in.Host}, nil
		})
	catalog, _ := action.NewCatalog(append(builtins.Actions(builtins.Config{}), owner)...)
	interpreter := lua.New(catalog)
	parsed, _ := workflow.Parse("owner.yaml", []byte(source))
	plan, err := workflow.Compile(parsed, catalog, interpreter) // every problem of the file
	if err != nil {
		fmt.Println(err)
		return
	}
	local := &engine.Local{Interpreter: interpreter}
	result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"host": "db1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Status, result.Outputs["owner"])
	// Output: success ANN, WHO RUNS DB1
}
