//go:build linux

package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal/sqlite"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// compile returns an engine, and the plan of a workflow that calls no service.
func compile(tb testing.TB, source string) (*engine.Local, *workflow.Plan) {
	tb.Helper()
	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{})...)
	if err != nil {
		tb.Fatal(err)
	}
	interpreter := lua.New(catalog)
	parsed, err := workflow.Parse("w.yaml", []byte(source))
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := workflow.Compile(parsed, catalog, interpreter)
	if err != nil {
		tb.Fatal(err)
	}
	return &engine.Local{Interpreter: interpreter}, plan
}

func runOf(tb testing.TB, local *engine.Local, plan *workflow.Plan) *run.Result {
	tb.Helper()
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil || result.Status != run.Success {
		tb.Fatal(result, err)
	}
	return result
}

func open(tb testing.TB) *sqlite.Journal {
	tb.Helper()
	j, err := sqlite.Open(sqlite.Config{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

// chained returns a workflow of Lua steps. Each step adds 1 to the output of the step before.
func chained(steps int) string {
	var b strings.Builder
	b.WriteString("name: chained\nsteps:\n- id: s0\n  lua: |\n    return {n = 0}\n")
	for i := range steps - 1 {
		fmt.Fprintf(&b, "- id: s%d\n  lua: |\n    return {n = steps.s%d.outputs.n + 1}\n", i+1, i)
	}
	return b.String()
}

// TestSecondConnection: a run whose steps use other connections is recorded, and the
// recorded targets are compared with the targets that are set when it is retried.
func TestSecondConnection(t *testing.T) {
	local, plan := compile(t, "steps:\n- lua: |\n    error({kind = \"unavailable\"})\n")
	dir := t.TempDir()
	target := run.Target{Connection: "us", APIURL: "https://api.pagerduty.com", Others: []run.Target{
		{Connection: "eu", Region: "eu", APIURL: "https://api.eu.pagerduty.com"},
		{Connection: "test", APIURL: "https://api.example.com"},
	}}
	keys := map[string]string{"api_key": "A", "eu.api_key": "B"}
	journal := func() *sqlite.Journal {
		j, err := sqlite.Open(sqlite.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { j.Close() })
		return j
	}
	first := journal()
	local.Journal = first
	result, err := local.Run(context.Background(), plan, engine.Request{Target: target, Keys: keys})
	if err != nil || result.Status != run.Failed {
		t.Fatal(result, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := journal()
	local.Journal = second
	events, err := second.Events(context.Background(), result.Run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(target.WithKeys(result.Run, keys), events[0].Started.Target); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	moved := target
	moved.Others = slices.Clone(target.Others)
	moved.Others[1].APIURL = "https://api.example.org"
	if _, err := local.Resume(context.Background(), plan, engine.Resumption{Run: result.Run, Retry: true, Target: moved, Keys: keys}); !engine.IsInputError(err) {
		t.Errorf("got the error %v, want another target to be refused", err)
	}
	again, err := local.Resume(context.Background(), plan, engine.Resumption{Run: result.Run, Retry: true, Target: target, Keys: keys})
	if err != nil || again.Status != run.Failed {
		t.Errorf("got %v, %v, want the run to be retried", again, err)
	}
}

// flush returns the median time to append 300 bytes to a file and flush it.
func flush(b *testing.B) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "bound"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	took := make([]time.Duration, 300)
	for i := range took {
		start := time.Now()
		if _, err := f.Write(make([]byte, 300)); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// BenchmarkDurableRun measures a run of 100 chained Lua steps with a journal, and compares
// its time with one flush of the disk for each record. The goal is at most 1.3.
func BenchmarkDurableRun(b *testing.B) {
	local, plan := compile(b, chained(100))
	j := open(b)
	defer j.Close()
	local.Journal = j
	bound := flush(b)
	events := 0
	for b.Loop() {
		result := runOf(b, local, plan)
		if events == 0 {
			list, err := j.Events(context.Background(), result.Run)
			if err != nil {
				b.Fatal(err)
			}
			events = len(list)
		}
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(each)/float64(time.Duration(events)*bound), "x-bound")
	b.ReportMetric(float64(each)/float64(100*bound), "x-flushes")
}

// BenchmarkItems measures a for_each over Lua steps without a journal, at two sizes. Its
// time must be linear in the number of items.
func BenchmarkItems(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("items=%d", n), func(b *testing.B) {
			local, plan := compile(b, fmt.Sprintf(`
steps:
- id: list
  lua: |
    local l = {}
    for i = 1, %d do l[i] = i end
    return l
- id: each
  for_each: ${{ steps.list.outputs }}
  max_parallel: 50
  lua: |
    return item + index
`, n))
			for b.Loop() {
				runOf(b, local, plan)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/item")
		})
	}
}

// BenchmarkSteps measures chained Lua steps without a journal, at two sizes.
func BenchmarkSteps(b *testing.B) {
	for _, n := range []int{200, 2000} {
		b.Run(fmt.Sprintf("steps=%d", n), func(b *testing.B) {
			local, plan := compile(b, chained(n))
			for b.Loop() {
				runOf(b, local, plan)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
		})
	}
}

// TestSoak: many short runs in one process, with a journal that is pruned, do not make the
// heap or the number of goroutines grow. The number of runs is PDFLOW_SOAK, by default
// 1,000, or 200 with -short.
func TestSoak(t *testing.T) {
	runs := 1000
	if testing.Short() {
		runs = 200
	}
	if text := os.Getenv("PDFLOW_SOAK"); text != "" {
		var err error
		if runs, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	local, plan := compile(t, `
name: soak
steps:
- id: each
  for_each: [1, 2, 3]
  max_parallel: 3
  lua: |
    log.info("item", {n = item})
    return {at = time.now(), n = item}
- id: sum
  retry: {max_attempts: 2, delay: 1ms}
  lua: |
    if not steps.each.outputs[3] then error({kind = "unavailable"}) end
    return {n = steps.each.outputs[1].n + (previous.outputs.n or 0)}
finally:
- {id: last, uses: log.info, with: {message: done}}
outputs: {n: "${{ 1 }}"}
`)
	j := open(t)
	defer j.Close()
	local.Journal = j
	var before uint64
	for n := range runs {
		runOf(t, local, plan)
		if n%200 == 199 {
			if _, err := j.Prune(context.Background(), time.Now(), 0); err != nil {
				t.Fatal(err)
			}
		}
		if n == runs/10 {
			before = heap()
		}
	}
	goroutines := runtime.NumGoroutine()
	after := heap()
	t.Logf("%d runs: heap %d KB after a tenth, %d KB at the end; %d goroutines", runs, before>>10, after>>10, goroutines)
	const slack = 1 << 20
	if after > before+before/5+slack {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if goroutines > 20 {
		t.Errorf("%d goroutines are left", goroutines)
	}
}

// heap returns the bytes of the heap that are in use after a garbage collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
