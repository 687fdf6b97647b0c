package action_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestErrorText proves what an error says, alone and as a cause.
func TestErrorText(t *testing.T) {
	cause := errors.New("connection refused")
	err := action.Errorf(action.Unavailable, "no answer from %s: %w", "example.com", cause)
	if err.Error() != "no answer from example.com: connection refused" || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	err.Action = "http.get"
	if got, want := fmt.Errorf("step a: %w", err).Error(), "step a: http.get: no answer from example.com: connection refused"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAsErrorKeeps proves that nothing that machines read of an error is lost.
func TestAsErrorKeeps(t *testing.T) {
	typed := &action.Error{Kind: action.Conflict, Message: "taken", Hint: "use another", Status: 409, Code: 2001, Ambiguous: true}
	if got := action.AsError(fmt.Errorf("again: %w", typed)); got != typed {
		t.Errorf("got %+v, want %+v", got, typed)
	}
	for err, want := range map[error]action.Kind{
		fmt.Errorf("read: %w", context.DeadlineExceeded): action.Timeout,
		fmt.Errorf("read: %w", context.Canceled):         action.Cancelled,
		errors.New("boom"):                               action.Script,
	} {
		got := action.AsError(err)
		if got.Kind != want || !errors.Is(got, err) || got.Message == "" {
			t.Errorf("%v: got %+v, want the kind %s", err, got, want)
		}
	}
}

// TestKinds proves which failures a retry may help, and that no kind is missing
// from the list.
func TestKinds(t *testing.T) {
	var retryable []action.Kind
	for _, kind := range action.Kinds() {
		if kind.Retryable() {
			retryable = append(retryable, kind)
		}
	}
	if diff := cmp.Diff([]action.Kind{action.RateLimited, action.Unavailable, action.Timeout}, retryable); diff != "" {
		t.Errorf("retryable (-want +got):\n%s", diff)
	}
	if got := len(action.Kinds()); got != 13 {
		t.Errorf("got %d kinds, want 13", got)
	}
}

// TestInvalidInput proves how problems of an input become one error: a single one
// keeps its message and hint apart, several stand in one line.
func TestInvalidInput(t *testing.T) {
	_, err := echo().Prepare(action.Object{"name": "Ann", "role": "amdin"})
	got := action.AsError(err)
	if got.Kind != action.InvalidInput || got.Message != `"role" cannot be "amdin"` || got.Hint != `did you mean "admin"?` || got.Action != "test.echo" {
		t.Errorf("got %+v", got)
	}
	_, err = echo().Prepare(action.Object{"role": "amdin"})
	if want := `test.echo: required input "name" is missing (A name.); "role" cannot be "amdin" (did you mean "admin"?)`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestValidateErrors proves that what an input's own Validate says is an error of
// the input, unless it says otherwise, and names the action.
func TestValidateErrors(t *testing.T) {
	a := action.New(action.Spec{Name: "test.check", Effect: action.Pure}, func(context.Context, checkedInput) (o empty, _ error) { return },
		action.Rules[checkedInput]{Validate: (*checkedInput).validate})
	for text, want := range map[string]action.Kind{"": action.InvalidInput, "conflict": action.Conflict} {
		_, err := a.Prepare(action.Object{"text": text})
		if got := action.AsError(err); got == nil || got.Kind != want || got.Action != "test.check" {
			t.Errorf("%q: got %+v, want the kind %s", text, got, want)
		}
	}
	if _, err := a.Prepare(action.Object{"text": "fine"}); err != nil {
		t.Errorf("got %v", err)
	}
}

type checkedInput struct {
	Text string `json:"text" doc:"Some text."`
}

var errTaken = action.Errorf(action.Conflict, "it is taken")

func (in *checkedInput) validate() error {
	switch in.Text {
	case "":
		return errors.New("give some text")
	case "conflict":
		return errTaken
	}
	return nil
}

// TestPlainInput proves what an input without methods means.
func TestPlainInput(t *testing.T) {
	call, err := declare[greetInput]().Prepare(action.Object{"name": "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	call.UseKey("ignored")
	targets, err := call.Targets()
	before, beforeErr := call.Before(t.Context())
	if targets != nil || err != nil || before != nil || beforeErr != nil || call.Effect() != action.Pure {
		t.Errorf("got %v, %v, %s, %v, %s", targets, err, before, beforeErr, call.Effect())
	}
}

// TestEffects proves what the engine concludes from an effect.
func TestEffects(t *testing.T) {
	type conclusion struct {
		Name                       string
		Recorded, Writes, NeedsKey bool
		Lost                       action.LostAnswer
	}
	var got []conclusion
	for e := action.Effect(0); e <= action.Once+1; e++ {
		got = append(got, conclusion{e.String(), e.Recorded(), e.Writes(), e.NeedsKey(), e.LostAnswer()})
	}
	want := []conclusion{
		{"unknown", true, true, false, action.AskPerson},
		{"pure", false, false, false, action.Resend},
		{"reads", true, false, false, action.Resend},
		{"repeats", true, true, false, action.Resend},
		{"keyed", true, true, true, action.Resend},
		{"reconciled", true, true, false, action.Reconcile},
		{"once", true, true, false, action.AskPerson},
		{"unknown", true, true, false, action.AskPerson},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTargets proves how a target is written, as in the permission that allows it.
func TestTargets(t *testing.T) {
	for _, test := range []struct {
		target action.Target
		want   string
	}{
		{action.Target{Scheme: "https", Host: "a.example.com", Port: 443}, "https://a.example.com"},
		{action.Target{Scheme: "https", Host: "a.example.com", Port: 8443}, "https://a.example.com:8443"},
		{action.Target{Scheme: "http", Host: "a.example.com", Port: 80}, "http://a.example.com"},
		{action.Target{Scheme: "http", Host: "a.example.com", Port: 443}, "http://a.example.com:443"},
		{action.Target{Scheme: "https", Host: "::1", Port: 8443}, "https://[::1]:8443"},
		{action.Target{Scheme: "net", Host: "db", Port: 443}, "db:443"},
		{action.Target{Scheme: "net", Host: "::1", Port: 22}, "[::1]:22"},
		{action.Target{Scheme: "net", Host: "db"}, "db"},
	} {
		if got := test.target.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// TestCatalogOrder proves that a catalogue is sorted whatever the order of its
// declarations, and that what it hands out is the caller's own.
func TestCatalogOrder(t *testing.T) {
	var actions []*action.Action
	for _, name := range []string{"b.two", "a.one", "b.one"} {
		actions = append(actions, action.New(action.Spec{Name: name, Effect: action.Pure}, func(context.Context, greetInput) (o empty, _ error) { return }))
	}
	c, err := action.NewCatalog(actions...)
	if err != nil {
		t.Fatal(err)
	}
	c.Functions("b")[0], c.All()[0], c.Names()[0] = "changed", nil, "changed"
	if diff := cmp.Diff([][]string{{"a.one", "b.one", "b.two"}, {"a", "b"}, {"one", "two"}}, [][]string{c.Names(), c.Modules(), c.Functions("b")}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a, ok := c.Lookup("b.two"); !ok || c.All()[2] != a {
		t.Errorf("got %v, %v", a, ok)
	}
}
