package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// The places of the fields in a text.
const (
	minute = iota
	hour
	dayOfMonth
	month
	dayOfWeek
)

// A field says what one place of a text may hold.
type field struct {
	name        string
	first, last int
	names       []string // of the values from first on; nil when there are none
}

// fields have the limits of crontab(5). Sunday's second number is added in
// limit, since only a written 7 means it: `*` and `1/2` end with Saturday.
var fields = [...]field{
	minute:     {name: "minute", first: 0, last: 59},
	hour:       {name: "hour", first: 0, last: 23},
	dayOfMonth: {name: "day of month", first: 1, last: 31},
	month: {name: "month", first: 1, last: 12, names: []string{
		"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
	}},
	dayOfWeek: {name: "day of week", first: 0, last: 6, names: []string{
		"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT",
	}},
}

// sunday is the second number of Sunday, which ends a week that starts on a
// Monday.
const sunday = 7

func (f field) isDayOfWeek() bool { return f.name == fields[dayOfWeek].name }

// limit is the largest number that may be written.
func (f field) limit() int {
	if f.isDayOfWeek() {
		return sunday
	}
	return f.last
}

// expected describes the values for a message.
func (f field) expected() string {
	s := fmt.Sprintf("%d to %d", f.first, f.limit())
	if f.names != nil {
		s += fmt.Sprintf(" or %s to %s", f.names[0], f.names[len(f.names)-1])
	}
	return s
}

// parse reads the items between the commas of a field.
func (f field) parse(text string) ([]item, error) {
	words := strings.Split(text, ",")
	var items []item
	for _, word := range words {
		if word == "" {
			return nil, cronErrorf("remove the comma that has nothing beside it", "%s %q has an empty item", f.name, text)
		}
		it, err := f.parseItem(word)
		if err != nil {
			return nil, err
		}
		if it.plain() && len(words) > 1 {
			return nil, cronErrorf("write `*` alone, or leave it out",
				"%s %q has `*` in a list, where nothing else in the list counts", f.name, text)
		}
		items = append(items, f.fromSunday(it)...)
	}
	return items, nil
}

// value reads a number or a name.
func (f field) value(text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.first + i, nil
		}
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, cronErrorf(f.unknownHint(text), "%s %q is not known: expected %s", f.name, text, f.expected())
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.first || n > f.limit() {
		return 0, cronErrorf("", "%s %q is out of range: expected %s", f.name, text, f.expected())
	}
	return n, nil
}

// unknownHint guesses where a value comes from: a long name, a name in the
// wrong field, or another program's syntax.
func (f field) unknownHint(text string) string {
	if hint := didYouMean(text, f.names); hint != "" {
		return hint
	}
	for _, other := range fields {
		for _, name := range other.names {
			if strings.EqualFold(name, text) {
				return fmt.Sprintf("%q is a %s: the order is %s", text, other.name, fieldOrder)
			}
		}
	}
	switch {
	case text == "?":
		return "write `*`; only the two fields of days take a `?`"
	case strings.Contains(text, "*"):
		return "a `*` is every value already: it takes a step, such as `*/10`, and nothing else"
	case strings.Contains(text, "-"):
		return "a range has two ends, such as `1-5`"
	case strings.ContainsAny(text, "#LlWw"):
		return "`L`, `W` and `#` belong to Quartz; cron has no last or nearest day"
	}
	return ""
}

// didYouMean offers the name that begins as the word does: "MARCH", "tues" and
// "@Daily" share three letters with what they mean.
func didYouMean(word string, names []string) string {
	const alike = 3
	if len(word) < alike {
		return ""
	}
	for _, name := range names {
		if strings.EqualFold(name[:alike], word[:alike]) {
			return fmt.Sprintf("did you mean %q?", name)
		}
	}
	return ""
}
