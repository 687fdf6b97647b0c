package stdlib

import (
	"math"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/phrase"
	glua "github.com/yuin/gopher-lua"
)

const (
	// maxDateLayout bounds the layout of os.date in bytes, because each letter of it
	// becomes more text.
	maxDateLayout = 1 << 10
	// farthestDate bounds the fields of a date, so that their sum is a time.
	farthestDate = 1 << 31
)

// A Clock is what os.time and os.date take the time from. Times are seconds since
// 1970.
type Clock struct {
	Now    func(L *glua.LState) any                                // nil: there is neither os.time nor os.date
	Format func(L *glua.LState, layout string, at any) glua.LValue // nil: there is no os.date
}

// OS returns the functions of the module os.
func OS(c Clock) map[string]glua.LGFunction {
	functions := map[string]glua.LGFunction{}
	if c.Now != nil {
		functions["time"] = c.time
		if c.Format != nil {
			functions["date"] = c.date
		}
	}
	return functions
}

// time is os.time(): now, in whole seconds; and os.time(table): the time of a date.
func (c Clock) time(L *glua.LState) int {
	if t, ok := L.Get(1).(*glua.LTable); ok {
		return Push(L, timeOf(L, t))
	}
	seconds, _ := c.Now(L).(float64)
	return Push(L, glua.LNumber(math.Floor(seconds)))
}

// date is os.date(format, time). The time is now when it is not given, and is always
// in UTC, with and without the "!" that asks for UTC.
func (c Clock) date(L *glua.LState) int {
	layout := "%Y-%m-%d %H:%M:%S"
	if L.Get(1) != glua.LNil {
		layout = textArgument(L, 1)
	}
	if len(layout) > maxDateLayout {
		L.RaiseError("os.date: the layout has %d bytes, at most %d are allowed", len(layout), maxDateLayout)
	}
	layout = strings.TrimPrefix(layout, "!")
	var at any
	if L.Get(2) != glua.LNil {
		at = numberArgument(L, 2)
	} else {
		at = c.Now(L)
	}
	if seconds, ok := at.(float64); ok && strings.HasPrefix(layout, "*t") {
		return Push(L, dateTable(L, seconds))
	}
	return Push(L, c.Format(L, layout, at))
}

// timeOf is os.time of a table: the seconds of a date, in UTC. A field may be
// outside its range, as in Lua: the 32nd of January is the 1st of February.
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
		L.RaiseError("os.date: %s is not a time that can be shown", phrase.Number(seconds))
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
