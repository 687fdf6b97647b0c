package workflow

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
)

// noChecker accepts every chunk.
type noChecker struct{}

func (noChecker) Check(Chunk) (Program, []Finding) { return noProgram{}, nil }

type noProgram struct{}

func (noProgram) References() []Reference { return nil }
func (noProgram) Requires() []Require     { return nil }

// asks is a workflow that asks for something of everything that has a ceiling.
const asks = `limits: {memory: %s, instructions: %s, output: %s, time: %s}
timeout: %s
resume_within: %s
steps:
- id: a
  timeout: %s
  for_each: [1]
  max_parallel: %s
  retry: {max_attempts: %s, delay: %s, max_delay: %[10]s}
  limits: {memory: %[1]s}
  lua: |
    return {}
`

func problemsOf(t *testing.T, c Ceilings, values ...any) source.Problems {
	t.Helper()
	w, err := Parse("w.yaml", fmt.Appendf(nil, asks, values...))
	if err != nil {
		t.Fatal(err)
	}
	w.Ceilings = c
	catalog, err := action.NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(w, catalog, noChecker{})
	var problems source.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatal(err)
	}
	return problems
}

// TestA10Ceilings: what a workflow asks for beyond the ceilings is an error at its line,
// for every limit, and what is at the ceiling is not.
func TestA10Ceilings(t *testing.T) {
	small := []any{"64MB", "1000", "1KB", "1s", "1m", "1m", "1m", "2", "2", "1s"}
	operator := Ceilings{
		Memory: 64 << 20, Instructions: 1000, Output: 1 << 10, ScriptTime: time.Second, StepTimeout: time.Minute, RunTimeout: time.Minute,
		ResumeWithin: time.Minute, RetryDelay: time.Second, Attempts: 2, Parallel: 2,
	}
	if got := problemsOf(t, operator, small...); len(got) > 0 {
		t.Errorf("got %v at the ceilings", got)
	}
	larger := []any{"65MB", "1001", "2KB", "1001ms", "61s", "61s", "61s", "3", "3", "2s"}
	lines := []string{"1 12", "1", "1", "1", "2", "3", "6", "8", "9", "9 9"}
	for i := range larger {
		values := append([]any{}, small...)
		values[i] = larger[i]
		got := problemsOf(t, operator, values...)
		var at []string
		for _, p := range got {
			at = append(at, fmt.Sprint(p.Line))
			if p.Rule != "ceiling" || p.Severity != source.SeverityError || p.Column == 0 || !strings.Contains(p.Message, "more than") {
				t.Errorf("got %+v", p)
			}
		}
		if want := strings.ReplaceAll(lines[i], "12", "10"); strings.Join(at, " ") != want {
			t.Errorf("%v: got problems in the lines %v, want %s", larger[i], at, want)
		}
	}
}

// TestA10DefaultCeilings: without an operator, a workflow cannot ask for what no script
// needs; and a recorded workflow is never refused.
func TestA10DefaultCeilings(t *testing.T) {
	got := problemsOf(t, Ceilings{}, "1000GB", "1000", "1KB", "100000h", "1m", "1m", "1m", "2", "2", "1s")
	if len(got) != 3 || got[0].Line != 1 || !strings.Contains(got[0].Message, "memory is 1000GB, more than the 1GB that this machine allows") ||
		!strings.Contains(got[1].Message, "time is 100000h0m0s, more than the 1h0m0s") {
		t.Errorf("got %v", got)
	}
	w, err := Restore([]Source{{Name: "w.yaml", Text: []byte("limits: {memory: 1000GB}\nsteps:\n- lua: |\n    return {}\n")}})
	if err != nil {
		t.Fatal(err)
	}
	catalog, _ := action.NewCatalog()
	if _, err := Compile(w, catalog, noChecker{}); err != nil {
		t.Errorf("got %v for a recorded workflow", err)
	}
}

// TestA10LimitsAreWithinTheCeilings: a step that sets no limits gets no more than the
// ceilings either.
func TestA10LimitsAreWithinTheCeilings(t *testing.T) {
	got := Ceilings{Memory: 1 << 20, ScriptTime: time.Second}.Within(Limits{Memory: 1 << 40})
	want := Limits{Instructions: DefaultInstructions, Memory: 1 << 20, Output: DefaultOutput, Time: time.Second}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Ceilings{}).Timeout(1 << 62); got != DefaultCeilings.StepTimeout {
		t.Errorf("got the timeout %s", got)
	}
}

// TestA10Defaults: what a workflow does not set is within the ceilings of the machine too.
func TestA10Defaults(t *testing.T) {
	w, err := Parse("w.yaml", []byte("steps:\n- id: a\n  retry: {max_attempts: 3}\n  lua: |\n    return {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.Ceilings = Ceilings{RunTimeout: 5 * time.Second, ResumeWithin: 6 * time.Second, RetryDelay: time.Millisecond}
	catalog, err := action.NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(w, catalog, noChecker{})
	if err != nil {
		t.Fatal(err)
	}
	retry := plan.Steps[0].Retry
	if got := plan.Workflow; got.Timeout != 5*time.Second || got.ResumeWithin != 6*time.Second || retry.Delay != time.Millisecond || retry.MaxDelay != time.Millisecond {
		t.Errorf("got the timeout %s, resume_within %s and the retry %+v", got.Timeout, got.ResumeWithin, retry)
	}
}
