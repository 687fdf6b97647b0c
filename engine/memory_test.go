package engine_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A holder counts how many scripts hold memory at a time.
type holder struct {
	clock     *clock.Virtual
	now, most atomic.Int64
}

// enter and leave are called by scripts while they hold memory. rest waits.
func (h *holder) actions() []*action.Action {
	return []*action.Action{
		act("demo.enter", action.Pure, func(context.Context, textIn) error {
			now := h.now.Add(1)
			for most := h.most.Load(); now > most && !h.most.CompareAndSwap(most, now); most = h.most.Load() {
			}
			return nil
		}),
		act("demo.leave", action.Pure, func(context.Context, textIn) error { h.now.Add(-1); return nil }),
		act("demo.rest", action.Reads, func(ctx context.Context, _ textIn) error { return h.clock.Sleep(ctx, time.Hour) }),
	}
}

// runs runs workflows at the same time in one memory.
func (h *holder) runs(t *testing.T, total int64, sources ...string) []*run.Result {
	t.Helper()
	h.clock = clock.NewVirtual(startTime)
	catalog, err := action.NewCatalog(h.actions()...)
	if err != nil {
		t.Fatal(err)
	}
	local := &engine.Local{Interpreter: lua.New(catalog), Clock: h.clock, Memory: engine.NewMemory(total)}
	results := make([]*run.Result, len(sources))
	var group sync.WaitGroup
	h.clock.Begin()
	for i, source := range sources {
		parsed, _ := workflow.Parse(fmt.Sprintf("w%d.yaml", i), []byte(source))
		plan, err := workflow.Compile(parsed, catalog, local.Interpreter)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() { results[i], _ = local.Run(context.Background(), plan, engine.Request{}) })
	}
	h.clock.End(1)
	group.Wait()
	return results
}

// holds is the script of a step that holds 40 MB.
const holds = `lua: |
    local t = {}
    for i = 1, 40 do t[i] = string.rep("x", 2^20) end
    demo.enter{} %s demo.leave{}
    return {n = #t}
`

// TestA9AttemptsWaitForRoom: attempts that together would take more than the memory of the
// process wait for each other, and all succeed: branches, items, and items that hold
// memory while they wait in a call.
func TestA9AttemptsWaitForRoom(t *testing.T) {
	branches, rests := "steps:\n", ""
	for i := range 16 {
		branches += fmt.Sprintf("- id: s%d\n  needs: []\n  "+holds, i, "")
		rests += fmt.Sprintf("- id: r%d\n  needs: []\n  timeout: 90m\n  "+holds, i, "demo.rest{}")
	}
	items := "steps:\n- id: s\n  for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n  max_parallel: 12\n  timeout: 90m\n  " + fmt.Sprintf(holds, "demo.rest{}")
	for name, source := range map[string]string{
		"branches": branches, "items that wait in a call": "timeout: 30h\n" + items, "branches that wait in a call": "timeout: 30h\nsteps:\n" + rests,
	} {
		t.Run(name, func(t *testing.T) {
			h := &holder{}
			wantSuccess(t, h.runs(t, 200<<20, source)[0])
			if most := h.most.Load(); most > 4 || most < 2 && name != "branches" {
				t.Errorf("got %d that held 40 MB at a time, want 2 to 4 in 200 MB", most)
			}
		})
	}
	t.Run("runs", func(t *testing.T) {
		var sources []string
		for range 12 {
			sources = append(sources, "steps:\n- id: s\n  "+fmt.Sprintf(holds, ""))
		}
		h := &holder{}
		for _, r := range h.runs(t, 200<<20, sources...) {
			wantSuccess(t, r)
		}
		if most := h.most.Load(); most > 4 {
			t.Errorf("got %d that held 40 MB at a time, want at most 4 in 200 MB", most)
		}
	})
}

// TestA9OnFailureDoesNotWait: on_failure and finally do their work while other runs hold
// all of the memory.
func TestA9OnFailureDoesNotWait(t *testing.T) {
	rests := "timeout: 300h\nsteps:\n"
	for i := range 16 {
		rests += fmt.Sprintf("- id: r%d\n  needs: []\n  timeout: 90m\n  "+holds, i, "demo.rest{}")
	}
	fails := "steps:\n- id: s\n  lua: |\n    error('no')\non_failure:\n- id: f\n  lua: |\n    return {text = string.rep('x', 100000)}\nfinally:\n- id: g\n  lua: |\n    return {n = 1}\n"
	h := &holder{}
	results := h.runs(t, 200<<20, rests, fails)
	wantSuccess(t, results[0])
	if r := results[1]; r.Status != run.Failed || r.Steps[1].Status != run.Success || r.Steps[2].Status != run.Success {
		t.Errorf("got %s: %+v", r.Status, r.Steps)
	}
	if took := results[1].Steps[2].EndedAt.Sub(results[1].Steps[0].StartedAt); took > 5*time.Minute {
		t.Errorf("it took %s", took)
	}
}

// TestA9LargeScripts: scripts whose limit is as large as the memory run one at a time, and a
// script beyond its own limit is still ended for it.
func TestA9LargeScripts(t *testing.T) {
	large := "limits: {memory: 190MB}\nsteps:\n- id: s\n  " + fmt.Sprintf(holds, "")
	greedy := "steps:\n- id: s\n  lua: |\n    local t = {}\n    while true do t[#t + 1] = string.rep('x', 2^20) end\n"
	h := &holder{}
	results := h.runs(t, 200<<20, large, greedy, large, greedy, large, greedy)
	for i, r := range results {
		if i%2 == 0 {
			wantSuccess(t, r)
		} else {
			wantFailure(t, r, run.Failed, action.Limit)
		}
	}
}

// TestA9KeptOutputs: outputs that runs keep count. Runs that keep more than there is still
// end.
func TestA9KeptOutputs(t *testing.T) {
	source := "limits: {output: 4MB}\nsteps:\n"
	for i := range 4 {
		source += fmt.Sprintf("- id: s%d\n  lua: |\n    return {text = string.rep('x', 3 * 2^20)}\n", i)
	}
	h := &holder{}
	for _, r := range h.runs(t, 20<<20, source, source, source, source) {
		wantSuccess(t, r)
	}
}

// TestA9CancelledWhileItWaits: an attempt that waits for room can be cancelled.
func TestA9CancelledWhileItWaits(t *testing.T) {
	rest := func(id string) string {
		return fmt.Sprintf("- id: %s\n  needs: []\n  timeout: 90m\n  ", id) + fmt.Sprintf(holds, "demo.rest{}")
	}
	source := "timeout: 30m\nsteps:\n"
	for i := range 10 {
		source += rest(fmt.Sprintf("r%d", i))
	}
	h := &holder{}
	if r := h.runs(t, 200<<20, source)[0]; r.Status != run.TimedOut {
		t.Errorf("got %s, %v, want a timeout", r.Status, r.Error)
	}
}
