package run

import "testing"

// TestA9Deaths: deaths count since the run got further or a person resumed it.
func TestA9Deaths(t *testing.T) {
	person := &Actor{Kind: ActorUser, Name: "ann"}
	died, stopped := Event{Kind: EventResumed, Reason: Died}, Event{Kind: EventResumed}
	began, further := Event{Kind: EventStarted}, Event{Kind: EventCallReturned}
	for name, test := range map[string]struct {
		events []Event
		want   int
	}{
		"none":                        {nil, 0},
		"began":                       {[]Event{began}, 0},
		"died":                        {[]Event{began, died, died, died}, 3},
		"stopped in between":          {[]Event{began, died, stopped, died}, 2},
		"waited for a slot":           {[]Event{began, died, {Kind: EventAdmitted}, died}, 2},
		"logged again":                {[]Event{began, died, {Kind: EventLogged}, died}, 2},
		"got further":                 {[]Event{began, died, died, further, died}, 1},
		"got further at last":         {[]Event{began, died, died, further}, 0},
		"a person resumed it":         {[]Event{began, died, died, {Kind: EventResumed, Actor: person, Reason: Died}, died}, 1},
		"a person resumed it at last": {[]Event{began, died, died, {Kind: EventResumed, Actor: person, Reason: Died}}, 0},
	} {
		if got := Deaths(test.events); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
