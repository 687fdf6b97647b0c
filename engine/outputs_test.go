package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
)

// TestA29OutputsAreRefusedBeforeTheyAreRecorded: what a run would record beyond its bound
// becomes a failure of the step, and the history never has it.
func TestA29OutputsAreRefusedBeforeTheyAreRecorded(t *testing.T) {
	const limits = "limits: {output: 4MB}\nsteps:\n"
	step := func(id, more string) string {
		return fmt.Sprintf("- id: %s\n  needs: []\n%s  lua: |\n    return {text = string.rep('x', 3 * 2^20)}\n", id, more)
	}
	var steps, parallel, tolerant strings.Builder
	for i := range 8 {
		id := fmt.Sprintf("s%d", i)
		steps.WriteString(strings.Replace(step(id, ""), "  needs: []\n", "", 1))
		parallel.WriteString(step(id, ""))
		tolerant.WriteString(step(id, "  continue_on_error: true\n"))
	}
	item := "- id: items\n  for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]\n  max_parallel: 4\n%s  lua: |\n    return {text = string.rep('x', 2 * 2^20)}\n"
	list := "- id: l%d\n  for_each: \"${{ (function() local t = {} for i = 1, 7 do t[i] = string.rep('x', 2^20) end return t end)() }}\"\n  lua: |\n    return {}\n"
	lists := ""
	for i := range 4 {
		lists += fmt.Sprintf(list, i)
	}
	for name, test := range map[string]struct{ source, message string }{
		"one after another":      {limits + steps.String(), "outputs of all steps of the run have more than 16MB together"},
		"at the same time":       {limits + parallel.String(), "outputs of all steps"},
		"failures that may be":   {limits + tolerant.String(), ""},
		"items":                  {limits + fmt.Sprintf(item, ""), "outputs of all steps"},
		"a retry does not help":  {limits + fmt.Sprintf(item, "  retry: 3\n"), "outputs of all steps"},
		"on_failure and finally": {limits + steps.String() + "on_failure:\n" + strings.Replace(step("f", ""), "  needs: []\n", "", 1) + "finally:\n" + strings.Replace(step("g", ""), "  needs: []\n", "", 1), "outputs of all steps"},
		"lists":                  {limits + lists, "lists of all for_each steps of the run have more than 16MB together"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness()
			h.id = "A29"
			r := h.run(t, test.source)
			if test.message != "" && (r.Error == nil || r.Error.Kind != action.Limit || !strings.Contains(r.Error.Message, test.message)) {
				t.Errorf("got %s, %v, want a failure with %q", r.Status, r.Error, test.message)
			}
			recorded, listed := 0, 0
			for _, e := range h.events {
				if e.Outcome != nil {
					recorded += attempt.Size(e.Outcome.Outputs)
				}
				listed += attempt.Size(e.Items)
			}
			if recorded > run.MaxOutputs || listed > run.MaxOutputs {
				t.Errorf("recorded %d bytes of outputs and %d bytes of lists", recorded, listed)
			}
		})
	}
}

// TestA29OutputsOfTheRun: the outputs of a run have a bound together, too.
func TestA29OutputsOfTheRun(t *testing.T) {
	source := "limits: {output: 4MB}\nsteps:\n- id: s\n  lua: |\n    return {text = string.rep('x', 200000)}\noutputs:\n"
	for i := range 100 {
		source += fmt.Sprintf("  o%d: \"${{ steps.s.outputs.text }}\"\n", i)
	}
	h := newHarness()
	r := h.run(t, source)
	if r.Error == nil || r.Error.Kind != action.Limit || len(r.Outputs) > 0 {
		t.Errorf("got %s, %v, want the outputs to be refused", r.Status, r.Error)
	}
}
