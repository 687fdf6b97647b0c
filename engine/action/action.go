package action

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// A Spec names an action, documents it, and says how the engine must treat its calls.
// What depends on the input of a call is in [Rules].
type Spec struct {
	// Name is MODULE.FUNCTION in lower case, as a step and a script write it.
	Name    string
	Summary string // one sentence
	Doc     string // more, for the reference page; may be empty
	// Effect is required: the zero Effect is refused.
	Effect Effect
	// Key names the input that holds the idempotency key of a [Keyed] action. The
	// engine fills it in when the author left it empty.
	Key string
	// Joins names what a call adds to when an earlier call had the same key, such as
	// "incident". Checks of a workflow use it where the author should set the key.
	Joins string
	// Late says whether a call without a result may be sent again late.
	Late Late
	// Guarded actions must be listed in a workflow's permissions.
	Guarded bool
	// Args are the inputs that a script may also give by position.
	Args []string
	// Spread returns the outputs to a script one by one, as several values,
	// instead of as one table.
	Spread bool
	// Lists says which output is a list that a script may loop over.
	Lists Listing
	// Waits marks an action whose purpose is to let time pass. The start of its call
	// is made durable, so that a resumed run waits only for the time that is left.
	Waits bool
	// Instant marks an action that returns at once: while it runs, a script counts as
	// computing and not as waiting.
	Instant bool
	// Example is an output as it may look. A dry run returns it for a write that it
	// shows and does not send.
	Example Object
}

// A Listing says what a script loops over when it loops over the answer of an action:
//
//	for user in directory.list_users{} do ... end
//
// The names are fields of the action. The zero Listing means that there is no list.
type Listing struct {
	Items string // the output: a list of objects
	Limit string // the input that bounds the list; it has a default
	More  string // the boolean output that is true when the limit cut the list
}

// Rules are the parts of an action's semantics that depend on the input of a call.
// Every function is optional. All but Check get the checked input.
type Rules[In any] struct {
	// Check finds mistakes of an author that tags cannot express. The input has
	// [Dynamic] for what is known in the run only, and may break the schema.
	Check func(Object) Problems
	// Validate does the checks that tags cannot express. An error without a kind
	// becomes an error of kind invalid_input.
	Validate func(*In) error
	// Targets returns the endpoints that the call reaches; the workflow's permissions
	// must allow every one.
	Targets func(*In) ([]Target, error)
	// EffectOf replaces [Spec.Effect], which is then the most harmful effect that a
	// call can have. It returns neither Pure nor Reconciled.
	EffectOf func(*In) Effect
	// Memoized reports whether a retry of the step gets the recorded result of the
	// call. Without it, the results of writes are memoized and the results of reads are not.
	Memoized func(*In) bool
	// Known returns the part of the output that follows from the input. A script gets
	// it when a person decided that the call was done.
	Known func(*In) Object
}

