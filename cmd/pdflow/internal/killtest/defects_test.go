//go:build unix

package killtest

import (
	"slices"
	"testing"
)

// TestKillNoticesDefects proves that TestKill would fail if pdflow were broken. Each case breaks one
// protection (keys, recorded results, commits) in the first process of a run and kills that process at
// given moments. Then the check must find something done twice or lost. Where another protection is
// enough, the check must find nothing.
func TestKillNoticesDefects(t *testing.T) {
	tests := []struct {
		name       string
		scenario   string
		defect     defect
		killPoints []killPoint
		flaw       flaw
		least      int // how many kills must lead to the flaw at least; 0: none may
	}{
		{"pages without keys", "fanout", keysOff, everyReply(7), double, 3}, // a commit of a parallel branch may record the answer in time
		{"pages of one script without keys", "script", keysOff, []killPoint{{afterReply, 1}, {afterReply, 3}, {afterReply, 5}}, double, 3},
		{"pages of branches without keys", "branches", keysOff, everyReply(5), double, 2},
		{"users need no keys", "team", keysOff, everyReply(4), double, 0},
		{"orders need no keys", "orders", keysOff, everyReply(4), double, 0},
		{"pages without results", "script", resultsOff, []killPoint{lastEvent}, double, 1},
		{"orders without results", "once", resultsOff, []killPoint{lastEvent}, double, 1},
		{"users are looked for", "team", resultsOff, []killPoint{lastEvent}, double, 0},
		{"pages keep their keys without commits", "events", commitsOff, []killPoint{{afterReply, 1}}, double, 0},
		{"events without commits", "events", commitsOff, []killPoint{{kept, 4}, {kept, 9}}, lost, 2},
		{"intents without commits", "events", commitsOff, []killPoint{{afterIntent, 1}, {afterIntent, 3}}, lost, 2},
		{"orders without commits", "orders", commitsOff, []killPoint{{afterReply, 4}}, double, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := named(test.scenario)
			if err != nil {
				t.Fatal(err)
			}
			c := newScenarioTest(t, s, &tally{})
			seen := 0
			for _, at := range test.killPoints {
				if at == lastEvent {
					at.Count = c.events()
				}
				f := c.trial(delivered)
				f.killPoints, f.defect = []killPoint{at}, test.defect
				found := f.run()
				if f.kills == 0 {
					t.Fatalf("the kill point %v was never reached", at)
				}
				t.Logf("killed at %v: %v", at, found)
				if slices.ContainsFunc(found, func(f finding) bool { return f.flaw == test.flaw }) {
					seen++
				}
			}
			if seen < test.least || seen > 0 && test.least == 0 {
				t.Errorf("%s: %d of %d kills led to something %s, want %d", test.defect, seen, len(test.killPoints), flawNames[test.flaw], test.least)
			}
		})
	}
}

// everyReply returns a kill point after each of a number of answers.
func everyReply(replies int) []killPoint {
	var killPoints []killPoint
	for n := range replies {
		killPoints = append(killPoints, killPoint{afterReply, n + 1})
	}
	return killPoints
}

// lastEvent is the kill point at which everything is done: the process is killed at the last event of the
// run. The test sets its count to the number of events.
var lastEvent = killPoint{At: heard}

// events returns how many events a run of the scenario has.
func (c *scenarioTest) events() int {
	f := c.trial(delivered)
	if found := f.run(); len(found) > 0 {
		c.t.Fatalf("without a kill: %v\n%s", found, f.describe())
	}
	return len(f.events)
}
