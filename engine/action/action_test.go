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

// A sentInput has every method that an input may have.
type sentInput struct {
	Key  string `json:"key" doc:"A key."`
	Read bool   `json:"read" doc:"Whether it only reads."`
}

func (in *sentInput) UseKey(key string) {
	if in.Key == "" {
		in.Key = key
	}
}

func (in *sentInput) Validate() error {
	if in.Key == "bad" {
		return fmt.Errorf("the key is bad")
	}
	return nil
}

func (in *sentInput) Targets() ([]action.Target, error) {
	return []action.Target{{Scheme: "https", Host: "example.com", Port: 443}}, nil
}

func (in *sentInput) CallEffect() action.Effect {
	if in.Read {
		return action.Reads
	}
	return action.Keyed
}

func TestInputMethods(t *testing.T) {
	a := action.New(action.Spec{Name: "test.send", Effect: action.Keyed}, func(_ context.Context, in sentInput) (sentInput, error) { return in, nil })
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
	}
	if call, _ := a.Prepare(action.Object{"read": true}); call.Effect() != action.Reads {
		t.Errorf("got %s, want reads", call.Effect())
	}
}

// TestReconciledState proves that what Before read comes back to Do and
// Reconcile, through the text that is recorded.
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
			t.Error("a broken record is taken")
		}
	}
}

func TestWrongDeclarations(t *testing.T) {
	for name, declare := range map[string]func(){
		"name": func() {
			action.New(action.Spec{Name: "Greet"}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"args": func() {
			action.New(action.Spec{Name: "a.b", Args: []string{"x"}}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"effect": func() {
			action.New(action.Spec{Name: "a.b", Effect: action.Reconciled}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"no tag": func() {
			action.New(action.Spec{Name: "a.b"}, func(context.Context, struct{ X string }) (o greetOutput, _ error) { return })
		},
		"listing": func() {
			action.New(action.Spec{Name: "a.b", Lists: action.Listing{Items: "text", Limit: "name", More: "x"}}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
		},
		"channel": func() {
			action.New(action.Spec{Name: "a.b"}, func(context.Context, struct{ X chan int }) (o greetOutput, _ error) { return })
		},
		"no input": func() {
			action.New(action.Spec{Name: "a.b"}, func(context.Context, string) (o greetOutput, _ error) { return })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the declaration is taken", name)
				}
			}()
			declare()
		}()
	}
}

func TestCatalog(t *testing.T) {
	greet := action.New(action.Spec{Name: "demo.greet", Guarded: true}, func(context.Context, greetInput) (o greetOutput, _ error) { return })
	if _, err := action.NewCatalog(greet, greet); err == nil {
		t.Error("two actions of one name are taken")
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
		t.Error("nil, or a cause, is lost")
	}
}
