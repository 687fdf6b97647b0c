package runview

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A screen is a small terminal: lines, a cursor that moves up, and the erasing of the lines below it.
type screen struct {
	mu    sync.Mutex
	width int
	rows  []string
	row   int
	wraps int // lines that were too long
}

var escape = regexp.MustCompile(`^\x1b\[(\d*)([AJ])`)

// Write takes printed text.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for rest := string(text); rest != ""; {
		if m := escape.FindStringSubmatch(rest); m != nil {
			s.control(m[1], m[2])
			rest = rest[len(m[0]):]
			continue
		}
		end := strings.IndexAny(rest, "\n\x1b")
		if end < 0 {
			end = len(rest)
		}
		s.put(strings.TrimPrefix(rest[:end], "\r"))
		if rest = rest[end:]; strings.HasPrefix(rest, "\n") {
			s.row++
			rest = rest[1:]
		}
	}
	return len(text), nil
}

func (s *screen) control(number, kind string) {
	if kind == "J" {
		s.rows = s.rows[:min(s.row, len(s.rows))]
		return
	}
	n, _ := strconv.Atoi(number)
	s.row = max(s.row-n, 0)
}

func (s *screen) put(text string) {
	if text == "" {
		return
	}
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, "")
	}
	s.rows[s.row] += text
	if console.Columns(s.rows[s.row]) >= s.width {
		s.wraps++
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.rows, "\n")
}

// watching returns a view of a run of a plan on a screen. A height of 0 is not a terminal.
func watching(plan *workflow.Plan, width, height int, before ...run.Event) (*Progress, *screen) {
	s := &screen{width: width}
	p := &console.Console{Stderr: s, Redactor: &redact.Redactor{}}
	if height > 0 {
		p.Terminal = console.Terminal{Live: true, Fixed: [2]int{width, height}}
	}
	view := NewProgress(p, plan, false, before)
	view.now = func() time.Time { return view.history.last }
	return view, s
}

func observe(view *Progress, events []run.Event) {
	for _, e := range events {
		view.Observe(e)
	}
	view.mu.Lock()
	view.draw()
	view.mu.Unlock()
}

// loopEvents returns a run with a for_each, retries and finally.
func loopEvents(t *testing.T) (*workflow.Plan, *madeRun) {
	second := *conflict
	second.Item = 2
	clean := planned(t, "clean", "", 0)
	clean.Part = workflow.Finally
	plan := handPlan(planned(t, "create", "pagerduty.create_user", 4), forEach(planned(t, "each", "", 0), 2, false), planned(t, "after", "", 0), clean)
	r := (&madeRun{}).started(nil).
		begin(0, "create", 0, 1).ended(10*ms, "create", 0, 1, unavailable).
		begin(500*ms, "create", 0, 2).ended(10*ms, "create", 0, 2, nil).
		begin(0, "each", 0, 1).add(0, run.Event{Kind: run.EventStepExpanded, Step: "each", Attempt: 1, Items: items(3)}).
		begin(0, "each", 1, 1).begin(0, "each", 2, 1).ended(2500*ms, "each", 2, 1, &second).begin(0, "each", 3, 1).
		ended(ms, "each", 1, 1, nil).ended(ms, "each", 3, 1, nil).
		begin(0, "clean", 0, 1).ended(ms, "clean", 0, 1, nil).
		finished(0, run.Failed, &second)
	return plan, r
}

// TestLiveProgress: the screen after some of the events of a run.
func TestLiveProgress(t *testing.T) {
	plan, r := loopEvents(t)
	for _, test := range []struct {
		events int
		want   string
	}{
		{1, `
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ○ create  pagerduty.create_user  waiting
			  ○ each    lua                    waiting
			  ○ after   lua                    waiting`},
		{3, `
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ↻ create  pagerduty.create_user  waiting  attempt 2 of 5, next in WAIT: unavailable: PagerDuty answered 503
			  ○ each    lua                    waiting
			  ○ after   lua                    waiting`},
		{4, `
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ● create  pagerduty.create_user  running  attempt 2 of 5
			  ○ each    lua                    waiting
			  ○ after   lua                    waiting`},
		{11, `
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ✓ create  pagerduty.create_user  520 ms  2 attempts
			  ● each    lua                    1/3 done, 1 failed 2.5 s  item 2: conflict: the address is taken
			  ○ after   lua                    waiting`},
		{14, `
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ✓ create  pagerduty.create_user  520 ms  2 attempts
			  ✗ each    lua                    2.5 s  1 of 3 failed; item 2: conflict: the address is taken
			  ○ after   lua                    waiting
			  ● clean   lua                    running`},
		{16, `
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ✓ create  pagerduty.create_user  520 ms  2 attempts
			  ✗ each    lua                    2.5 s  1 of 3 failed; item 2: conflict: the address is taken
			  – after   lua                    skipped  not run
			  ✓ clean   lua                    1 ms`},
	} {
		view, s := watching(plan, 120, 30)
		observe(view, r.events[:test.events])
		view.Stop()
		if diff := cmp.Diff(unindent(test.want), steady(s.String())); diff != "" {
			t.Errorf("after %d events the screen differs (-want +got):\n%s", test.events, diff)
		}
	}
}

