package lua_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestDates: os.time and os.date convert dates as in Lua, in UTC. The expected values come
// from lua5.1 with TZ=UTC.
func TestDates(t *testing.T) {
	m := newMachine(t, dateActions()...)
	for script, want := range map[string]any{
		"return os.time{year = 2020, month = 1, day = 1, hour = 0}":                             1577836800.0,
		"return os.time{year = 2020, month = 1, day = 1}":                                       1577880000.0,
		"return os.time{year = '2020', month = '2', day = 30, hour = -1, min = 61, sec = 3600}": 1583024460.0,
		"return os.time{year = 1969, month = 12, day = 31, hour = 23, min = 59, sec = 59}":      -1.0,
		"return os.time(os.date('*t', 86399.9))":                                                86399.0,
		"return {pcall(os.time, {year = 2020, month = 1})}":                                     []any{false, "w.yaml:10: field 'day' missing in date table"},
		"return {pcall(os.time, {year = 1e300, month = 1, day = 1})}":                           []any{false, "w.yaml:10: field 'year' missing in date table"},
		"return {pcall(os.date, '*t', 1e300)}":                                                  []any{false, "w.yaml:10: os.date: 1e+300 is not a time that can be shown"},
	} {
		if diff := cmp.Diff(want, m.value(t, script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
	want := action.Object{"year": 2024.0, "month": 2.0, "day": 29.0, "hour": 12.0, "min": 30.0, "sec": 15.0, "wday": 5.0, "yday": 60.0, "isdst": false}
	for _, layout := range []string{"*t", "!*t"} {
		if diff := cmp.Diff(any(want), m.value(t, "return os.date('"+layout+"', 1709209815)")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", layout, diff)
		}
	}
}
