package action_test

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
)

type greetInput struct {
	Name string `json:"name" required:"true" doc:"Whom to greet."`
}

type greetOutput struct {
	Text string `json:"text" doc:"The greeting."`
}

// An action is declared once, from a typed function: how a script calls it and
// how its inputs are checked follow from the tags.
func ExampleNew() {
	greet := action.New(action.Spec{
		Name:    "demo.greet",
		Summary: "Greet a person.",
		Effect:  action.Pure,
	}, func(_ context.Context, in greetInput) (greetOutput, error) {
		return greetOutput{Text: "hello " + in.Name}, nil
	})
	fmt.Println(greet.Signature())

	call, err := greet.Prepare(action.Object{"name": "Ann"})
	if err != nil {
		fmt.Println(err)
		return
	}
	output, err := call.Do(context.Background(), nil)
	fmt.Println(output["text"], err)

	_, err = greet.Prepare(action.Object{"nmae": "Ann"})
	fmt.Println(err)
	// Output:
	// demo.greet{name = …}
	// hello Ann <nil>
	// demo.greet: required input "name" is missing (Whom to greet.); unknown input "nmae" (did you mean "name"?)
}