// An Action is a declared, typed function. It is immutable.
type Action struct {
	Spec
	In, Out *Schema
	// Lenient says that the action takes any input; see [Lenient].
	Lenient bool
	module  *Module // nil for an action of no declared module
	check   func(Object) Problems
	// bind makes a typed input of a checked one, and validates it.
	bind func(Object) (bound, error)
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

// New declares an action as a Go function from an input to an output struct. At most
// one [Rules] may follow.
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
//	secrets:"true"     secrets may occur inside the value
//	target:"true"      Targets reads the value
//	exact:"true"       of a [Lenient] action: the value identifies something
//
// New panics when the declaration is wrong, since that is a mistake of the program
// that every test finds.
func New[In, Out any](s Spec, do func(context.Context, In) (Out, error), rules ...Rules[In]) *Action {
	if s.Effect == Reconciled {
		panic("action: " + s.Name + ": a Reconciled action is declared with NewReconciled")
	}
	return declare(s, rules, Reconciler[In, struct{}, Out]{
		Do: func(ctx context.Context, in In, _ struct{}) (Out, error) { return do(ctx, in) },
	})
}

// A Reconciler is an action in three parts that can find out whether a call was done
// when its answer was lost.
type Reconciler[In, State, Out any] struct {
	// Before reads what Do and Reconcile need to know. Its result is recorded
	// with the call, before anything is sent.
	Before func(ctx context.Context, in In) (State, error)
	// Do makes the change.
	Do func(ctx context.Context, in In, before State) (Out, error)
	// Reconcile finds out whether an earlier Do has happened. It returns done = false
	// only when Do certainly has not happened, and an error when that cannot be found
	// out.
	Reconcile func(ctx context.Context, in In, before State) (out Out, done bool, err error)
}

// NewReconciled declares an action that is [Reconciled]; s.Effect may be left out. Tags
// and rules are as for [New].
func NewReconciled[In, State, Out any](s Spec, r Reconciler[In, State, Out], rules ...Rules[In]) *Action {
	s.Effect = Reconciled
	return declare(s, rules, r)
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

func declare[In, State, Out any](s Spec, rules []Rules[In], r Reconciler[In, State, Out]) *Action {
	d := &declaration[In, State, Out]{spec: s, steps: r}
	if len(rules) == 1 {
		d.rules = rules[0]
	}
	d.in, d.out = newCodecs(s.Name, reflect.TypeFor[In](), reflect.TypeFor[Out]())
	a := newAction(s, d.in, d.out, d.bind, len(rules), d.rules.EffectOf != nil)
	a.Lenient, a.check = isLenient[In](), d.rules.Check
	return a
}

// newCodecs and newAction have no type parameters, so that their code is in memory only
// once: every start of a program declares all actions.
func newCodecs(name string, inType, outType reflect.Type) (in, out codec) {
	if !namePattern.MatchString(name) {
		panic(fmt.Sprintf("action: the name %q is not MODULE.FUNCTION in lower case", name))
	}
	in, out = codecOf(inType), codecOf(outType)
	if in.typ.Fields == nil || out.typ.Fields == nil {
		panic("action: " + name + ": input and output must be structs")
	}
	return in, out
}

func newAction(s Spec, in, out codec, bind func(Object) (bound, error), rules int, varies bool) *Action {
	a := &Action{Spec: s, In: in.typ.Fields, Out: out.typ.Fields, bind: bind}
	problem := a.problem(varies)
	if rules > 1 {
		problem = "there is more than one Rules"
	}
	if problem != "" {
		panic("action: " + s.Name + ": " + problem)
	}
	return a
}

// problem returns what is wrong with the Spec, or "".
func (a *Action) problem(varies bool) string {
	for _, name := range a.Args {
		if _, ok := a.In.Field(name); !ok {
			return fmt.Sprintf("Args names %q, which is not an input", name)
		}
	}
	key, _ := a.In.Field(a.Key)
	switch {
	case !a.Effect.valid():
		return "it has no Effect"
	case varies && (a.Effect == Pure || a.Effect == Reconciled):
		return "EffectOf cannot replace the effect " + a.Effect.String()
	case a.Key != "" && (a.Effect != Keyed || key == nil || key.Type.Name != StringType):
		return fmt.Sprintf("Key is %q, which is not a text input of a Keyed action", a.Key)
	case a.Late == LateWithOwnKey && a.Key == "":
		return "LateWithOwnKey needs a Key"
	}
	return a.Lists.problem(a.In, a.Out)
}

func (l Listing) problem(in, out *Schema) string {
	if l == (Listing{}) {
		return ""
	}
	items, _ := out.Field(l.Items)
	more, _ := out.Field(l.More)
	limit, _ := in.Field(l.Limit)
	if items == nil || more == nil || limit == nil || items.Type.Elem == nil || items.Type.Elem.Fields == nil ||
		more.Type.Name != BooleanType || limit.Type.Name != IntegerType {
		return fmt.Sprintf("Lists is %+v, which does not name a list of objects, a limit and a boolean", l)
	}
	return ""
}

// bound is one typed input with the functions of its action.
type bound interface {
	effect() Effect
	memoized() bool
	targets() ([]Target, error)
	known() Object
	set(fields Object)
	before(context.Context) (json.RawMessage, error)
	do(ctx context.Context, before json.RawMessage) (Object, error)
	reconcile(ctx context.Context, before json.RawMessage) (out Object, done bool, err error)
}

// A declaration is the half of an action that knows the Go types: the functions that were
// given to [New] or [NewReconciled]. Before and Reconcile are nil unless the action is
// Reconciled.
type declaration[In, State, Out any] struct {
	spec    Spec
	rules   Rules[In]
	steps   Reconciler[In, State, Out]
	in, out codec
}

func (d *declaration[In, State, Out]) bind(input Object) (bound, error) {
	b := &typedInput[In, State, Out]{declaration: d}
	b.set(input)
	if l, ok := any(&b.value).(lenientInput); ok {
		l.give(input)
	}
	if d.rules.Validate == nil {
		return b, nil
	}
	return b, d.rules.Validate(&b.value)
}

type typedInput[In, State, Out any] struct {
	*declaration[In, State, Out]
	value In
}

func (b *typedInput[In, State, Out]) set(fields Object) {
	b.in.decode(fields, reflect.ValueOf(&b.value).Elem())
}

func (b *typedInput[In, State, Out]) effect() Effect {
	if b.rules.EffectOf == nil {
		return b.spec.Effect
	}
	e := b.rules.EffectOf(&b.value)
	if !e.valid() || e == Pure || e == Reconciled {
		panic("action: " + b.spec.Name + ": EffectOf returned " + e.String())
	}
	return e
}

func (b *typedInput[In, State, Out]) memoized() bool {
	if b.rules.Memoized == nil {
		return b.effect().Writes()
	}
	return b.rules.Memoized(&b.value)
}

func (b *typedInput[In, State, Out]) targets() ([]Target, error) {
	if b.rules.Targets == nil {
		return nil, nil
	}
	return b.rules.Targets(&b.value)
}

func (b *typedInput[In, State, Out]) known() Object {
	if b.rules.Known == nil {
		return Object{}
	}
	return b.rules.Known(&b.value)
}

func (b *typedInput[In, State, Out]) before(ctx context.Context) (json.RawMessage, error) {
	if b.steps.Before == nil {
		return nil, nil
	}
	state, err := b.steps.Before(ctx, b.value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(state)
}

// state reads the state that was recorded before the call.
func (b *typedInput[In, State, Out]) state(before json.RawMessage) (state State, err error) {
	if b.steps.Before == nil {
		return state, nil
	}
	if err = json.Unmarshal(before, &state); err != nil {
		err = fmt.Errorf("the recorded state of the call cannot be read: %w", err)
	}
	return state, err
}

func (b *typedInput[In, State, Out]) do(ctx context.Context, before json.RawMessage) (Object, error) {
	state, err := b.state(before)
	if err != nil {
		return nil, err
	}
	out, err := b.steps.Do(ctx, b.value, state)
	if err != nil {
		return nil, err
	}
	return b.encode(out), nil
}

func (b *typedInput[In, State, Out]) reconcile(ctx context.Context, before json.RawMessage) (Object, bool, error) {
	state, err := b.state(before)
	if err != nil {
		return nil, false, err
	}
	out, done, err := b.steps.Reconcile(ctx, b.value, state)
	if err != nil || !done {
		return nil, false, err
	}
	return b.encode(out), true, nil
}

func (b *typedInput[In, State, Out]) encode(out Out) Object {
	return b.out.encode(reflect.ValueOf(&out).Elem()).(Object)
}
