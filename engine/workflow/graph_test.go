package workflow_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// planned returns, for each step of a plan, the ids of the steps that it needs and of
// the steps that it reads.
func planned(p *workflow.Plan) map[string]string {
	ids := func(indexes []int) string {
		var list []string
		for _, i := range indexes {
			list = append(list, p.Steps[i].ID)
		}
		return strings.Join(list, " ")
	}
	steps := map[string]string{}
	for i := range p.Steps {
		steps[p.Steps[i].ID] = fmt.Sprintf("%s needs (%s) reads (%s)", p.Steps[i].Part, ids(p.Steps[i].Needs), ids(p.Steps[i].Reads))
	}
	return steps
}

// TestGraph proves which steps a step runs after, and so which steps it may read: all
// that it needs, directly or through others.
func TestGraph(t *testing.T) {
	plan, err := newLanguage(t).compile("g.yaml", `
steps:
  - {id: a, uses: uuid.new}
  - {id: b, uses: uuid.new}
  - {id: left, needs: [a], uses: uuid.new}
  - {id: right, needs: a, uses: uuid.new}
  - {id: alone, needs: [], uses: uuid.new}
  - id: early
    needs: [late]
    lua: |
      return {steps.late.outputs, steps.left.status, steps.a.status}
  - {id: late, needs: [left, right], uses: uuid.new}
  - id: after
    lua: |
      return steps
on_failure:
  - id: told
    lua: |
      return steps.alone.status .. steps.b.status
  - {id: more, if: steps.told.status == "success", uses: uuid.new}
finally:
  - id: clean
    lua: |
      return steps.told.status .. (failure and failure.kind or "")
`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"a": "steps needs () reads ()", "b": "steps needs (a) reads ()", "left": "steps needs (a) reads ()",
		"right": "steps needs (a) reads ()", "alone": "steps needs () reads ()", "late": "steps needs (left right) reads ()",
		"early": "steps needs (late) reads (a left late)", "after": "steps needs (late) reads (a left right late)",
		"told": "on_failure needs () reads (b alone)", "more": "on_failure needs () reads (told)", "clean": "finally needs () reads (told)",
	}
	if diff := cmp.Diff(want, planned(plan)); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
}

// TestVisibility proves, for each pair of steps of a graph, whether the first may read
// the second.
func TestVisibility(t *testing.T) {
	const graph = `
steps:
  - {id: a, uses: uuid.new}
  - {id: b, uses: uuid.new}
  - {id: c, needs: [a], uses: uuid.new}
  - {id: d, uses: uuid.new}
  - {id: e, needs: [], uses: uuid.new}
  - {id: f, needs: [b, d], uses: uuid.new}
  - {id: g, needs: [f], uses: uuid.new}
on_failure: [{id: h, uses: uuid.new}, {id: i, uses: uuid.new}]
finally: [{id: j, uses: uuid.new}, {id: k, uses: uuid.new}]
`
	sees := map[string]string{
		"a": "", "b": "a", "c": "a", "d": "ac", "e": "", "f": "abcd", "g": "abcdf",
		"h": "abcdefg", "i": "abcdefgh", "j": "abcdefghi", "k": "abcdefghij",
	}
	l := newLanguage(t)
	for reader, seen := range sees {
		for _, read := range "abcdefghijk" {
			source := strings.Replace(graph, "{id: "+reader+",", fmt.Sprintf("{id: %s, if: steps.%c.status == nil,", reader, read), 1)
			_, err := l.compile("v.yaml", source)
			if got, want := err == nil, strings.ContainsRune(seen, read); got != want {
				t.Errorf("%s reads %c: got %v, want %v (%v)", reader, read, got, want, err)
			}
		}
	}
}

// TestCircles proves that each circle is reported once, with all its steps, at a
// `needs` that is part of it.
func TestCircles(t *testing.T) {
	tests := map[string]struct {
		steps []string // the needs of s0, s1, ...; "" is the step above
		want  []string
	}{
		"none":                  {[]string{"", "", "[s0]"}, nil},
		"two":                   {[]string{"[s1]", "[s0]"}, []string{"c.yaml:2:22: these steps wait for each other, each for the next: s0 -> s1 -> s0"}},
		"through the one above": {[]string{"[s2]", "", ""}, []string{"c.yaml:2:22: these steps wait for each other, each for the next: s0 -> s2 -> s1 -> s0"}},
		"behind others":         {[]string{"", "[s0, s3]", "", ""}, []string{"c.yaml:3:26: these steps wait for each other, each for the next: s1 -> s3 -> s2 -> s1"}},
		"two circles": {[]string{"[s1]", "[s0]", "[s3]", "[s2]"}, []string{
			"c.yaml:2:22: these steps wait for each other, each for the next: s0 -> s1 -> s0", "c.yaml:4:22: these steps wait for each other, each for the next: s2 -> s3 -> s2",
		}},
		"itself": {[]string{"", "[s1]"}, []string{`c.yaml:3:22: the step "s1" needs itself`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := "steps:\n"
			for i, needs := range test.steps {
				if needs != "" {
					needs = "needs: " + needs + ", "
				}
				text += fmt.Sprintf("  - {id: s%d, %suses: uuid.new}\n", i, needs)
			}
			_, err := newLanguage(t).compile("c.yaml", text)
			var got []string
			if err != nil {
				for _, d := range err.(source.Problems) {
					d.Hint = ""
					got = append(got, d.String())
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// graphs has the keys of a step, for several ways in which steps follow each other.
var graphs = map[string]func(i int) string{
	"chain":    func(int) string { return "" },
	"explicit": func(i int) string { return fmt.Sprintf("needs: [s%d], ", max(i-1, 0)) },
	"fan":      func(int) string { return "needs: [s0], " },
	"first":    func(i int) string { return fmt.Sprintf("if: steps.s0.status == %d, ", i) },
}

// graphOf returns a file of n steps and one that runs after the last.
func graphOf(n int, keys func(i int) string) string {
	var b strings.Builder
	b.WriteString("steps:\n- {id: s0, uses: uuid.new}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "- {id: s%d, %suses: uuid.new}\n", i, keys(i))
	}
	b.WriteString("- {id: last, if: steps.s0.status == 1, uses: uuid.new}\n")
	return b.String()
}

// TestLargeGraphs proves that the memory of a check grows with the number of steps and
// not with the square.
func TestLargeGraphs(t *testing.T) {
	l := newLanguage(t)
	for name, keys := range graphs {
		t.Run(name, func(t *testing.T) {
			allocated := func(n int) uint64 {
				source := graphOf(n, keys)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				plan, err := l.compile("large.yaml", source)
				runtime.ReadMemStats(&after)
				if err != nil {
					t.Fatal(err)
				}
				if last := plan.Steps[n]; len(last.Needs) != 1 || last.Needs[0] != n-1 || len(last.Reads) != 1 || last.Reads[0] != 0 {
					t.Errorf("got needs %v and reads %v, want the step above and the first", last.Needs, last.Reads)
				}
				return after.TotalAlloc - before.TotalAlloc
			}
			allocated(10) // what is made once
			few, many := allocated(1000), allocated(10_000)
			t.Logf("%d and %d bytes, %.2f times", few, many, float64(many)/float64(few))
			if many > few*105/10 {
				t.Errorf("got %d bytes for 10 times the steps of %d, want at most 10.5 times as many", many, few)
			}
		})
	}
}
