package times

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func seconds(s float64) object { return object{"seconds": s} }

func TestTime(t *testing.T) {
	const noon = 1769860800.0 // 2026-01-31T12:00:00Z
	text := func(s string) object { return object{"text": s} }
	actiontest.Run(t, Actions(), action.Scope{Clock: actiontest.NewClock()}, []actiontest.Row{
		{Action: "time.now", Want: seconds(noon - 3*3600)},
		{Action: "time.parse", Input: text("2026-01-31T12:00:00Z"), Want: seconds(noon)},
		{Action: "time.parse", Input: text("2026-01-31T13:00:00.25+01:00"), Want: seconds(noon + 0.25)},
		{Action: "time.parse", Input: text("31.1.2026"), Kind: action.InvalidInput, Says: "give time.parse a layout"},
		{Action: "time.parse", Input: object{"text": "31.1.2026 13:00", "layout": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}, Want: seconds(noon)},
		{Action: "time.parse", Input: object{"text": "2026-01-31", "timezone": "Mars/Base"}, Kind: action.InvalidInput, Says: "IANA name"},
		{Action: "time.parse", Input: object{"text": "2026-01-31T12:00:00Z", "timezone": "Local"}, Kind: action.InvalidInput, Says: "IANA name"},
		{Action: "time.format", Input: object{"time": noon}, Want: text("2026-01-31T12:00:00Z")},
		{Action: "time.format", Input: object{"time": noon + 0.25, "timezone": "Asia/Kolkata"}, Want: text("2026-01-31T17:30:00.25+05:30")},
		{Action: "time.format", Input: object{"time": "2026-01-31T12:00:00Z", "layout": "%A %d %B, %I:%M %p %Z", "timezone": "America/New_York"}, Want: text("Saturday 31 January, 07:00 AM EST")},
		{Action: "time.format", Input: object{"time": 0.0, "layout": strings.Repeat("%A", 600)}, Kind: action.InvalidInput, Says: "at most 1024"},
		{Action: "time.parse", Input: object{"text": "%", "layout": strings.Repeat("%%", 600)}, Kind: action.InvalidInput, Says: "at most 1024"},
		{Action: "time.format", Input: object{"time": 0.0, "layout": "%Q"}, Kind: action.InvalidInput, Says: "known: %Y %m %d %H %M %S"},
		{Action: "time.format", Input: object{"time": 0.0, "layout": "100%"}, Kind: action.InvalidInput, Says: `unknown directive "%"`},
		{Action: "time.format", Input: object{"time": 0.0, "layout": "%ä"}, Kind: action.InvalidInput, Says: `unknown directive "%ä"`},
		{Action: "time.format", Input: object{"time": true}, Kind: action.InvalidInput, Says: "a number of seconds"},
		{Action: "time.format", Input: object{"time": 1e12}, Kind: action.InvalidInput, Says: "years 0 to 9999"},
		{Action: "time.add", Input: object{"time": noon, "duration": "1h30m"}, Want: seconds(noon + 5400)},
		{Action: "time.add", Input: object{"time": noon, "duration": "-1d"}, Want: seconds(noon - 86400)},
		{Action: "time.add", Input: object{"time": noon, "duration": -0.5}, Want: seconds(noon - 0.5)},
		{Action: "time.add", Input: object{"time": "2026-01-31T12:00:00Z", "duration": 1.0}, Want: seconds(noon + 1)},
		{Action: "time.add", Input: object{"time": noon, "duration": "soon"}, Kind: action.InvalidInput, Says: `"soon" is not a duration`},
		{Action: "time.add", Input: object{"time": noon, "duration": "--1s"}, Kind: action.InvalidInput, Says: "is not a duration"},
		{Action: "time.add", Input: object{"time": "9999-12-31T23:00:00Z", "duration": "1d"}, Kind: action.InvalidInput, Says: "years 0 to 9999"},
	})
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "time.now", Kind: action.Permission, Says: "no clock"},
		{Action: "time.sleep", Input: object{"duration": "1s"}, Kind: action.Permission, Says: "no clock"},
	})
}

func TestSleepIsTheRunsClock(t *testing.T) {
	clock := actiontest.NewClock()
	actiontest.Run(t, Actions(), action.Scope{Clock: clock}, []actiontest.Row{
		{Action: "time.sleep", Input: object{"duration": "90s"}, Want: object{}},
		{Action: "time.sleep", Input: object{"duration": 0.5}, Want: object{}},
		{Action: "time.sleep", Input: object{"duration": "-1s"}, Kind: action.InvalidInput, Says: "must be a duration"},
	})
	if diff := cmp.Diff([]time.Duration{90 * time.Second, 500 * time.Millisecond}, clock.Slept()); diff != "" {
		t.Errorf("slept (-want +got):\n%s", diff)
	}
}

