package daemon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// hostile are workflows that take what they can get. Each takes memory, or time, in another
// way; some hold it while they wait, and some go on in on_failure and finally.
var hostile = []string{
	// text in a loop
	`steps:
- id: s
  lua: |
    local t = {}
    while true do t[#t + 1] = string.rep("x", 2^20) .. #t end
`,
	// tables that are caught
	`steps:
- id: s
  lua: |
    local t = {}
    while true do pcall(function() while true do t[#t + 1] = {a = {}, b = #t + 0.5} end end) end
`,
	// items that wait
	`timeout: 50m
steps:
- id: s
  for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
  max_parallel: 12
  timeout: 40m
  lua: |
    local t = {}
    for i = 1, 30 do t[i] = string.rep("x", 2^20) end
    time.sleep{duration = 300}
    return {n = #t}
`,
	// forty branches
	"steps:\n" + branches(40, `
    local t = {}
    for i = 1, 45 do t[i] = string.rep("x", 2^20) end
    return {n = #t}
`),
	// outputs
	"limits: {output: 4MB}\nsteps:\n" + branches(8, `
    return {text = string.rep("x", 3 * 2^20)}
`),
	// garbage
	`limits: {instructions: 3000000}
steps:
- id: s
  lua: |
    local t
    while true do t = {string.rep("x", 2^18), t and t[1]} end
`,
	// on_failure and finally
	`steps:
- id: s
  lua: |
    error("no")
on_failure:
- id: f
  lua: |
    local t = {}
    while true do t[#t + 1] = string.rep("x", 2^20) .. #t end
finally:
- id: g
  lua: |
    local t = {}
    while true do t["k" .. #t] = string.rep("x", 2^20) t[#t + 1] = 1 end
`,
	// a full stack
	`limits: {instructions: 2000000}
steps:
- id: s
  lua: |
    local many = {}
    for i = 1, 5000 do many[i] = i end
    local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end
    while true do pcall(f, unpack(many)) end
`,
	// a limit that is too large
	`limits: {memory: 150MB}
timeout: 50m
steps:
- id: s
  timeout: 40m
  lua: |
    local t = {}
    for i = 1, 140 do t[i] = string.rep("x", 2^20) end
    time.sleep{duration = 60}
    return {n = #t}
`,
	// a loop
	`limits: {instructions: 5000000}
steps:
- id: s
  lua: |
    while true do end
`,
}

// branches returns steps that run at the same time.
func branches(n int, script string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "- id: s%d\n  needs: []\n  lua: |%s", i, script)
	}
	return b.String()
}

const (
	memoryBudget = 512 << 20
	memorySlack  = 64 << 20
)

// TestServeMemory: a daemon in 512 MB that serves hostile and honest workflows for an hour
// of virtual time stays within its memory and alive, and the honest ones page exactly as they
// should. It runs in a process of its own, whose memory is measured.
func TestServeMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of the process is read from /proc")
	}
	if testing.Short() {
		t.Skip("the race detector, with which short tests run, takes memory of its own")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, "-test.run", "^TestServeMemoryChild$", "-test.v", "-test.timeout", "30m")
	command.Env = append(os.Environ(), "PDFLOW_SERVE_MEMORY_CHILD=1", "GOMEMLIMIT=")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	m := regexp.MustCompile(`peak (\d+) KB`).FindSubmatch(output)
	if m == nil {
		t.Fatalf("got no peak:\n%s", output)
	}
	peak, _ := strconv.Atoi(string(m[1]))
	t.Logf("peak %d MB of %d MB", peak>>10, memoryBudget>>20)
	if peak<<10 > memoryBudget+memorySlack {
		t.Errorf("the process took %d MB, want at most %d MB", peak>>10, (memoryBudget+memorySlack)>>20)
	}
}

