package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
)

// A fakeService is the service that its actions call. It keeps the requests, and what was
// made.
type fakeService struct {
	mu       sync.Mutex // parallel steps call do
	requests []string   // ACTION TEXT KEY of each
	loses    string     // the action whose next request is done, and its answer lost
	reads    int        // the value that the last read returned
	made     map[string]bool
	refuses  map[string]error // by action or by text
}

func newFakeService() *fakeService {
	return &fakeService{made: map[string]bool{}, refuses: map[string]error{}}
}

type readOutput struct {
	Value float64 `json:"value" doc:"The value."`
}

// do returns the function of an action of one text. In a dry run, it shows its request.
func (s *fakeService) do(name string) func(context.Context, textIn) (nothing, error) {
	return func(ctx context.Context, in textIn) (nothing, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if preview := action.ScopeOf(ctx).Preview; preview != nil {
			preview(action.Request{Method: "POST", URL: "https://service/" + name + "/" + in.Text})
			return nothing{}, nil
		}
		s.requests = append(s.requests, strings.TrimSuffix(fmt.Sprintf("%s %s %s", name, in.Text, action.ScopeOf(ctx).Key), " "))
		if err := firstError(s.refuses[name], s.refuses[in.Text]); err != nil {
			return nothing{}, err
		}
		if s.loses == name {
			s.loses = ""
			return nothing{}, lost()
		}
		return nothing{}, nil
	}
}

// actions returns an action of each effect.
func (s *fakeService) actions() []*action.Action {
	spec := func(name string, effect action.Effect) action.Spec {
		return action.Spec{Name: "demo." + name, Summary: "It does something.", Effect: effect}
	}
	read := func(context.Context) (readOutput, error) {
		s.reads++
		s.requests = append(s.requests, "read")
		return readOutput{float64(s.reads)}, nil
	}
	pageOwn := spec("page_own", action.Keyed)
	pageOwn.Key, pageOwn.Late = "text", action.LateWithOwnKey
	return []*action.Action{
		action.New(spec("read", action.Reads), func(ctx context.Context, _ nothing) (readOutput, error) { return read(ctx) }),
		action.New(spec("clock", action.Reads), func(ctx context.Context, _ nothing) (readOutput, error) { return read(ctx) },
			action.Rules[nothing]{Memoized: func(*nothing) bool { return true }}),
		action.New(spec("set", action.Repeats), s.do("set")),
		action.New(spec("page", action.Keyed), s.do("page")),
		action.New(pageOwn, s.do("page_own")),
		action.New(spec("post", action.Once), s.do("post")),
		action.NewReconciled(spec("make", action.Reconciled), action.Reconciler[textIn, createState, nothing]{
			Before: func(context.Context, textIn) (createState, error) { return createState{1}, nil },
			Do: func(ctx context.Context, in textIn, _ createState) (nothing, error) {
				out, err := s.do("make")(ctx, in)
				s.made[in.Text] = true
				return out, err
			},
			Reconcile: func(_ context.Context, in textIn, _ createState) (nothing, bool, error) {
				s.requests = append(s.requests, "look "+in.Text)
				return nothing{}, s.made[in.Text], s.refuses["look"]
			},
		}),
	}
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