// unindent removes the tabs of a Go source.
func unindent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(text, "\n\t\t\t", "\n"), "\n")
}

// steady hides the delay of a retry, which derives from the id of the run.
func steady(text string) string {
	return regexp.MustCompile(`next in [^:]+:`).ReplaceAllString(text, "next in WAIT:")
}

// TestPlainProgress: what is printed if lines cannot be drawn again.
func TestPlainProgress(t *testing.T) {
	plan, r := loopEvents(t)
	view, s := watching(plan, 200, 0)
	observe(view, r.events)
	want := unindent(`
			onboard · run 01M838X2C49BQ51PYP0AY6GBY9
			  ↻ create  pagerduty.create_user  waiting  attempt 2 of 5, next in WAIT: unavailable: PagerDuty answered 503
			  ✓ create  pagerduty.create_user  520 ms  2 attempts
			  ✗ each    lua                    2.5 s  1 of 3 failed; item 2: conflict: the address is taken
			  ✓ clean   lua                    1 ms
			  – after   lua                    skipped  not run`)
	if diff := cmp.Diff(want, steady(s.String())); diff != "" {
		t.Errorf("the output differs (-want +got):\n%s", diff)
	}
}

// TestResumedProgress: a resumed run shows the steps that were done before.
func TestResumedProgress(t *testing.T) {
	plan, r := loopEvents(t)
	cut := 5
	resumed := (&madeRun{events: append([]run.Event{}, r.events[:cut]...), at: r.events[cut-1].Time}).
		add(time.Hour, run.Event{Kind: run.EventResumed}).begin(0, "each", 0, 1)
	for _, height := range []int{0, 30} {
		view, s := watching(plan, 120, height, resumed.events[:cut]...)
		observe(view, resumed.events[cut:])
		view.Stop()
		want := "onboard · run 01M838X2C49BQ51PYP0AY6GBY9 · resumed\n  ✓ create  pagerduty.create_user  520 ms  2 attempts"
		if got := s.String(); !strings.HasPrefix(got, want) {
			t.Errorf("at height %d: got\n%s\nwant it to begin with\n%s", height, got, want)
		}
	}
}

// TestQueuedProgress: a queued run shows what it waits for.
func TestQueuedProgress(t *testing.T) {
	plan, r := loopEvents(t)
	start := r.events[0].Started
	queued := (&madeRun{}).
		add(0, run.Event{Kind: run.EventQueued, Started: start, Reason: `the concurrency group "x" is busy with 01A`}).
		add(time.Second, run.Event{Kind: run.EventStarted, Started: start})
	view, s := watching(plan, 120, 0)
	observe(view, queued.events)
	want := "onboard · run 01M838X2C49BQ51PYP0AY6GBY9\n  waiting: the concurrency group \"x\" is busy with 01A"
	if diff := cmp.Diff(want, s.String()); diff != "" {
		t.Errorf("the output differs (-want +got):\n%s", diff)
	}
}

// TestProgressFits: no line wraps on a narrow terminal, and a low terminal shows the running steps.
func TestProgressFits(t *testing.T) {
	var steps []workflow.PlanStep
	r := (&madeRun{}).started(nil)
	for i := range 40 {
		id := fmt.Sprintf("step_%d", i+1)
		steps = append(steps, planned(t, id, "pagerduty.create_user", 0))
		if i < 30 {
			r.begin(ms, id, 0, 1).ended(ms, id, 0, 1, nil)
		}
	}
	r.begin(ms, "step_31", 0, 1).add(0, run.Event{Kind: run.EventLogged, Step: "step_31", Log: &action.LogRecord{Level: "info", Message: "hello"}})
	for _, width := range []int{20, 40, 80} {
		view, s := watching(handPlan(steps...), width, 12)
		observe(view, r.events)
		view.Stop()
		got := s.String()
		if n := strings.Count(got, "\n"); n > 12 {
			t.Errorf("at %d columns: got %d lines, want as many as the terminal has", width, n)
		}
		if !strings.Contains(got, "● step_31") || !strings.Contains(got, "… and 31 steps") {
			t.Errorf("at %d columns: the running step, or the number of the other steps, is missing:\n%s", width, got)
		}
		for _, line := range linesOf(got)[2:] { // the header and the log line may wrap: they are drawn once
			if console.Columns(line) >= width {
				t.Errorf("at %d columns: the line %q would wrap", width, line)
			}
		}
	}
}

// TestLinesAboveTheLiveView: a line that is printed while the view is drawn stays above the drawn lines.
func TestLinesAboveTheLiveView(t *testing.T) {
	plan, r := loopEvents(t)
	view, s := watching(plan, 120, 30)
	observe(view, r.events[:2])
	view.console.Say("pdflow: stopping")
	observe(view, r.events[2:4])
	view.Stop()
	got := linesOf(s.String())
	if len(got) != 5 || got[1] != "pdflow: stopping" {
		t.Errorf("got\n%s\nwant the line below the header and above three steps", s)
	}
}
