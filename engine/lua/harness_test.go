package lua_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A virtualClock moves only when a test moves it.
type virtualClock struct{ now time.Time }

var _ action.Clock = (*virtualClock)(nil)

func newClock() *virtualClock {
	return &virtualClock{time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)}
}

func (c *virtualClock) Now() time.Time { return c.now }

func (c *virtualClock) Sleep(_ context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return nil
}

func (c *virtualClock) AfterFunc(time.Duration, func()) func() bool {
	panic("the interpreter sets no timers")
}

// A machine is an interpreter with the environment of its scripts.
type machine struct {
	interpreter *lua.Interpreter
	env         attempt.Environment
	ctx         context.Context
	data        action.Object
	asked       []string // the names of the data that the interpreter read
	catalog     *action.Catalog
}

func newMachine(t testing.TB, actions ...*action.Action) *machine {
	t.Helper()
	catalog, err := action.NewCatalog(actions...)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{interpreter: lua.New(catalog), ctx: context.Background(), data: action.Object{}, catalog: catalog}
	m.env = attempt.Environment{
		Data: func(name string) (any, bool) {
			m.asked = append(m.asked, name)
			v, ok := m.data[name]
			return v, ok
		},
		Modules: map[string]workflow.Program{},
		Call: func(ctx context.Context, a *action.Action, input action.Object) (action.Object, error) {
			invocation, err := a.Prepare(input)
			if err != nil {
				return nil, err
			}
			return invocation.Do(ctx, nil)
		},
	}
	return m
}

// chunk returns source that begins in line 10 of a workflow.
func (m *machine) chunk(kind workflow.ChunkKind, source string) workflow.Chunk {
	names := append([]string{"inputs", "steps", "run", "coalesce"}, m.catalog.Modules()...)
	if kind != workflow.Expression {
		names = append(names, "secrets", "list", "require", "print")
	}
	return workflow.Chunk{Kind: kind, File: "w.yaml", Line: 10, Text: source, Names: names}
}

func (m *machine) compile(t testing.TB, kind workflow.ChunkKind, source string) workflow.Program {
	t.Helper()
	compiled, findings := m.interpreter.Check(m.chunk(kind, source))
	if compiled == nil {
		t.Fatalf("%s\ndoes not compile: %+v", source, findings)
	}
	return compiled
}

func (m *machine) open() attempt.Evaluation { return m.interpreter.Open(m.ctx, m.env) }

// eval runs a script in a state of its own.
func (m *machine) eval(t testing.TB, source string) (any, error) {
	t.Helper()
	return m.open().Eval(m.compile(t, workflow.Script, source))
}

// value runs a script that must succeed.
func (m *machine) value(t testing.TB, source string) any {
	t.Helper()
	v, err := m.eval(t, source)
	if err != nil {
		t.Fatalf("%s\nfailed: %v", source, err)
	}
	return v
}

// failure runs a script that must fail and returns its error.
func (m *machine) failure(t testing.TB, source string) *attempt.ScriptError {
	t.Helper()
	v, err := m.eval(t, source)
	var failure *attempt.ScriptError
	if !errors.As(err, &failure) {
		t.Fatalf("%s\ngot %v, %v, want a script error", source, v, err)
	}
	return failure
}

// mustFail runs a script that must fail with an error of a kind and a text in its
// message.
func (m *machine) mustFail(t testing.TB, source string, kind action.Kind, message string) {
	t.Helper()
	got := m.failure(t, source)
	if got.Err.Kind != kind || !strings.Contains(got.Err.Message, message) {
		t.Errorf("%s\ngot %s: %s\nwant %s: ...%s...", source, got.Err.Kind, got.Err.Message, kind, message)
	}
}

type anyIn struct {
	Value any           `json:"value" doc:"Anything."`
	Text  string        `json:"text" doc:"Some text."`
	List  []any         `json:"list" doc:"A list."`
	Map   action.Object `json:"map" doc:"An object."`
}

type anyOut struct {
	Value any `json:"value" doc:"Anything."`
}

type nothing struct{}

// echo returns an action that returns its value. The value can be given by position.
func echo() *action.Action {
	return action.New(action.Spec{Name: "demo.echo", Summary: "Echo.", Effect: action.Pure, Args: []string{"value"}},
		func(_ context.Context, in anyIn) (anyOut, error) { return anyOut{in.Value}, nil })
}

// act declares an action that does what a test wants.
func act(name string, effect action.Effect, do func(context.Context, anyIn) error) *action.Action {
	return action.New(action.Spec{Name: name, Summary: "It does something.", Effect: effect},
		func(ctx context.Context, in anyIn) (nothing, error) { return nothing{}, do(ctx, in) })
}
