package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A createService is the service of demo.create, a Reconciled action. It answers as the test
// says, and keeps the requests.
type createService struct {
	requests []string
	do       []error // the errors of Do, in order; then nil
	looks    []error // the errors of Reconcile, in order; then nil
	exists   bool    // what Reconcile finds
	creates  bool    // a Do that returns an error creates nevertheless
}

func next(list *[]error) error {
	if len(*list) == 0 {
		return nil
	}
	err := (*list)[0]
	*list = (*list)[1:]
	return err
}

type createState struct {
	Seen int `json:"seen"`
}

type createOutput struct {
	ID string `json:"id" doc:"The id."`
}

func (s *createService) action() *action.Action {
	return action.NewReconciled(action.Spec{Name: "demo.create", Summary: "Create."}, action.Reconciler[textIn, createState, createOutput]{
		Before: func(context.Context, textIn) (createState, error) {
			s.requests = append(s.requests, "before")
			return createState{Seen: 7}, nil
		},
		Do: func(_ context.Context, _ textIn, before createState) (createOutput, error) {
			s.requests = append(s.requests, "do")
			if before.Seen != 7 {
				return createOutput{}, errors.New("the state of Before was lost")
			}
			err := next(&s.do)
			s.exists = s.exists || s.creates || err == nil
			return createOutput{ID: "made"}, err
		},
		Reconcile: func(context.Context, textIn, createState) (createOutput, bool, error) {
			s.requests = append(s.requests, "look")
			return createOutput{ID: "found"}, s.exists, next(&s.looks)
		},
	})
}

func lost() error {
	return &action.Error{Kind: action.Timeout, Message: "no answer", Ambiguous: true}
}

// A Reconciled call whose answer was lost is looked up, and sent again only if it certainly was
// not done.
func TestReconciled(t *testing.T) {
	conflict := action.Errorf(action.Conflict, "it exists")
	down := action.Errorf(action.Unavailable, "the look-up failed")
	tests := map[string]struct {
		service  createService
		requests []string
		id       string // of a success
		kind     action.Kind
	}{
		"done at once":                        {createService{}, []string{"before", "do"}, "made", ""},
		"refused":                             {createService{do: []error{conflict}}, []string{"before", "do"}, "", action.Conflict},
		"lost, but done":                      {createService{do: []error{lost()}, creates: true}, []string{"before", "do", "look"}, "found", ""},
		"lost and not done: sent again":       {createService{do: []error{lost()}}, []string{"before", "do", "look", "do"}, "made", ""},
		"lost, and the look-up fails":         {createService{do: []error{lost()}, looks: []error{down}}, []string{"before", "do", "look"}, "", action.UnknownOutcome},
		"a conflict that no look-up explains": {createService{do: []error{lost(), conflict}}, []string{"before", "do", "look", "do", "look", "do"}, "made", ""},
		"lost again and again": {
			createService{do: []error{lost(), lost(), lost(), lost()}},
			[]string{"before", "do", "look", "do", "look", "do", "look", "do"},
			"", action.UnknownOutcome,
		},
		"refused when sent again": {
			createService{do: []error{lost(), action.Errorf(action.Forbidden, "no")}}, []string{"before", "do", "look", "do"}, "", action.Forbidden,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHarness(test.service.action())
			got := h.run(t, "steps:\n- id: c\n  uses: demo.create\n  with: {text: a}\noutputs: {id: \"${{ steps.c.outputs.id }}\"}\n")
			if diff := cmp.Diff(test.requests, test.service.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			switch test.kind {
			case "":
				wantSuccess(t, got)
				if got.Outputs["id"] != test.id {
					t.Errorf("got %v, want %s", got.Outputs, test.id)
				}
			case action.UnknownOutcome:
				wantFailure(t, got, run.NeedsAttention, test.kind)
			default:
				wantFailure(t, got, run.Failed, test.kind)
			}
			if c := h.calls(run.EventCallStarted)[0]; string(c.Before) != `{"seen":7}` {
				t.Errorf("got the state %s recorded, want the state that Before returned", c.Before)
			}
		})
	}
}

