package action_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

type sentInput struct {
	Key  string `json:"key" doc:"A key."`
	Read bool   `json:"read" doc:"Whether it only reads."`
	Own  bool   `json:"own" doc:"Whether a retry makes it again."`
}

// TestRules declares an action with every rule and checks that its calls follow them.
func TestRules(t *testing.T) {
	a := action.New(action.Spec{Name: "test.send", Effect: action.Keyed, Key: "key", Late: action.LateWithOwnKey},
		func(_ context.Context, in sentInput) (sentInput, error) { return in, nil },
		action.Rules[sentInput]{
			Validate: func(in *sentInput) error {
				if in.Key == "bad" {
					return fmt.Errorf("the key is bad")
				}
				return nil
			},
			Targets: func(*sentInput) ([]action.Target, error) {
				return []action.Target{{Scheme: "https", Host: "example.com", Port: 443}}, nil
			},
			EffectOf: func(in *sentInput) action.Effect {
				if in.Read {
					return action.Reads
				}
				return action.Keyed
			},
			Memoized: func(in *sentInput) bool { return !in.Own },
			Known:    func(in *sentInput) action.Object { return action.Object{"key": in.Key} },
		})
	if _, err := a.Prepare(action.Object{"key": "bad"}); action.AsError(err).Kind != action.InvalidInput {
		t.Errorf("got %v, want invalid_input", err)
	}
	for given, want := range map[string]string{"": "derived", "mine": "mine"} {
		call, err := a.Prepare(action.Object{"key": given})
		if err != nil {
			t.Fatal(err)
		}
		call.UseKey("derived")
		output, _ := call.Do(context.Background(), nil)
		if output["key"] != want {
			t.Errorf("%q: got the key %v, want %s", given, output["key"], want)
		}
		if targets, _ := call.Targets(); targets[0].String() != "https://example.com" {
			t.Errorf("got %v", targets)
		}
		if call.Known()["key"] != want || call.ResendLate() != (given != "") || !call.Memoized() || call.Input["key"] != given {
			t.Errorf("%q: got known %v, late %v, memoized %v, input %v", given, call.Known(), call.ResendLate(), call.Memoized(), call.Input)
		}
	}
	if call, _ := a.Prepare(action.Object{"read": true, "own": true}); call.Effect() != action.Reads || call.Memoized() {
		t.Errorf("got %s, memoized %v, want reads", call.Effect(), call.Memoized())
	}
}

// TestLate checks when a call without a result may be sent again late.
func TestLate(t *testing.T) {
	for _, test := range []struct {
		effect action.Effect
		late   action.Late
		want   bool
	}{
		{action.Reads, action.LateByEffect, true},
		{action.Repeats, action.LateByEffect, true},
		{action.Keyed, action.LateByEffect, false},
		{action.Once, action.LateByEffect, true},
		{action.Repeats, action.LateNever, false},
	} {
		call, err := action.New(action.Spec{Name: "test.late", Effect: test.effect, Late: test.late}, nothing).Prepare(nil)
		if err != nil || call.ResendLate() != test.want {
			t.Errorf("%s, %d: got %v, %v, want %v", test.effect, test.late, call.ResendLate(), err, test.want)
		}
	}
}

func nothing(context.Context, empty) (o empty, _ error) { return o, nil }

