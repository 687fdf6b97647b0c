package times

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// layoutDoc is part of the Doc of every action that takes a layout.
const layoutDoc = "A layout has the directives of strftime: %Y year, %m month, %d day, %H hour, %I hour of 12, %p AM or PM, " +
	"%M minute, %S second, %j day of the year, %a %A weekday, %b %B month's name, %Z zone, %z offset, " +
	"%s seconds since 1970, %% percent sign. It may have 1,024 characters."

// A directive is the meaning of one letter of a layout. write returns its text, and read
// reads it from the start of a text and returns the rest.
type directive struct {
	write func(time.Time) string
	read  func(r *clockReading, text string) (rest string, err error)
}

// directiveLetters lists the letters in the order of error messages.
const directiveLetters = "YmdHMSjaAbBpIZzs%"

var directives = map[byte]directive{
	'Y': {writeNumber("%04d", time.Time.Year), readYear},
	'm': {writeNumber("%02d", monthNumber), readNumber("month", 2, 1, 12, func(r *clockReading) *int { return &r.month })},
	'd': {writeNumber("%02d", time.Time.Day), readNumber("day", 2, 1, 31, func(r *clockReading) *int { return &r.day })},
	'H': {writeNumber("%02d", time.Time.Hour), readNumber("hour", 2, 0, 23, func(r *clockReading) *int { return &r.hour })},
	'I': {writeNumber("%02d", hourOf12), readNumber("hour", 2, 1, 12, func(r *clockReading) *int { return &r.hour12 })},
	'M': {writeNumber("%02d", time.Time.Minute), readNumber("minute", 2, 0, 59, func(r *clockReading) *int { return &r.minute })},
	'S': {writeNumber("%02d", time.Time.Second), readNumber("second", 2, 0, 59, func(r *clockReading) *int { return &r.second })},
	'j': {writeNumber("%03d", time.Time.YearDay), readNumber("day of the year", 3, 1, 366, func(r *clockReading) *int { return &r.yearDay })},
	'a': {writeGo("Mon"), readName("weekday", weekdays, 3, func(r *clockReading) *int { return &r.weekday })},
	'A': {writeGo("Monday"), readName("weekday", weekdays, 0, func(r *clockReading) *int { return &r.weekday })},
	'b': {writeGo("Jan"), readName("month", months, 3, func(r *clockReading) *int { return &r.month })},
	'B': {writeGo("January"), readName("month", months, 0, func(r *clockReading) *int { return &r.month })},
	'p': {writeGo("PM"), readName("AM or PM", []string{"AM", "PM"}, 0, func(r *clockReading) *int { return &r.half })},
	'Z': {writeGo("MST"), readZone},
	'z': {writeGo("-0700"), readOffset},
	's': {func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }, readUnix},
	'%': {func(time.Time) string { return "%" }, readLiteral("%")},
}

// A layout is a parsed layout: directives and the text between them.
type layout []layoutPart

type layoutPart struct {
	literal string // when letter is 0
	letter  byte
}

func newLayout(text string) (layout, error) {
	var layout layout
	for text != "" {
		literal, rest, found := strings.Cut(text, "%")
		if literal != "" {
			layout = append(layout, layoutPart{literal: literal})
		}
		if !found {
			break
		}
		if rest == "" {
			return nil, unknownDirective("%")
		}
		if _, known := directives[rest[0]]; !known {
			return nil, unknownDirective("%" + string([]rune(rest)[:1]))
		}
		layout = append(layout, layoutPart{letter: rest[0]})
		text = rest[1:]
	}
	return layout, nil
}

func unknownDirective(name string) error {
	return &action.Error{
		Kind:    action.InvalidInput,
		Message: fmt.Sprintf("the layout has an unknown directive %q", name),
		Hint:    "known: %" + strings.Join(strings.Split(directiveLetters, ""), " %"),
	}
}

func (l layout) format(t time.Time) string {
	var b strings.Builder
	for _, part := range l {
		if part.letter == 0 {
			b.WriteString(part.literal)
		} else {
			b.WriteString(directives[part.letter].write(t))
		}
	}
	return b.String()
}

func (l layout) parse(text string, zone *time.Location) (time.Time, error) {
	reading := clockReading{year: 1970, zone: zone, weekday: -1}
	for _, part := range l {
		read := readLiteral(part.literal)
		if part.letter != 0 {
			read = directives[part.letter].read
		}
		rest, err := read(&reading, text)
		if err != nil {
			return time.Time{}, err
		}
		text = rest
	}
	if text != "" {
		return time.Time{}, fmt.Errorf("%q is left at the end", phrase.Clip(text, 20))
	}
	return reading.time()
}

// A clockReading collects the parts of a time in a text. A part that the text does not have
// is zero; a missing weekday is -1, since Sunday is 0.
type clockReading struct {
	year, month, day, yearDay, weekday int
	hour, hour12, half, minute, second int
	zone                               *time.Location
	unix                               *int64
}