// A lost call is done after it was looked up, so it is sent again and refused with a conflict.
// Then it is looked up again and found.
func TestReconciledAfterConflict(t *testing.T) {
	s := &createService{do: []error{lost(), action.Errorf(action.Conflict, "it exists")}}
	looked := 0
	a := action.NewReconciled(action.Spec{Name: "demo.create", Summary: "Create."}, action.Reconciler[textIn, createState, createOutput]{
		Before: func(context.Context, textIn) (createState, error) { return createState{}, nil },
		Do: func(context.Context, textIn, createState) (createOutput, error) {
			return createOutput{}, next(&s.do)
		},
		Reconcile: func(context.Context, textIn, createState) (createOutput, bool, error) {
			looked++
			return createOutput{ID: "found"}, looked == 2, nil
		},
	})
	got := newHarness(a).run(t, "steps:\n- id: c\n  uses: demo.create\n")
	wantSuccess(t, got)
	if diff := cmp.Diff(any(action.Object{"id": "found"}), got.Steps[0].Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// A Once call is never sent again automatically. When its answer was lost, its outcome is
// unknown.
func TestOnce(t *testing.T) {
	tests := map[string]struct {
		err    error
		status run.Status
		kind   action.Kind
	}{
		"no answer":        {lost(), run.NeedsAttention, action.UnknownOutcome},
		"not sent":         {action.Errorf(action.Unavailable, "refused"), run.Failed, action.Unavailable},
		"an untyped error": {errors.New("broken"), run.Failed, action.Script},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sent := 0
			h := newHarness(act("demo.post", action.Once, func(context.Context, textIn) error { sent++; return test.err }))
			got := h.run(t, "steps:\n- id: p\n  lua: |\n    demo.post{text = 'a'}\n- id: after\n  lua: |\n    return 1\n")
			wantFailure(t, got, test.status, test.kind)
			if sent != 1 || got.Steps[1].Status != run.Skipped {
				t.Errorf("got it sent %d times and then %s, want once and skipped", sent, got.Steps[1].Status)
			}
			returned := h.calls(run.EventCallReturned)
			if len(returned) != 1 || returned[0].Error == nil || returned[0].Error.Kind != test.kind {
				t.Errorf("got %+v recorded, want the error", returned)
			}
		})
	}
}

// A script can catch an unknown outcome, and the run succeeds.
func TestUnknownOutcomeCanBeHandled(t *testing.T) {
	h := newHarness(act("demo.post", action.Once, func(context.Context, textIn) error { return lost() }))
	got := h.run(t, "steps:\n- id: p\n  lua: |\n    local ok, err = pcall(demo.post, {text = 'a'})\n    return {ok = ok, kind = err.kind, retryable = err.retryable}\n")
	wantSuccess(t, got)
	want := any(action.Object{"ok": false, "kind": "unknown_outcome", "retryable": false})
	if diff := cmp.Diff(want, got.Steps[0].Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// A panic of an action fails its step. After a panic of a Once action, the outcome of the call
// is unknown.
func TestPanicOfAction(t *testing.T) {
	sources := map[string]string{
		"uses":   "steps:\n- id: p\n  uses: demo.crash\n",
		"script": "steps:\n- id: p\n  lua: |\n    demo.crash{}\n",
	}
	effects := map[action.Effect]struct {
		status run.Status
		kind   action.Kind
	}{
		action.Pure:  {run.Failed, action.Script},
		action.Reads: {run.Failed, action.Script},
		action.Once:  {run.NeedsAttention, action.UnknownOutcome},
	}
	for way, source := range sources {
		for effect, want := range effects {
			t.Run(way+" "+effect.String(), func(t *testing.T) {
				h := newHarness(act("demo.crash", effect, func(context.Context, textIn) error { panic("oh no") }))
				got := h.run(t, source)
				wantFailure(t, got, want.status, want.kind)
				if got.Error.Action != "demo.crash" {
					t.Errorf("got %+v, want the action to be named", got.Error)
				}
				if effect != action.Pure && len(h.calls(run.EventCallReturned)) != 1 {
					t.Error("the result of the call was not recorded")
				}
			})
		}
	}
}
