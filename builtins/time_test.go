package builtins

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
)

func seconds(s float64) object { return object{"seconds": s} }

func TestTime(t *testing.T) {
	const noon = 1769860800.0 // 2026-01-31T12:00:00Z
	text := func(s string) object { return object{"text": s} }
	runRows(t, Config{}, &action.Scope{Clock: newTestClock()}, []row{
		{action: "time.now", want: seconds(noon - 3*3600)},
		{action: "time.parse", input: text("2026-01-31T12:00:00Z"), want: seconds(noon)},
		{action: "time.parse", input: text("2026-01-31T13:00:00.25+01:00"), want: seconds(noon + 0.25)},
		{action: "time.parse", input: text("31.1.2026"), kind: action.InvalidInput, says: "give time.parse a layout"},
		{action: "time.parse", input: object{"text": "31.1.2026 13:00", "layout": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}, want: seconds(noon)},
		{action: "time.parse", input: object{"text": "2026-01-31", "timezone": "Mars/Base"}, kind: action.InvalidInput, says: "IANA name"},
		{action: "time.parse", input: object{"text": "2026-01-31T12:00:00Z", "timezone": "Local"}, kind: action.InvalidInput, says: "IANA name"},
		{action: "time.format", input: object{"time": noon}, want: text("2026-01-31T12:00:00Z")},
		{action: "time.format", input: object{"time": noon + 0.25, "timezone": "Asia/Kolkata"}, want: text("2026-01-31T17:30:00.25+05:30")},
		{action: "time.format", input: object{"time": "2026-01-31T12:00:00Z", "layout": "%A %d %B, %I:%M %p %Z", "timezone": "America/New_York"}, want: text("Saturday 31 January, 07:00 AM EST")},
		{action: "time.format", input: object{"time": 0.0, "layout": strings.Repeat("%A", 600)}, kind: action.InvalidInput, says: "at most 1024"},
		{action: "time.parse", input: object{"text": "%", "layout": strings.Repeat("%%", 600)}, kind: action.InvalidInput, says: "at most 1024"},
		{action: "time.format", input: object{"time": 0.0, "layout": "%Q"}, kind: action.InvalidInput, says: "known: %Y %m %d %H %M %S"},
		{action: "time.format", input: object{"time": 0.0, "layout": "100%"}, kind: action.InvalidInput, says: `unknown directive "%"`},
		{action: "time.format", input: object{"time": 0.0, "layout": "%ä"}, kind: action.InvalidInput, says: `unknown directive "%ä"`},
		{action: "time.format", input: object{"time": true}, kind: action.InvalidInput, says: "a number of seconds"},
		{action: "time.format", input: object{"time": 1e12}, kind: action.InvalidInput, says: "years 0 to 9999"},
		{action: "time.add", input: object{"time": noon, "duration": "1h30m"}, want: seconds(noon + 5400)},
		{action: "time.add", input: object{"time": noon, "duration": "-1d"}, want: seconds(noon - 86400)},
		{action: "time.add", input: object{"time": noon, "duration": -0.5}, want: seconds(noon - 0.5)},
		{action: "time.add", input: object{"time": "2026-01-31T12:00:00Z", "duration": 1.0}, want: seconds(noon + 1)},
		{action: "time.add", input: object{"time": noon, "duration": "soon"}, kind: action.InvalidInput, says: `"soon" is not a duration`},
		{action: "time.add", input: object{"time": noon, "duration": "--1s"}, kind: action.InvalidInput, says: "is not a duration"},
		{action: "time.add", input: object{"time": "9999-12-31T23:00:00Z", "duration": "1d"}, kind: action.InvalidInput, says: "years 0 to 9999"},
	})
	runRows(t, Config{}, nil, []row{
		{action: "time.now", kind: action.Permission, says: "no clock"},
		{action: "time.sleep", input: object{"duration": "1s"}, kind: action.Permission, says: "no clock"},
	})
}

func TestSleepIsTheRunsClock(t *testing.T) {
	clock := newTestClock()
	runRows(t, Config{}, &action.Scope{Clock: clock}, []row{
		{action: "time.sleep", input: object{"duration": "90s"}, want: object{}},
		{action: "time.sleep", input: object{"duration": 0.5}, want: object{}},
		{action: "time.sleep", input: object{"duration": "-1s"}, kind: action.InvalidInput, says: "must be a duration"},
	})
	if diff := cmp.Diff([]time.Duration{90 * time.Second, 500 * time.Millisecond}, clock.slept); diff != "" {
		t.Errorf("slept (-want +got):\n%s", diff)
	}
}

func TestLayoutReadsWhatItWrites(t *testing.T) {
	at := time.Date(2024, 2, 29, 0, 5, 9, 0, time.UTC)
	for _, text := range []string{
		"%Y-%m-%dT%H:%M:%S%z", "%a, %d %b %Y %I:%M:%S %p %Z", "%A %j of %Y, %H.%M.%S", "%s", "%B %d %Y %%%H%M%S",
	} {
		layout, err := newTimeLayout(text)
		if err != nil {
			t.Fatal(err)
		}
		written := layout.format(at)
		got, err := layout.parse(written, time.UTC)
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
		{"%Y", "2026!", `"!" is left over`},
		{"at %H", "um 5", `"um 5" does not start with "at "`},
		{"%Z", "IST", "other abbreviations are ambiguous"},
		{"%z", "+1", "an offset such as +0100"},
		{"%b", "Foo", `"Foo" does not start with a month`},
		{"%s", "-", "seconds since 1970"},
	} {
		_, err := call(Config{}, nil, "time.parse", object{"text": test.text, "layout": test.layout})
		checkError(t, test.layout, err, action.InvalidInput, test.says)
	}
}

// TestOffsetIsNotAZone guards against package time's habit of taking an offset
// for the machine's zone, whose offset differs in summer.
func TestOffsetIsNotAZone(t *testing.T) {
	layout, err := newTimeLayout("%Y-%m-%d %H:%M %z")
	if err != nil {
		t.Fatal(err)
	}
	for _, offset := range []string{"+0100", "+01:00"} {
		got, err := layout.parse("2026-07-01 12:00 "+offset, time.UTC)
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
		_, _ = call(Config{}, nil, "time.parse", object{"text": text, "layout": layout})
		written, err := call(Config{}, nil, "time.format", object{"time": at, "layout": "%Y-%m-%d %H:%M:%S " + layout})
		if err != nil {
			return
		}
		read, err := call(Config{}, nil, "time.parse", object{"text": written["text"], "layout": "%Y-%m-%d %H:%M:%S " + layout})
		if err != nil {
			return // adjacent directives may run into one another
		}
		if again, err := call(Config{}, nil, "time.format", object{"time": read["seconds"]}); err != nil {
			t.Fatalf("%v was read and cannot be written: %v", again, err)
		}
	})
}
