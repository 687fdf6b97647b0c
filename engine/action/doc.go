// Package action declares what a step can call.
//
// An [Action] is declared once, from a typed Go function:
//
//	type greetInput struct {
//		Name string `json:"name" required:"true" doc:"Whom to greet."`
//	}
//	type greetOutput struct {
//		Text string `json:"text" doc:"The greeting."`
//	}
//	greet := action.New(action.Spec{
//		Name:    "demo.greet",
//		Summary: "Greet a person.",
//		Effect:  action.Pure,
//	}, func(_ context.Context, in greetInput) (greetOutput, error) {
//		return greetOutput{Text: "hello " + in.Name}, nil
//	})
//
// Everything else is derived from that declaration: the Lua function
// demo.greet{name = "Ann"}, the step `uses: demo.greet`, the checks of its inputs
// before and during a run, the command line, and the reference page. No other file
// lists the fields.
//
// # The nouns
//
//   - [Spec] names an action, documents it, and says how the engine must treat its
//     calls: above all its [Effect], which says what a repeat does.
//   - [Rules] are the functions for what depends on the input of a call: its checks, its
//     targets, its effect.
//   - [Reconciler] is an action that finds out whether a lost call was done.
//   - [Schema] is the shape of an input or an output: a list of [Field]s, read
//     once from the struct's tags (see [New] for the tags).
//   - [Object] is a value on its way in or out, in the model of JSON.
//   - [Catalog] is an explicit list of actions, looked up by name. [Module] is what a
//     workflow file must know of the actions of one module.
//   - [Invocation] is one action with one checked input, ready to be done.
//   - [Scope] is what one call gets from its run: the clock, its idempotency key,
//     permissions, secrets, the log.
//   - [Meter] counts the work of a function that computes ([Work]), so that the limits
//     of the script and the timeouts of the step apply to it.
//   - [Error] is a failure. Machines read its [Kind]; people read its message and hint.
//   - [Secret] is a value that is known by its name only; [Credential] is text or a
//     secret; [Destination] is where the text may go.
//
// # Files
//
//   - action.go: Spec, Rules, Reconciler, New. effect.go: Effect and what it means.
//     invocation.go: Invocation. catalog.go: Catalog and Module.
//   - schema.go: Schema, Field, Problem. codec.go makes a Schema of a struct, and
//     converts values; normalize.go checks values; value.go reads durations and formats;
//     reference.go writes the reference page; nearest.go makes suggestions.
//   - scope.go, meter.go, secret.go, error.go: what their names say.
//
// Package redact masks the texts of secrets wherever they appear.
package action