// time makes a time of the parts. Missing parts are taken from 1970-01-01 00:00:00; parts
// that the text has twice must agree.
func (r *clockReading) time() (time.Time, error) {
	if r.unix != nil {
		return time.Unix(*r.unix, 0), nil
	}
	if r.hour12 != 0 {
		r.hour = r.hour12%12 + 12*r.half
	}
	month, day := max(r.month, 1), max(r.day, 1)
	if r.yearDay != 0 && r.month == 0 && r.day == 0 {
		day = r.yearDay
	}
	date := time.Date(r.year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	switch {
	case date.Year() != r.year, r.day != 0 && date.Day() != r.day:
		return time.Time{}, fmt.Errorf("there is no such day in %d", r.year)
	case r.yearDay != 0 && date.YearDay() != r.yearDay:
		return time.Time{}, fmt.Errorf("%s is not day %d of its year", date.Format(time.DateOnly), r.yearDay)
	case r.weekday >= 0 && int(date.Weekday()) != r.weekday:
		return time.Time{}, fmt.Errorf("%s is a %s", date.Format(time.DateOnly), date.Weekday())
	}
	return time.Date(r.year, date.Month(), date.Day(), r.hour, r.minute, r.second, 0, r.zone), nil
}

func writeNumber(format string, of func(time.Time) int) func(time.Time) string {
	return func(t time.Time) string { return fmt.Sprintf(format, of(t)) }
}

// writeGo writes with a layout of package time.
func writeGo(layout string) func(time.Time) string {
	return func(t time.Time) string { return t.Format(layout) }
}

func monthNumber(t time.Time) int { return int(t.Month()) }

func hourOf12(t time.Time) int { return (t.Hour()+11)%12 + 1 }

// readNumber reads at most a number of digits into a field.
func readNumber(what string, digits, least, most int, field func(*clockReading) *int) func(*clockReading, string) (string, error) {
	return func(r *clockReading, text string) (string, error) {
		n := leadingDigits(text, digits)
		value, err := strconv.Atoi(text[:n])
		if err != nil || value < least || value > most {
			return "", fmt.Errorf("%q does not start with a %s from %d to %d", phrase.Clip(text, 20), what, least, most)
		}
		*field(r) = value
		return text[n:], nil
	}
}

// readYear reads four digits; 26 does not mean 2026.
func readYear(r *clockReading, text string) (string, error) {
	if leadingDigits(text, 4) < 4 {
		return "", fmt.Errorf("%q does not start with a year of four digits", phrase.Clip(text, 20))
	}
	r.year, _ = strconv.Atoi(text[:4])
	return text[4:], nil
}

func leadingDigits(text string, most int) int {
	n := 0
	for n < len(text) && n < most && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// The names by number: weekdays from Sunday = 0, months from January = 1.
var (
	weekdays = strings.Split("Sunday Monday Tuesday Wednesday Thursday Friday Saturday", " ")
	months   = strings.Split(" January February March April May June July August September October November December", " ")
)

// readName reads one of the names, cut to a length unless it is 0, in upper or lower case,
// and sets a field to its index.
func readName(what string, names []string, length int, field func(*clockReading) *int) func(*clockReading, string) (string, error) {
	return func(r *clockReading, text string) (string, error) {
		for i, name := range names {
			if length > 0 && name != "" {
				name = name[:length]
			}
			if name != "" && len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
				*field(r) = i
				return text[len(name):], nil
			}
		}
		return "", fmt.Errorf("%q does not start with a %s", phrase.Clip(text, 20), what)
	}
}

func readLiteral(literal string) func(*clockReading, string) (string, error) {
	return func(_ *clockReading, text string) (string, error) {
		rest, ok := strings.CutPrefix(text, literal)
		if !ok {
			return "", fmt.Errorf("%q does not start with %q", phrase.Clip(text, 20), phrase.Clip(literal, 20))
		}
		return rest, nil
	}
}

// readZone accepts only abbreviations of UTC: other abbreviations are ambiguous, such as IST.
func readZone(r *clockReading, text string) (string, error) {
	for _, name := range []string{"UTC", "GMT", "Z"} {
		if rest, ok := strings.CutPrefix(text, name); ok {
			r.zone = time.UTC
			return rest, nil
		}
	}
	return "", fmt.Errorf("%q does not start with UTC, GMT or Z (other abbreviations are ambiguous: use %%z or timezone)", phrase.Clip(text, 20))
}

// readOffset reads Z, +0100 or +01:00. It parses in UTC: otherwise package time uses
// the machine's time zone where that has the same offset.
func readOffset(r *clockReading, text string) (string, error) {
	if rest, ok := strings.CutPrefix(text, "Z"); ok {
		r.zone = time.UTC
		return rest, nil
	}
	for _, layout := range []string{"-0700", "-07:00"} {
		if len(text) < len(layout) {
			continue
		}
		if t, err := time.ParseInLocation(layout, text[:len(layout)], time.UTC); err == nil {
			r.zone = t.Location()
			return text[len(layout):], nil
		}
	}
	return "", fmt.Errorf("%q does not start with an offset such as +0100", phrase.Clip(text, 20))
}

func readUnix(r *clockReading, text string) (string, error) {
	sign, n := 0, 0
	if strings.HasPrefix(text, "-") {
		sign = 1
	}
	n = sign + leadingDigits(text[sign:], 12)
	seconds, err := strconv.ParseInt(text[:n], 10, 64)
	if err != nil {
		return "", fmt.Errorf("%q does not start with seconds since 1970", phrase.Clip(text, 20))
	}
	r.unix = &seconds
	return text[n:], nil
}
