package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
)

// The fields, in the order of the text.
const (
	minute = iota
	hour
	dayOfMonth
	month
	dayOfWeek
)

// A field describes the values of one field of a text.
type field struct {
	name        string
	first, last int
	names       []string // of the values, starting with first; nil when they have none
}

// fields have the limits of crontab(5). The second number of Sunday, 7, is added in
// limit: it counts only where it is written, so `*` and `1/2` end with Saturday.
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

// sunday is the second number of Sunday, as the end of a week that starts on Monday.
const sunday = 7

func (f field) isDayOfWeek() bool { return f.name == fields[dayOfWeek].name }

// limit returns the largest number that may be written.
func (f field) limit() int {
	if f.isDayOfWeek() {
		return sunday
	}
	return f.last
}

// expected describes the allowed values, for messages.
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
			return nil, cronErrorf("remove the comma with nothing before or after it", "%s %q has an empty item", f.name, text)
		}
		it, err := f.parseItem(word)
		if err != nil {
			return nil, err
		}
		if it.plain() && len(words) > 1 {
			return nil, cronErrorf("write `*` alone, or leave it out",
				"%s %q has `*` in a list, which makes the rest of the list useless", f.name, text)
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

// unknownHint guesses what a value was meant to be: a long name, a name of another
// field, or the syntax of another program.
func (f field) unknownHint(text string) string {
	if hint := abbreviation(text, f.names); hint != "" {
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

// abbreviation suggests the name that begins as the word does: "MARCH", "tues" and
// "@Daily" share three letters with what they mean. [phrase.DidYouMean] would not
// find the first two, since names of cron have three letters only.
func abbreviation(word string, names []string) string {
	const letters = 3
	i := slices.IndexFunc(names, func(name string) bool {
		return len(word) >= letters && strings.EqualFold(name[:letters], word[:letters])
	})
	if i < 0 {
		return ""
	}
	return phrase.DidYouMean(names[i], names[i:i+1])
}

// An item is one part of the list in a field: every step-th value from first to
// last. star says that it was written with a `*`.
type item struct {
	first, last, step int
	star              bool
}

// plain reports whether the item is `*`, which allows every value.
func (it item) plain() bool { return it.star && it.step == 1 }

// count returns the number of values in the range, without regard to the step.
func (it item) count() int { return it.last - it.first + 1 }

// String returns the item in its normal form.
func (it item) String() string {
	s := strconv.Itoa(it.first)
	switch {
	case it.star:
		s = "*"
	case it.first != it.last:
		s = fmt.Sprintf("%d-%d", it.first, it.last)
	}
	if it.step > 1 {
		s += fmt.Sprintf("/%d", it.step)
	}
	return s
}

// join returns the text of a list.
func join(items []item) string {
	var words []string
	for _, it := range items {
		words = append(words, it.String())
	}
	return strings.Join(words, ",")
}

// parseItem reads `*`, a value or a range, each with or without a step.
func (f field) parseItem(text string) (item, error) {
	if text == "?" && (f.isDayOfWeek() || f.name == fields[dayOfMonth].name) {
		text = "*" // robfig/cron documents the `?` for days as another `*`
	}
	span, step, stepped := strings.Cut(text, "/")
	it, err := f.parseRange(span, text)
	if err != nil || !stepped {
		return it, err
	}
	if !it.star && !strings.Contains(span, "-") && it.first < f.last {
		it.last = f.last // "5/10" is short for "from 5 on"
	}
	it.step, err = f.parseStep(step, it, text)
	return it, err
}

// parseRange reads the part of an item before the step. whole is the item, for
// messages.
func (f field) parseRange(span, whole string) (item, error) {
	if span == "*" {
		return item{first: f.first, last: f.last, step: 1, star: true}, nil
	}
	if strings.HasPrefix(span, "+") || strings.HasPrefix(span, "-") {
		return item{}, cronErrorf(fmt.Sprintf("write %q", strings.TrimLeft(whole, "+-")),
			"%s %q has a sign: expected %s", f.name, whole, f.expected())
	}
	low, high, ranged := strings.Cut(span, "-")
	first, err := f.value(low)
	if err != nil || !ranged {
		return item{first: first, last: first, step: 1}, err
	}
	last, err := f.value(high)
	if err != nil {
		return item{}, err
	}
	if f.isDayOfWeek() && first > last && strings.EqualFold(high, f.names[0]) {
		last = sunday // FRI-SUN ends a week, as 5-7 does
	}
	if first > last {
		return item{}, f.backwards(first, last, whole)
	}
	return item{first: first, last: last, step: 1}, nil
}

// backwards returns the error for a range such as 22-2, with the two ranges to write
// instead.
func (f field) backwards(first, last int, whole string) error {
	first = min(first, f.last) // a 7 that starts a range of days
	parts := join([]item{{first: first, last: f.last}, {first: f.first, last: last}})
	return cronErrorf(fmt.Sprintf("split it where it starts over: %q", parts),
		"%s %q runs backwards: expected the smaller end first", f.name, whole)
}

// parseStep reads the part of an item after the slash.
func (f field) parseStep(text string, it item, whole string) (int, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, cronErrorf("such as `*/10`", "the step of %s %q is not a number", f.name, whole)
	}
	step, err := strconv.Atoi(text)
	switch {
	case err != nil || step > it.count():
		return 0, cronErrorf("a step counts within its range, and starts again in the next hour, day or month",
			"the step of %s %q is larger than its range, which is %d to %d", f.name, whole, it.first, it.last)
	case step == 0:
		return 0, cronErrorf("such as `*/10`", "the step of %s %q is zero: expected 1 or more", f.name, whole)
	}
	return step, nil
}

// fromSunday rewrites an item of days that ends with 7, which robfig/cron does not
// know, as the days before it and 0.
func (f field) fromSunday(it item) []item {
	if !f.isDayOfWeek() || it.last != sunday {
		return []item{it}
	}
	hasSunday := (sunday-it.first)%it.step == 0
	if it.first == sunday {
		return []item{{step: 1}}
	}
	it.last = f.last
	if !hasSunday || it.first == 0 {
		return []item{it}
	}
	return []item{it, {step: 1}}
}
