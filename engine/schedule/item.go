package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// An item is one part of a field's list: every step-th value from first to
// last. star says that it was written with a `*`.
type item struct {
	first, last, step int
	star              bool
}

// plain reports whether the item is `*`, which restricts nothing.
func (it item) plain() bool { return it.star && it.step == 1 }

// count is how many values the range has, whatever the step.
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

// parseRange reads what stands before the step. The whole item is for messages.
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

// backwards refuses a range such as 22-2 and offers it in two parts.
func (f field) backwards(first, last int, whole string) error {
	first = min(first, f.last) // a 7 that starts a range of days
	parts := join([]item{{first: first, last: f.last}, {first: f.first, last: last}})
	return cronErrorf(fmt.Sprintf("split it where it starts over: %q", parts),
		"%s %q runs backwards: expected the smaller end first", f.name, whole)
}

// parseStep reads what stands behind the slash.
func (f field) parseStep(text string, it item, whole string) (int, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, cronErrorf("such as `*/10`", "the step of %s %q is not a number", f.name, whole)
	}
	step, err := strconv.Atoi(text)
	switch {
	case err != nil || step > it.count():
		return 0, cronErrorf("a step counts within its range and starts again with the next one",
			"the step of %s %q is larger than its range, which is %d to %d", f.name, whole, it.first, it.last)
	case step == 0:
		return 0, cronErrorf("such as `*/10`", "the step of %s %q is zero: expected 1 or more", f.name, whole)
	}
	return step, nil
}

// fromSunday rewrites an item of days that ends with a 7, which robfig/cron does
// not know, as the days before it and a 0.
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
