package workflow_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDefaultInputs proves that a default satisfies a required input, in a `uses:` step
// and in a call of a script, and that the calls of the plan include the default.
func TestDefaultInputs(t *testing.T) {
	plan, err := newLanguage(t).compile("w.yaml", `
inputs:
  key: {type: string, secret: true, service_key: true}
permissions: {pagerduty: [create_user, send_trigger_event]}
connection: main
defaults:
  with: {from_email: ops@example.com, service_key: "${{ inputs.key }}"}
steps:
  - uses: pagerduty.create_user
    with: {email: ann@example.com, name: Ann}
  - connection: europe
    lua: |
      pagerduty.create_user{email = "bob@example.com", name = "Bob"}
      pagerduty.send_trigger_event{description = "x"}
  - uses: pagerduty.create_user
    with: {email: ann@example.com, name: Ann, from_email: own@example.com}
`)
	if err != nil {
		t.Fatal(err)
	}
	var connections []string
	for _, call := range plan.Calls() {
		connections = append(connections, call.Connection+" "+call.Action)
		if input := map[string]string{"pagerduty.create_user": "from_email", "pagerduty.send_trigger_event": "service_key"}[call.Action]; !call.Gives(input) {
			t.Errorf("%s: got inputs %v, want %s among them", call.Action, call.Inputs, input)
		}
	}
	want := []string{"main pagerduty.create_user", "europe pagerduty.create_user", "europe pagerduty.send_trigger_event", "main pagerduty.create_user"}
	if diff := cmp.Diff(want, connections); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
