//go:build unix

package killtest

import (
	"slices"
	"testing"
)

// TestKillControls breaks what keeps things from happening twice, or from getting
// lost, one at a time: the kill test must see it. What another means protects
// stays whole.
func TestKillControls(t *testing.T) {
	tests := []struct {
		name     string
		scenario string
		sabotage sabotage
		traps    []trap
		flaw     flaw
		least    int // how many deaths lead to the flaw, at least; 0: none does
	}{
		{"pages without keys", "fanout", keysOff, everyReply(7), double, 3}, // a commit of a branch beside it may record the answer in time
		{"pages of one script without keys", "script", keysOff, []trap{{afterReply, 1}, {afterReply, 3}, {afterReply, 5}}, double, 3},
		{"pages of branches without keys", "branches", keysOff, everyReply(5), double, 2},
		{"users need no keys", "team", keysOff, everyReply(4), double, 0},
		{"orders need no keys", "orders", keysOff, everyReply(4), double, 0},
		{"pages without results", "script", resultsOff, []trap{lastEvent}, double, 1},
		{"orders without results", "once", resultsOff, []trap{lastEvent}, double, 1},
		{"users are looked for", "team", resultsOff, []trap{lastEvent}, double, 0},
		{"pages keep their keys without commits", "events", commitsOff, []trap{{afterReply, 1}}, double, 0},
		{"events without commits", "events", commitsOff, []trap{{kept, 4}, {kept, 9}}, lost, 2},
		{"intents without commits", "events", commitsOff, []trap{{afterIntent, 1}, {afterIntent, 3}}, lost, 2},
		{"orders without commits", "orders", commitsOff, []trap{{afterReply, 4}}, double, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := named(test.scenario)
			if err != nil {
				t.Fatal(err)
			}
			c := newCampaign(t, s, &score{})
			seen := 0
			for _, at := range test.traps {
				if at == lastEvent {
					at.Count = c.events()
				}
				f := c.fate(delivered)
				f.traps, f.sabotage = []trap{at}, test.sabotage
				found := f.play()
				if f.deaths == 0 {
					t.Fatalf("the trap %v was never reached", at)
				}
				t.Logf("died at %v: %v", at, found)
				if slices.ContainsFunc(found, func(f finding) bool { return f.flaw == test.flaw }) {
					seen++
				}
			}
			if seen < test.least || seen > 0 && test.least == 0 {
				t.Errorf("%s: %d of %d deaths led to something %s, want %d", test.sabotage, seen, len(test.traps), flawNames[test.flaw], test.least)
			}
		})
	}
}

// everyReply are the traps after each of so many answers.
func everyReply(replies int) []trap {
	var traps []trap
	for n := range replies {
		traps = append(traps, trap{afterReply, n + 1})
	}
	return traps
}

// lastEvent is when everything was done: the process dies as it says that the run
// has ended. The number is that of the run's events.
var lastEvent = trap{At: heard}

// events is how many a run of the scenario has.
func (c *campaign) events() int {
	f := c.fate(delivered)
	if found := f.play(); len(found) > 0 {
		c.t.Fatalf("without a death: %v\n%s", found, f.story())
	}
	return len(f.events)
}
