package action

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// A Spec names an action and says what it is.
type Spec struct {
	// Name is MODULE.FUNCTION in lower case, as a step and a script write it.
	Name    string
	Summary string // one sentence
	Doc     string // more, for the reference page; may be empty
	Effect  Effect
	// Guarded actions must be listed in a workflow's permissions.
	Guarded bool
	// Args are the inputs that a script may also give by position.
	Args []string
	// Spread hands the outputs to a script one by one, as several values,
	// instead of as one table.
	Spread bool
	// Lists says which output is a list that a script may loop over.
	Lists Listing
	// Waits says that the point of the call is that time passes: its start is made
	// durable, so that a run that is resumed waits only for what is left.
	Waits bool
	// Instant says that the answer is there at once: a script that makes the call
	// computes meanwhile, and does not wait.
	Instant bool
	// Key describes the input that takes the idempotency key of a Keyed action.
	Key KeyInput
	// Example is an output as it may look. It stands in for the answer of a
	// write that is shown and not sent.
	Example Object
}

// A KeyInput says which input of a Keyed action takes the idempotency key, and what
// the key does. A check of a file warns where the key that the engine derives is
// not enough. The zero KeyInput is none.
type KeyInput struct {
	Name  string // of the input
	Joins string // what a call with a known key joins instead of opening another: "incident"
}

// A Listing says what a script goes over when it loops over the answer of an action:
//
//	for user in pagerduty.list_users{} do ... end
//
// The names are those of fields of the action. The zero Listing is none.
type Listing struct {
	Items string // the output: a list of objects
	Limit string // the input that bounds the list; it has a default
	More  string // the output, a boolean, that says that there is more than the limit
}

// check panics unless the fields are there.
func (l Listing) check(action string, in, out *Schema) {
	if l == (Listing{}) {
		return
	}
	items, _ := out.Field(l.Items)
	more, _ := out.Field(l.More)
	limit, _ := in.Field(l.Limit)
	if items.Type.Name != ListType || items.Type.Elem == nil || items.Type.Elem.Fields == nil || more.Type.Name != BooleanType || limit.Type.Name != IntegerType {
		panic(fmt.Sprintf("action: %s: Lists is %+v, which are no fields of a list of objects", action, l))
	}
}

// An Action is a declared, typed function. It is immutable.
type Action struct {
	Spec
	In, Out *Schema
	prepare func(input Object) invoker
}

// Module returns the part of the name before the dot.
func (a *Action) Module() string {
	module, _, _ := strings.Cut(a.Name, ".")
	return module
}

// Function returns the part of the name after the dot.
func (a *Action) Function() string {
	_, function, _ := strings.Cut(a.Name, ".")
	return function
}

// New declares an action as a Go function from an input to an output struct.
//
// The exported fields of both structs, and of structs embedded in them, are the
// fields of the action. Their tags:
//
//	json:"name"        the field's name; required
//	doc:"..."          one sentence
//	required:"true"    the input must be given
//	default:"text"     the value when it is not
//	enum:"a,b"         the only values of a string
//	format:"email"     of a string; see [Formats]
//	min:"6" max:"100"  length of a string in characters
//	secrets:"true"     secrets may stand inside the value
//	bindable:"true"    of a credential; see [Field.Bindable]
//
// An input may also have these methods, on its pointer:
//
//	Validate() error                the checks that tags cannot express
//	Targets() ([]Target, error)     what the call reaches, to be permitted
//	UseKey(key string)              takes the idempotency key of a Keyed action
//	CallEffect() Effect             the effect of this very call, where it depends
//	                                on the input
//	Recall() bool                   whether a retry of the step gets the recorded
//	                                result of a call that reads
//	HarmlessLate() bool             whether a call that has no result may be sent
//	                                again however late it is
//	KnownOutput() Object            as much of the output as the input tells
//
// New panics when the declaration is wrong: that is a mistake of the program,
// and every test finds it.
func New[In, Out any](s Spec, do func(context.Context, In) (Out, error)) *Action {
	if s.Effect == Reconciled {
		panic("action: " + s.Name + ": a Reconciled action is declared with NewReconciled")
	}
	return declare[In, Out](s, func(in *In, encode func(Out) Object) steps {
		return steps{
			do: func(ctx context.Context, _ json.RawMessage) (Object, error) {
				out, err := do(ctx, *in)
				if err != nil {
					return nil, err
				}
				return encode(out), nil
			},
		}
	})
}