func TestLayoutReadsWhatItWrites(t *testing.T) {
	at := time.Date(2024, 2, 29, 0, 5, 9, 0, time.UTC)
	for _, text := range []string{
		"%Y-%m-%dT%H:%M:%S%z", "%a, %d %b %Y %I:%M:%S %p %Z", "%A %j of %Y, %H.%M.%S", "%s", "%B %d %Y %%%H%M%S",
	} {
		l, err := newLayout(text)
		if err != nil {
			t.Fatal(err)
		}
		written := l.format(at)
		got, err := l.parse(written, time.UTC)
		if err != nil || !got.Equal(at) {
			t.Errorf("%q wrote %q and read %v, %v", text, written, got, err)
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	for _, test := range []struct{ layout, text, says string }{
		{"%Y-%m-%d", "2026-02-30", "there is no such day in 2026"},
		{"%Y-%j", "2026-366", "there is no such day in 2026"},
		{"%Y-%m-%d %j", "2026-02-01 033", "2026-02-01 is not day 33 of its year"},
		{"%a %Y-%m-%d", "Mon 2026-01-31", "2026-01-31 is a Saturday"},
		{"%m", "13", `"13" does not start with a month from 1 to 12`},
		{"%H", "x", `"x" does not start with a hour from 0 to 23`},
		{"%Y", "26", `"26" does not start with a year of four digits`},
		{"%Y", "2026!", `"!" is left at the end`},
		{"at %H", "um 5", `"um 5" does not start with "at "`},
		{"%Z", "IST", "other abbreviations are ambiguous"},
		{"%z", "+1", "an offset such as +0100"},
		{"%b", "Foo", `"Foo" does not start with a month`},
		{"%s", "-", "seconds since 1970"},
	} {
		_, err := actiontest.Call(Actions(), action.Scope{}, "time.parse", object{"text": test.text, "layout": test.layout})
		actiontest.CheckError(t, test.layout, err, action.InvalidInput, test.says)
	}
}

// TestOffsetIsNotAZone checks that an offset is not taken for the machine's time zone, whose
// offset differs in summer. Package time does that.
func TestOffsetIsNotAZone(t *testing.T) {
	l, err := newLayout("%Y-%m-%d %H:%M %z")
	if err != nil {
		t.Fatal(err)
	}
	for _, offset := range []string{"+0100", "+01:00"} {
		got, err := l.parse("2026-07-01 12:00 "+offset, time.UTC)
		if want := time.Date(2026, 7, 1, 11, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v, want %v", offset, got, err, want)
		}
	}
}

func FuzzTimeLayout(f *testing.F) {
	f.Add("%Y-%m-%d %H:%M:%S %z", "2026-01-31 09:00:00 +0100", 0.0)
	f.Add("%a %A %b %B %p %I %j %Z %s %%", "Sat", -1e9)
	f.Add("%", "\xff", 1e11)
	f.Fuzz(func(t *testing.T, layout, text string, at float64) {
		_, _ = actiontest.Call(Actions(), action.Scope{}, "time.parse", object{"text": text, "layout": layout})
		written, err := actiontest.Call(Actions(), action.Scope{}, "time.format", object{"time": at, "layout": "%Y-%m-%d %H:%M:%S " + layout})
		if err != nil {
			return
		}
		read, err := actiontest.Call(Actions(), action.Scope{}, "time.parse", object{"text": written["text"], "layout": "%Y-%m-%d %H:%M:%S " + layout})
		if err != nil {
			return // adjacent directives are ambiguous
		}
		if again, err := actiontest.Call(Actions(), action.Scope{}, "time.format", object{"time": read["seconds"]}); err != nil {
			t.Fatalf("%v was parsed and cannot be formatted: %v", again, err)
		}
	})
}

// TestT7SleepWaitsForWhatIsLeft checks that a resumed run does not wait twice, and never
// longer than the whole wait: the clock may have been set back since.
func TestT7SleepWaitsForWhatIsLeft(t *testing.T) {
	tests := map[string]struct {
		started time.Duration // before now
		want    []time.Duration
	}{
		"started now":          {0, []time.Duration{90 * time.Second}},
		"half of it is over":   {45 * time.Second, []time.Duration{45 * time.Second}},
		"all of it is over":    {90 * time.Second, nil},
		"it was over long ago": {time.Hour, nil},
		"the clock went back":  {-2 * time.Second, []time.Duration{90 * time.Second}},
		"by hours":             {-2 * time.Hour, []time.Duration{90 * time.Second}},
		"by a year":            {-365 * 24 * time.Hour, []time.Duration{90 * time.Second}},
		"by less than passed":  {30 * time.Second, []time.Duration{60 * time.Second}},
		"it went on by a year": {365 * 24 * time.Hour, nil},
		"without a run":        {-1, []time.Duration{90 * time.Second}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clock := actiontest.NewClock()
			scope := action.Scope{Clock: clock}
			if test.started != -1 {
				scope.Since = actiontest.Start.Add(-test.started)
			}
			invocation, err := actiontest.Prepare(Actions(), "time.sleep", object{"duration": "90s"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := invocation.Do(action.WithScope(context.Background(), scope), nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, clock.Slept()); diff != "" {
				t.Errorf("slept (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRepeats checks that a retry gets the recorded time, unless it asks for a new one,
// and that it waits again.
func TestRepeats(t *testing.T) {
	actiontest.CheckRepeats(t, Actions(), []actiontest.Repeat{
		{Action: "time.now", Input: object{}, Effect: action.Reads, Memoized: true, ResendLate: true, Known: object{}},
		{Action: "time.now", Input: object{"fresh": true}, Effect: action.Reads, ResendLate: true, Known: object{}},
		{Action: "time.sleep", Input: object{"duration": "1s"}, Effect: action.Reads, ResendLate: true, Known: object{}},
	})
}
