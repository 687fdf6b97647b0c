package engine_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/enginetest"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// The runs of a host are what the documentation of Runs says.
func TestRuns(t *testing.T) {
	enginetest.TestRuns(t, func(t *testing.T) enginetest.Fixture {
		var mended atomic.Bool
		store := journal.NewMemory()
		var host *engine.Host
		var unblock func()
		open := func() {
			blocked := make(chan struct{})
			unblock = sync.OnceFunc(func() { close(blocked) })
			plans := newPlans(t, blocked, mended.Load)
			local := &engine.Local{Interpreter: plans.interpreter, Journal: store}
			host = engine.NewHost(local, engine.Plans{Find: plans.find, Restore: plans.restore})
			t.Cleanup(host.Wait)
			t.Cleanup(unblock)
		}
		open()
		return enginetest.Fixture{
			As:      func(actor run.Actor) engine.Runs { return host.As(actor) },
			Unblock: func() { unblock() },
			Mend:    func() { mended.Store(true) },
			Interrupt: func() {
				lost := store
				store = lost.Another()
				_ = lost.Close()
				open() // the calls of the old process stay blocked
			},
		}
	})
}

// suitePlans compiles the workflows of the suite.
type suitePlans struct {
	catalog     *action.Catalog
	interpreter *lua.Interpreter
}

func newPlans(t *testing.T, blocked <-chan struct{}, mended func() bool) *suitePlans {
	t.Helper()
	catalog, err := action.NewCatalog(enginetest.Actions(blocked, mended)...)
	if err != nil {
		t.Fatal(err)
	}
	return &suitePlans{catalog, lua.New(catalog)}
}

func (p *suitePlans) find(_ context.Context, name string) (engine.Prepared, error) {
	source, ok := enginetest.Workflows[name]
	if !ok {
		return engine.Prepared{}, fmt.Errorf("no workflow %q", name)
	}
	parsed, err := workflow.Parse(name+".yaml", []byte("name: "+name+"\n"+source))
	return p.compile(parsed, err)
}

func (p *suitePlans) restore(_ context.Context, _ run.Start, sources []workflow.Source) (engine.Prepared, error) {
	return p.compile(workflow.Restore(sources))
}

func (p *suitePlans) compile(w *workflow.Workflow, err error) (engine.Prepared, error) {
	if err != nil {
		return engine.Prepared{}, err
	}
	plan, err := workflow.Compile(w, p.catalog, p.interpreter)
	return engine.Prepared{Plan: plan}, err
}