// TestModule checks what a workflow can find out about the modules of a catalogue.
func TestModule(t *testing.T) {
	spec := func(name string) action.Spec { return action.Spec{Name: name, Effect: action.Reads} }
	ops := &action.Module{Name: "ops", Listed: true, Places: []string{"routing_key"}}
	actions := ops.Declare(action.New(spec("ops.b"), nothing), action.New(spec("ops.a"), nothing))
	plain := action.New(spec("demo.find"), nothing)
	c, err := action.NewCatalog(append(actions, plain)...)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(c.ListedModules(), " ") != "ops" || strings.Join(c.Places(), " ") != "routing_key" || !actions[0].Listed() || plain.Listed() {
		t.Errorf("got %v, %v", c.ListedModules(), c.Places())
	}
	to := action.Place("routing_key")
	if name, ok := to.Place(); to != "(routing_key)" || name != "routing_key" || !ok {
		t.Errorf("got %s, %s, %v", to, name, ok)
	}
	for _, to := range []action.Destination{action.InProcess, "example.com", ""} {
		if name, ok := to.Place(); ok {
			t.Errorf("%s: got the place %q", to, name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an action of another module was accepted")
		}
	}()
	ops.Declare(plain)
}

// TestReconciledState checks that Do and Reconcile get the state that Before returned, from
// the recorded text.
func TestReconciledState(t *testing.T) {
	type state struct{ Seen string }
	a := action.NewReconciled(action.Spec{Name: "test.make"}, action.Reconciler[greetInput, state, greetOutput]{
		Before: func(_ context.Context, in greetInput) (state, error) { return state{in.Name}, nil },
		Do: func(_ context.Context, _ greetInput, s state) (greetOutput, error) {
			return greetOutput{"did " + s.Seen}, nil
		},
		Reconcile: func(_ context.Context, _ greetInput, s state) (greetOutput, bool, error) {
			return greetOutput{"found " + s.Seen}, s.Seen == "Ann", nil
		},
	})
	for _, name := range []string{"Ann", "Bob"} {
		call, _ := a.Prepare(action.Object{"name": name})
		before, err := call.Before(context.Background())
		if err != nil || string(before) != `{"Seen":"`+name+`"}` {
			t.Fatalf("got %s, %v", before, err)
		}
		did, _ := call.Do(context.Background(), before)
		found, done, _ := call.Reconcile(context.Background(), before)
		if did["text"] != "did "+name || done != (name == "Ann") || done && found["text"] != "found Ann" {
			t.Errorf("got %v, %v, %v", did, found, done)
		}
		if _, err := call.Do(context.Background(), json.RawMessage("{")); err == nil {
			t.Error("a broken record was accepted")
		}
	}
}

func TestWrongDeclarations(t *testing.T) {
	for name, declare := range map[string]func(){
		"name": func() {
			action.New(action.Spec{Name: "Greet", Effect: action.Pure}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"args": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure, Args: []string{"x"}}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"effect": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Reconciled}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"no effect":                  func() { action.New(action.Spec{Name: "a.b"}, nothing) },
		"an unknown effect":          func() { action.New(action.Spec{Name: "a.b", Effect: action.Once + 1}, nothing) },
		"a key that is not an input": func() { action.New(action.Spec{Name: "a.b", Effect: action.Keyed, Key: "key"}, nothing) },
		"a key without its effect": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Repeats, Key: "name"}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"an own key without a key": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Keyed, Late: action.LateWithOwnKey}, nothing)
		},
		"a pure function with effects": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure}, nothing, action.Rules[empty]{EffectOf: func(*empty) action.Effect { return action.Once }})
		},
		"two sets of rules": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure}, nothing, action.Rules[empty]{}, action.Rules[empty]{})
		},
		"no tag": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure}, func(context.Context, struct{ X string }) (o greetOutput, _ error) { return })
		},
		"listing": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure, Lists: action.Listing{Items: "text", Limit: "name", More: "x"}}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"channel": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure}, func(context.Context, struct{ X chan int }) (o greetOutput, _ error) { return })
		},
		"no input": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Pure}, func(context.Context, string) (o greetOutput, _ error) { return })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the declaration was accepted", name)
				}
			}()
			declare()
		}()
	}
}

func TestCatalog(t *testing.T) {
	greet := action.New(action.Spec{Name: "demo.greet", Effect: action.Pure, Guarded: true}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
	if _, err := action.NewCatalog(greet, greet); err == nil {
		t.Error("two actions with one name were accepted")
	}
	c, err := action.NewCatalog(greet)
	if err != nil || strings.Join(c.Names(), " ") != "demo.greet" || strings.Join(c.Functions("demo"), " ") != "greet" || c.Functions("none") != nil {
		t.Errorf("got %v, %v", c.Names(), err)
	}
	page := greet.Markdown()
	for _, part := range []string{"|name|string|None|True|Whom to greet.|None|", "|text|string|False|The greeting.|", "demo.greet{name = …}", "permissions: {demo: [greet]}"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func TestAsError(t *testing.T) {
	typed := action.Errorf(action.Conflict, "taken: %w", context.Canceled)
	for _, test := range []struct {
		err  error
		want action.Kind
	}{
		{typed, action.Conflict},
		{fmt.Errorf("wrapped: %w", typed), action.Conflict},
		{context.Canceled, action.Cancelled},
		{context.DeadlineExceeded, action.Timeout},
		{errors.New("other"), action.Script},
	} {
		if got := action.AsError(test.err).Kind; got != test.want {
			t.Errorf("%v: got %s, want %s", test.err, got, test.want)
		}
	}
	if action.AsError(nil) != nil || !errors.Is(typed, context.Canceled) {
		t.Error("nil or a cause is lost")
	}
}
