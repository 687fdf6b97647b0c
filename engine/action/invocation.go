package action

import (
	"context"
	"encoding/json"
)

// An Invocation is an action with one checked input. It may be done several times:
// a repeat of a call does the same Invocation again.
type Invocation struct {
	Action *Action
	// Input is the input in canonical form, with defaults filled in.
	Input Object
	input bound
}

// Check returns the mistakes of an author in an input that may have [Dynamic] for what is
// known in the run only.
func (a *Action) Check(input Object) Problems {
	problems := a.In.Check(input)
	if a.check != nil {
		problems = append(problems, a.check(input)...)
	}
	return problems
}

// Prepare checks an input and binds it to the action. Its error is of kind
// invalid_input, unless [Rules.Validate] returned another kind, and lists everything
// that is wrong. The input of a [Lenient] action is not compared with the schema.
func (a *Action) Prepare(input Object) (*Invocation, error) {
	var normal Object
	var problems Problems
	if a.Lenient {
		normal = withoutNulls(input)
	} else {
		normal, problems = a.In.Normalize(input)
	}
	switch len(problems) {
	case 0:
	case 1:
		return nil, &Error{Kind: InvalidInput, Action: a.Name, Message: problems[0].Message, Hint: problems[0].Hint, Err: problems}
	default:
		return nil, &Error{Kind: InvalidInput, Action: a.Name, Message: problems.Error(), Err: problems}
	}
	bound, err := a.bind(normal)
	if err != nil {
		failure := *AsError(err)
		if failure.Kind == Script {
			failure.Kind = InvalidInput
		}
		failure.Action = a.Name
		return nil, &failure
	}
	return &Invocation{Action: a, Input: normal, input: bound}, nil
}

// LiteralTargets returns the endpoints that a call with an input of a file reaches, as far as
// they are known before the run: none if a value that says so is [Dynamic] or wrong.
func (a *Action) LiteralTargets(input Object) []Target {
	given := Object{}
	for i := range a.In.Fields {
		f := &a.In.Fields[i]
		v, ok := input[f.Name]
		switch {
		case v == Dynamic && f.Target:
			return nil
		case ok && f.Target:
			given[f.Name] = v
		}
	}
	if len(given) == 0 {
		return nil
	}
	normal, _ := a.In.Normalize(given) // other inputs are missing
	bound, _ := a.bind(normal)
	targets, err := bound.targets()
	if err != nil {
		return nil
	}
	return targets
}

func withoutNulls(input Object) Object {
	out := make(Object, len(input))
	for name, v := range input {
		if v != nil {
			out[name] = v
		}
	}
	return out
}

// Effect returns the effect of this call.
func (i *Invocation) Effect() Effect { return i.input.effect() }

// Memoized reports whether a retry of the step gets the recorded result of this call
// instead of making the call again. That holds for every write, and for a read whose
// [Rules] say so.
func (i *Invocation) Memoized() bool { return i.input.memoized() }

// ResendLate reports whether the call, started and without a result, may be sent again
// when more time has passed than the workflow's resume_within; see [Late].
func (i *Invocation) ResendLate() bool {
	switch i.Action.Late {
	case LateNever:
		return false
	case LateWithOwnKey:
		return i.ownKey()
	}
	return !i.Effect().NeedsKey()
}

// Known returns the part of the output that follows from the input: the result of a
// call that a person decided was done.
func (i *Invocation) Known() Object { return i.input.known() }

// Targets returns the endpoints that the call reaches.
func (i *Invocation) Targets() ([]Target, error) { return i.input.targets() }

// UseKey sets the input that [Spec.Key] names to a derived idempotency key, unless the
// author gave a key. Input stays as it is.
func (i *Invocation) UseKey(key string) {
	if i.Action.Key != "" && !i.ownKey() {
		i.input.set(Object{i.Action.Key: key})
	}
}

// ownKey reports whether the author gave the idempotency key.
func (i *Invocation) ownKey() bool {
	key := i.Input[i.Action.Key]
	return key != nil && key != ""
}

// Credentials returns the keys that the input contains as plain text.
func (i *Invocation) Credentials() []string {
	var texts []string
	for _, c := range i.Action.In.PlainCredentials(i.Input) {
		texts = append(texts, c.Text)
	}
	return texts
}

// Before reads what a Reconciled action must know before it is done; it returns
// nil for every other action.
func (i *Invocation) Before(ctx context.Context) (json.RawMessage, error) { return i.input.before(ctx) }

// Do makes the call. before is what [Invocation.Before] returned.
func (i *Invocation) Do(ctx context.Context, before json.RawMessage) (Object, error) {
	return i.input.do(ctx, before)
}

// Reconcile finds out whether an earlier Do of a Reconciled action has happened, as
// [Reconciler] describes it.
func (i *Invocation) Reconcile(ctx context.Context, before json.RawMessage) (out Object, done bool, err error) {
	return i.input.reconcile(ctx, before)
}
