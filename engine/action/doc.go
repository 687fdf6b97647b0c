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
//		Summary: "Greet somebody.",
//		Effect:  action.Pure,
//	}, func(_ context.Context, in greetInput) (greetOutput, error) {
//		return greetOutput{Text: "hello " + in.Name}, nil
//	})
//
// Everything else is derived from that declaration and from nothing else: the
// Lua function demo.greet{name = "Ann"}, the step `uses: demo.greet`, the check
// of its inputs before a run and again in it, the command `pdflow call`, and
// the reference page. There is no second list of fields anywhere.
//
// # The nouns
//
//   - [Spec] names an action, documents it and says what a repeat of it does
//     (its [Effect]).
//   - [Schema] is the shape of an input or an output: a list of [Field]s, read
//     once from the struct's tags (see [New] for the tags).
//   - [Object] is a value on its way in or out, in the model of JSON.
//   - [Catalog] is an explicit list of actions, looked up by name.
//   - [Invocation] is one action with one checked input, ready to be done.
//   - [Scope] is what one call may know and ask of the run that makes it: the
//     clock, its idempotency key, permissions, secrets, the log.
//   - [Meter] is what a function that computes tells of its work ([Work]), so that
//     the limits of a script and the timeouts of a step hold inside of it.
//   - [Error] is a failure that machines can tell apart by its [Kind] and
//     people can act on by its message and hint.
//   - [Secret] is a value known by name only; [Credential] is text or a secret;
//     [Redactor] is the second net, which masks secret text by value.
//
// The package imports the standard library and [phrase] only.
package action
