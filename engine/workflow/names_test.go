package workflow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNamesInPlaces proves, for each name of data and each place of a file,
// whether it may be read there.
func TestNamesInPlaces(t *testing.T) {
	everywhere := []string{"inputs", "steps", "run", "previous", "coalesce(1)"}
	inLoop := append(slices.Clone(everywhere), "item", "index")
	inParts := append(slices.Clone(everywhere), "failure")
	const step = "steps: [{id: s, %s}]"
	places := map[string]struct {
		source string
		known  []string
	}{
		"if":                   {fmt.Sprintf(step, "if: @ ~= 1, uses: uuid.new"), everywhere},
		"with":                 {fmt.Sprintf(step, `uses: json.encode, with: {value: "${{ @ }}"}`), everywhere},
		"script":               {"steps:\n- lua: |\n    return {@}\n", everywhere},
		"for_each":             {fmt.Sprintf(step, `for_each: "${{ {@} }}", uses: uuid.new`), everywhere},
		"item of a for_each":   {fmt.Sprintf(step, `for_each: [1, "${{ @ }}"], uses: uuid.new`), everywhere},
		"if of a for_each":     {fmt.Sprintf(step, "for_each: [1], if: @ ~= 1, uses: uuid.new"), inLoop},
		"with of a for_each":   {fmt.Sprintf(step, `for_each: [1], uses: json.encode, with: {value: "${{ @ }}"}`), inLoop},
		"script of a for_each": {"steps:\n- for_each: [1]\n  lua: |\n    return {@}\n", inLoop},
		"on_failure":           {"steps: [uses: uuid.new]\non_failure:\n- lua: |\n    return {@}\n", inParts},
		"finally":              {"steps: [uses: uuid.new]\nfinally: [{if: @ ~= 1, uses: uuid.new}]", inParts},
		"for_each of a part":   {"steps: [uses: uuid.new]\non_failure: [{for_each: [1], if: @ ~= 1, uses: uuid.new}]", append(slices.Clone(inLoop), "failure")},
		"outputs":              {"steps: [uses: uuid.new]\noutputs: {x: '${{ @ }}'}", everywhere},
		"concurrency":          {"steps: [uses: uuid.new]\nconcurrency: {group: '${{ tostring(@) }}', policy: skip}", []string{"inputs", "coalesce(1)"}},
	}
	all := append(slices.Clone(inLoop), "failure")
	for place, test := range places {
		t.Run(place, func(t *testing.T) {
			var known []string
			for _, name := range all {
				_, err := newLanguage(t).compile("n.yaml", strings.Replace(test.source, "@", name, 1))
				switch {
				case err == nil:
					known = append(known, name)
				case !strings.Contains(err.Error(), "there is no `"+name+"` in "):
					t.Errorf("%s: got %v", name, err)
				}
			}
			if diff := cmp.Diff(test.known, known); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPartIDs proves that the numbers of steps without an id continue from part to part.
func TestPartIDs(t *testing.T) {
	plan, err := newLanguage(t).compile("p.yaml", `
finally: [uses: uuid.new, {id: last, if: steps.step_3.status == steps.step_1.status, uses: uuid.new}]
on_failure: [uses: uuid.new]
steps: [uses: uuid.new, {id: named, uses: uuid.new}]
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range plan.Steps {
		got = append(got, fmt.Sprintf("%s: %s", s.Part, s.ID))
	}
	want := []string{"steps: step_1", "steps: named", "on_failure: step_3", "finally: step_4", "finally: last"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