// A Reconciler is an action in three parts that can find out what became of a
// call whose answer was lost.
type Reconciler[In, State, Out any] struct {
	// Before reads what Do and Reconcile need to know. Its result is recorded
	// with the call, before anything is sent.
	Before func(ctx context.Context, in In) (State, error)
	// Do changes the world.
	Do func(ctx context.Context, in In, before State) (Out, error)
	// Reconcile looks whether an earlier Do has happened: done is false when it
	// certainly has not, and an error says that it could not be found out.
	Reconcile func(ctx context.Context, in In, before State) (out Out, done bool, err error)
}

// NewReconciled declares an action that is Reconciled. Tags and methods are
// those of [New].
func NewReconciled[In, State, Out any](s Spec, r Reconciler[In, State, Out]) *Action {
	s.Effect = Reconciled
	return declare[In, Out](s, func(in *In, encode func(Out) Object) steps {
		return steps{
			before: func(ctx context.Context) (json.RawMessage, error) {
				state, err := r.Before(ctx, *in)
				if err != nil {
					return nil, err
				}
				return json.Marshal(state)
			},
			do: func(ctx context.Context, before json.RawMessage) (Object, error) {
				state, err := decodeState[State](before)
				if err != nil {
					return nil, err
				}
				out, err := r.Do(ctx, *in, state)
				if err != nil {
					return nil, err
				}
				return encode(out), nil
			},
			reconcile: func(ctx context.Context, before json.RawMessage) (Object, bool, error) {
				state, err := decodeState[State](before)
				if err != nil {
					return nil, false, err
				}
				out, done, err := r.Reconcile(ctx, *in, state)
				if err != nil || !done {
					return nil, false, err
				}
				return encode(out), true, nil
			},
		}
	})
}

func decodeState[State any](before json.RawMessage) (state State, err error) {
	if err = json.Unmarshal(before, &state); err != nil {
		err = fmt.Errorf("the recorded state of the call cannot be read: %w", err)
	}
	return state, err
}

// steps are the typed parts of an action, bound to one input.
type steps struct {
	before    func(context.Context) (json.RawMessage, error)
	do        func(context.Context, json.RawMessage) (Object, error)
	reconcile func(context.Context, json.RawMessage) (Object, bool, error)
}

// An invoker is a typed input with the steps bound to it.
type invoker struct {
	in any // a pointer to the input struct
	steps
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

func declare[In, Out any](s Spec, bind func(*In, func(Out) Object) steps) *Action {
	if !namePattern.MatchString(s.Name) {
		panic(fmt.Sprintf("action: the name %q is not MODULE.FUNCTION in lower case", s.Name))
	}
	in, out := codecOf(reflect.TypeFor[In]()), codecOf(reflect.TypeFor[Out]())
	if in.typ.Fields == nil || out.typ.Fields == nil {
		panic("action: " + s.Name + ": input and output must be structs")
	}
	for _, name := range s.Args {
		if _, ok := in.typ.Fields.Field(name); !ok {
			panic(fmt.Sprintf("action: %s: Args names %q, which is no input", s.Name, name))
		}
	}
	if _, ok := in.typ.Fields.Field(s.Key.Name); s.Key.Name != "" && !ok {
		panic(fmt.Sprintf("action: %s: Key names %q, which is not an input", s.Name, s.Key.Name))
	}
	s.Lists.check(s.Name, in.typ.Fields, out.typ.Fields)
	encode := func(o Out) Object { return out.encode(reflect.ValueOf(&o).Elem()).(Object) }
	return &Action{
		Spec: s, In: in.typ.Fields, Out: out.typ.Fields,
		prepare: func(input Object) invoker {
			typed := new(In)
			in.decode(input, reflect.ValueOf(typed).Elem())
			return invoker{in: typed, steps: bind(typed, encode)}
		},
	}
}
