package lua

import (
	"math"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// farthestDate bounds the fields of a date, so that their sum is a time.
const farthestDate = 1 << 31

// timeOf is os.time of a table: the seconds of a date, in UTC. Fields may be out of
// their range, as in Lua: the 32nd of January is the 1st of February.
func timeOf(L *glua.LState, t *glua.LTable) glua.LNumber {
	field := func(name string, otherwise float64) int {
		value := t.RawGetString(name)
		if value == glua.LNil && !math.IsNaN(otherwise) {
			return int(otherwise)
		}
		f, ok := numberOf(value)
		if !ok || math.Abs(f) > farthestDate {
			L.RaiseError("field '%s' missing in date table", name)
		}
		return int(f)
	}
	required := math.NaN()
	at := time.Date(field("year", required), time.Month(field("month", required)), field("day", required),
		field("hour", 12), field("min", 0), field("sec", 0), 0, time.UTC)
	return glua.LNumber(at.Unix())
}

// dateTable is os.date("*t"): the fields of a time, in UTC.
func dateTable(L *glua.LState, seconds float64) *glua.LTable {
	if math.IsNaN(seconds) || math.Abs(seconds) > farthestDate*100 {
		L.RaiseError("os.date: %s is no time that can be shown", action.FormatNumber(seconds))
	}
	at := time.Unix(int64(math.Floor(seconds)), 0).UTC()
	t := L.CreateTable(0, 9)
	for _, f := range []struct {
		name  string
		value int
	}{
		{"year", at.Year()},
		{"month", int(at.Month())},
		{"day", at.Day()},
		{"hour", at.Hour()},
		{"min", at.Minute()},
		{"sec", at.Second()},
		{"wday", int(at.Weekday()) + 1},
		{"yday", at.YearDay()},
	} {
		t.RawSetString(f.name, glua.LNumber(f.value))
	}
	t.RawSetString("isdst", glua.LFalse)
	return t
}
