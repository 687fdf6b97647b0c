package workflow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pdflow/pdflow/engine/workflow"
)

// TestTriggerNeedsKey proves where a call without a key gets a warning: where another
// run, or another attempt, would open another incident.
func TestTriggerNeedsKey(t *testing.T) {
	const uses = "steps:\n- {id: p, %suses: pagerduty.send_trigger_event, with: {description: d%s}}\n"
	const script = "steps:\n- id: p\n  %s\n  lua: |\n    %s\n    pagerduty.send_trigger_event{description = %s}\n"
	const daily = "schedule: \"@daily\"\n"
	const lookUp = "local r = net.lookup('example.com')"
	const anotherPage = "builds another page opens another incident"
	tests := map[string]struct{ source, want string }{
		"a schedule":                      {daily + fmt.Sprintf(uses, "", ""), "k.yaml:5:17: warning: without incident_key every run of the schedule opens another incident (add what it is about to `with`"},
		"a schedule, with a key":          {daily + fmt.Sprintf(uses, "", ", incident_key: k"), ""},
		"a schedule, with a failure":      {daily + "steps: [uses: uuid.new]\non_failure:\n- {uses: pagerduty.send_trigger_event, with: {description: '${{ failure.message }}'}}\n", "every run of the schedule"},
		"no schedule":                     {fmt.Sprintf(uses, "", ""), ""},
		"a retry of fixed inputs":         {fmt.Sprintf(uses, "retry: 3, ", ""), ""},
		"a retry that reads":              {fmt.Sprintf(script, "retry: 3", lookUp, "'at ' .. #r.addresses"), "k.yaml:8:15: warning: without incident_key a retry that reads something else and " + anotherPage},
		"a retry that reads afterwards":   {fmt.Sprintf(script, "retry: 3", "local text = inputs.x", "text}\n    "+lookUp+" log.info{message = text"), anotherPage},
		"a retry that reads in a module":  {fmt.Sprintf(script, "retry: 3", "local r = require('m')", "r"), anotherPage},
		"a retry with another time":       {fmt.Sprintf(script, "retry: 3", "local t = time.now{fresh = true}", "'at ' .. t"), anotherPage},
		"a retry with other details":      {fmt.Sprintf(script, "retry: 3", lookUp, "'d', details = {found = r.found}"), anotherPage},
		"a retry with the same time":      {fmt.Sprintf(script, "retry: 3", "local t = time.now() time.sleep('1s')", "'at ' .. t"), ""},
		"a retry of what was known":       {fmt.Sprintf(script, "retry: 3", "local x = inputs.x", "'at ' .. x"), ""},
		"a retry of a literal text":       {fmt.Sprintf(script, "retry: 3", lookUp, "'d'"), ""},
		"a retry with a key":              {fmt.Sprintf(script, "retry: 3", lookUp, "r.found, incident_key = 'k'"), ""},
		"a retry with an unknown table":   {fmt.Sprintf(script, "retry: 3", lookUp, "r.found, [inputs.x] = 1"), ""},
		"one attempt":                     {fmt.Sprintf(script, "retry: 1", lookUp, "'at ' .. #r.addresses"), ""},
		"a schedule, in a script":         {daily + fmt.Sprintf(script, "retry: 3", "", "'d'"), "every run of the schedule opens another incident (add what it is about, such as incident_key ="},
		"a schedule, with an open table":  {daily + fmt.Sprintf(script, "timeout: 5s", "", "'d', [inputs.x] = 1"), ""},
		"a schedule, with a built table":  {daily + "steps:\n- id: p\n  lua: |\n    local t = {description = 'd'}\n    pagerduty.send_trigger_event(t)\n", ""},
		"a schedule, and another event":   {daily + "steps: [{uses: pagerduty.send_resolve_event, with: {incident_key: k}}]\n", ""},
		"a schedule, at the call's place": {daily + "steps:\n- lua: |\n    local p = pagerduty.send_trigger_event{description = 'd'}\n", "k.yaml:6:25: warning: without incident_key every run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLanguage(t)
			parsed, _ := workflow.Parse("k.yaml", []byte("permissions: {net: [\"example.com:*\"]}\ninputs: {x: {type: string}}\n"+test.source))
			parsed.Files = fstest.MapFS{"m.lua": {Data: []byte("return net.lookup('example.com').found and 'up' or 'down'")}}
			plan, err := workflow.Compile(parsed, l.catalog, l.interpreter)
			if err != nil {
				t.Fatal(err)
			}
			got := plan.Warnings.Error()
			if !strings.Contains(got, test.want) || test.want == "" && got != "" {
				t.Errorf("got %q, want a warning with %q", got, test.want)
			}
			for _, w := range plan.Warnings {
				if w.Rule != "trigger-needs-key" {
					t.Errorf("got the rule %s", w.Rule)
				}
			}
		})
	}
}

// TestShippedRunbooks proves that the runbooks of this repository have no warnings.
func TestShippedRunbooks(t *testing.T) {
	l := newLanguage(t)
	files, err := filepath.Glob("../../workflows/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".world.yaml") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := l.compile(name, string(source))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(plan.Warnings) > 0 {
			t.Errorf("%s: got %v, want no warning", name, plan.Warnings)
		}
	}
}