// TestServeMemoryChild is the process of TestServeMemory.
func TestServeMemoryChild(t *testing.T) {
	if os.Getenv("PDFLOW_SERVE_MEMORY_CHILD") == "" {
		t.Skip("only as a process of TestServeMemory")
	}
	count, last := 10, 12*time.Minute
	if text := os.Getenv("PDFLOW_SERVE_MEMORY"); text != "" {
		count, _ = strconv.Atoi(text)
		last = time.Hour
	}
	start := time.Date(2026, time.March, 2, 12, 1, 0, 0, time.UTC)
	end := start.Add(last)
	w := newServedWorld(t, count, start)
	outages := 0
	for i := range count {
		file := filepath.Join(w.folder, fmt.Sprintf("check-%d.yaml", i))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.Replace(text, []byte("*/30"), []byte("*/2"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			w.network.outages[fmt.Sprintf("h%d.example.com", i)] = []outage{{start.Add(4 * time.Minute), start.Add(last/2 + time.Minute)}}
			outages++
		}
		text = fmt.Appendf(nil, "name: hostile-%d\nschedule: \"*/%d * * * *\"\n%s", i, 3+i%4, hostile[i%len(hostile)])
		if err := os.WriteFile(filepath.Join(w.folder, fmt.Sprintf("hostile-%d.yaml", i)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, gone := w.daemonWith(Options{MaxRuns: 200}, w.clock, slog.New(slog.NewTextHandler(w, nil)))
	defer gone()
	if err := d.env.LimitMemory(d.target, setup.MaxMemory(memoryBudget)); err != nil {
		t.Fatal(err)
	}
	if served := len(d.files.library.Snapshot().Plans()); served != 2*count {
		t.Fatalf("got %d workflows, want %d:\n%s", served, 2*count, w.log)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.clock.Begin() // the scheduler is work like a run
	if err := d.begin(ctx); err != nil {
		t.Fatal(err)
	}
	defer stop()
	for w.clock.Now().Before(end) {
		wait := time.Minute
		if next := d.scheduler.Tick(ctx); !next.IsZero() {
			wait = min(max(next.Sub(w.clock.Now()), time.Second), wait)
		}
		if err := w.clock.Sleep(ctx, wait); err != nil { // other runs continue meanwhile
			t.Fatal(err)
		}
	}
	w.clock.End(1)
	d.runs.running.Wait()

	w.account.Settle()
	incidents := w.account.Incidents()
	if len(incidents) != outages {
		t.Errorf("got %d incidents for %d outages", len(incidents), outages)
	}
	for _, i := range incidents {
		if i.Status != account.Resolved {
			t.Errorf("the incident %s of %s is not resolved", i.Key, i.CreatedAt)
		}
	}
	ran, hostileRuns := 0, map[run.Status]int{}
	for _, entry := range d.files.entries() {
		honest := strings.HasPrefix(entry.Workflow, "check-")
		for at := entry.Spec.Next(start); at.Before(end); at = entry.Spec.Next(at) {
			o := run.Occurrence{Workflow: entry.Workflow, Schedule: entry.Schedule, At: at}
			found, err := d.journal.List(context.Background(), journal.Query{Run: o.RunID()})
			switch {
			case err != nil || len(found) != 1:
				t.Errorf("%s at %s: %v, %v", entry.Workflow, at, found, err)
			case !honest:
				hostileRuns[found[0].Status]++
			case found[0].Status != run.Success || found[0].StartedAt.Sub(at) > time.Minute:
				t.Errorf("%s at %s: %s, started %s", entry.Workflow, at, found[0].Status, found[0].StartedAt)
			default:
				ran++
			}
		}
	}
	t.Logf("%d honest runs, hostile runs: %v, %d outages, %d incidents", ran, hostileRuns, outages, len(incidents))
	fmt.Printf("peak %d KB\n", peakMemory(t))
}

// peakMemory returns the most memory that this process has had, in KB.
func peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("got no peak in\n%s", status)
	}
	peak, _ := strconv.Atoi(string(m[1]))
	return peak
}
