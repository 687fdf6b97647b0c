package builtins

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestSleepWaitsForWhatIsLeft: a run that was resumed does not wait twice.
func TestSleepWaitsForWhatIsLeft(t *testing.T) {
	tests := map[string]struct {
		begun time.Duration // before now
		want  []time.Duration
	}{
		"begun now":            {0, []time.Duration{90 * time.Second}},
		"half of it is over":   {45 * time.Second, []time.Duration{45 * time.Second}},
		"it is over":           {90 * time.Second, nil},
		"it has long been":     {time.Hour, nil},
		"the clock went back":  {-time.Second, []time.Duration{91 * time.Second}},
		"nobody knows of when": {-1, []time.Duration{90 * time.Second}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clock := newTestClock()
			scope := &action.Scope{Clock: clock}
			if test.begun != -1 {
				scope.Since = testTime.Add(-test.begun)
			}
			invocation, err := prepare(Config{}, "time.sleep", object{"duration": "90s"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := invocation.Do(action.WithScope(context.Background(), scope), nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, clock.slept); diff != "" {
				t.Errorf("slept (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRepeats is what a repeat of each kind of call does: what a retry gets again,
// and what may be sent late.
func TestRepeats(t *testing.T) {
	key := object{"incident_key": "k", "service_key": testServiceKey}
	post := object{"url": "https://example.com", "body": "x"}
	with := func(o object, more object) object {
		both := object{}
		for _, from := range []object{o, more} {
			for name, v := range from {
				both[name] = v
			}
		}
		return both
	}
	trigger := object{"description": "d", "service_key": testServiceKey}
	tests := []struct {
		action           string
		input            object
		recall, harmless bool
		effect           action.Effect
		output           object
	}{
		{"time.now", object{}, true, true, action.Reads, object{}},
		{"time.now", object{"fresh": true}, false, true, action.Reads, object{}},
		{"time.sleep", object{"duration": "1s"}, false, true, action.Reads, object{}},
		{"pagerduty.get_user_by_id", object{"id": "P1"}, false, true, action.Reads, object{}},
		{"pagerduty.send_trigger_event", trigger, true, false, action.Keyed, object{"incident_key": "derived", "status": "success"}},
		{"pagerduty.send_trigger_event", with(trigger, object{"incident_key": "k"}), true, true, action.Keyed, object{"incident_key": "k", "status": "success"}},
		{"pagerduty.send_acknowledge_event", key, true, false, action.Repeats, object{"incident_key": "k", "status": "success"}},
		{"pagerduty.send_resolve_event", key, true, false, action.Repeats, object{"incident_key": "k", "status": "success"}},
		{"pagerduty.delete_user_by_id", object{"id": "P1"}, true, true, action.Reconciled, object{}},
		{"http.post", post, true, true, action.Once, object{}},
		{"http.post", with(post, object{"idempotent": true}), true, true, action.Repeats, object{}},
		{"http.get", object{"url": "https://example.com"}, false, true, action.Reads, object{}},
	}
	for i, test := range tests {
		t.Run(fmt.Sprintf("%d %s", i, test.action), func(t *testing.T) {
			invocation, err := prepare(Config{}, test.action, test.input)
			if err != nil {
				t.Fatal(err)
			}
			invocation.UseKey("derived")
			if got := invocation.Effect(); got != test.effect {
				t.Errorf("got the effect %s, want %s", got, test.effect)
			}
			if got := invocation.Recall(); got != test.recall {
				t.Errorf("got %v, want a retry to get it again: %v", got, test.recall)
			}
			if got := invocation.HarmlessLate(); got != test.harmless {
				t.Errorf("got %v, want it harmless when it is late: %v", got, test.harmless)
			}
			if diff := cmp.Diff(action.Object(test.output), invocation.KnownOutput()); diff != "" {
				t.Errorf("what is known of the output (-want +got):\n%s", diff)
			}
		})
	}
}
