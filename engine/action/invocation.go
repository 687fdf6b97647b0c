package action

import (
	"context"
	"encoding/json"
)

// An Invocation is an action with one checked input. It may be done several
// times: that is what a retry of a call is.
type Invocation struct {
	Action *Action
	// Input is the input in canonical form, with defaults filled in.
	Input Object
	bound invoker
}

// The optional methods of an input; see [New].
type (
	validator interface{ Validate() error }
	targeter  interface{ Targets() ([]Target, error) }
	keyTaker  interface{ UseKey(key string) }
	effector  interface{ CallEffect() Effect }
	recaller  interface{ Recall() bool }
	later     interface{ HarmlessLate() bool }
	teller    interface{ KnownOutput() Object }
)

// Prepare checks an input and binds it to the action. Its error is of kind
// invalid_input and lists everything that is wrong.
func (a *Action) Prepare(input Object) (*Invocation, error) {
	normal, problems := a.In.Normalize(input)
	if len(problems) > 0 {
		return nil, a.invalid(problems.Error(), problems[0].Hint, problems)
	}
	bound := a.prepare(normal)
	if v, ok := bound.in.(validator); ok {
		if err := v.Validate(); err != nil {
			typed := *AsError(err)
			if typed.Kind == Script {
				typed.Kind = InvalidInput
			}
			typed.Action = a.Name
			return nil, &typed
		}
	}
	return &Invocation{Action: a, Input: normal, bound: bound}, nil
}

func (a *Action) invalid(message, hint string, cause error) *Error {
	if problems, ok := cause.(Problems); ok && len(problems) == 1 {
		message = problems[0].Message
	} else {
		hint = ""
	}
	return &Error{Kind: InvalidInput, Action: a.Name, Message: message, Hint: hint, Err: cause}
}

// Effect returns the effect of this very call.
func (i *Invocation) Effect() Effect {
	if e, ok := i.bound.in.(effector); ok {
		return e.CallEffect()
	}
	return i.Action.Effect
}

// Recall reports whether a retry of the step gets the recorded result of this
// call instead of making it anew. That is so for every write, and for a read
// that asks for it.
func (i *Invocation) Recall() bool {
	if r, ok := i.bound.in.(recaller); ok {
		return r.Recall()
	}
	return i.Effect().Writes()
}

// HarmlessLate reports whether the call, started and without a result, may be
// sent again however much time has passed. Unless its input says otherwise that
// is so for all but Keyed calls: the service may have forgotten the key.
func (i *Invocation) HarmlessLate() bool {
	if l, ok := i.bound.in.(later); ok {
		return l.HarmlessLate()
	}
	return i.Effect() != Keyed
}

// KnownOutput is as much of the output as the input tells: what a script gets of
// a call of which a person says that it was done.
func (i *Invocation) KnownOutput() Object {
	if t, ok := i.bound.in.(teller); ok {
		return t.KnownOutput()
	}
	return Object{}
}

// Targets returns what the call reaches beside PagerDuty.
func (i *Invocation) Targets() ([]Target, error) {
	if t, ok := i.bound.in.(targeter); ok {
		return t.Targets()
	}
	return nil, nil
}

// UseKey hands the idempotency key to an input that takes one; an author's own
// key stays.
func (i *Invocation) UseKey(key string) {
	if t, ok := i.bound.in.(keyTaker); ok {
		t.UseKey(key)
	}
}

// Credentials returns the keys that stand in the input as plain text.
func (i *Invocation) Credentials() []string {
	var texts []string
	for _, c := range i.Action.In.PlainCredentials(i.Input) {
		texts = append(texts, c.Text)
	}
	return texts
}

// Before reads what a Reconciled action must know before it is done; it returns
// nil for every other action.
func (i *Invocation) Before(ctx context.Context) (json.RawMessage, error) {
	if i.bound.before == nil {
		return nil, nil
	}
	return i.bound.before(ctx)
}

// Do does it. before is what [Invocation.Before] returned.
func (i *Invocation) Do(ctx context.Context, before json.RawMessage) (Object, error) {
	return i.bound.do(ctx, before)
}

// Reconcile looks whether an earlier Do of a Reconciled action has happened.
func (i *Invocation) Reconcile(ctx context.Context, before json.RawMessage) (out Object, done bool, err error) {
	return i.bound.reconcile(ctx, before)
}
