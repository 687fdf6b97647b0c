package phrase

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Clip returns a text that a message quotes, shortened to at most limit
// characters and an ellipsis.
func Clip(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

// WithHint returns a message with its hint in parentheses. An empty hint adds
// nothing.
func WithHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + " (" + hint + ")"
}

// Names returns the keys of a map in sorted order.
func Names[V any](m map[string]V) []string {
	names := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(names)
	return names
}

// Number returns a number as people write it: a whole number of up to 18 digits
// in full, without an exponent.
func Number(f float64) string {
	if f == float64(int64(f)) && f > -1e18 && f < 1e18 {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// units are the units of sizes. A kilobyte has 1024 bytes everywhere in pdflow.
var units = []struct {
	name  string
	bytes int64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}}

// Bytes returns a number of bytes as files write it: in the largest unit that
// divides it, such as 64MB, or as "100 bytes".
func Bytes(n int64) string {
	for _, unit := range units {
		if n >= unit.bytes && n%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", n/unit.bytes, unit.name)
		}
	}
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// ParseBytes reads a text such as "64MB" or "1.5 kb" as a number of bytes. It
// reports whether the text is a number with a unit.
func ParseBytes(text string) (float64, bool) {
	for _, unit := range units {
		if number, ok := strings.CutSuffix(strings.ToUpper(text), unit.name); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			return f * float64(unit.bytes), err == nil
		}
	}
	return 0, false
}

// Seconds returns a number of seconds as a duration. It refuses numbers below
// zero and numbers that a duration cannot hold.
func Seconds(f float64) (time.Duration, error) {
	if math.IsNaN(f) || f < 0 || f > float64(math.MaxInt64/int64(time.Second)) {
		return 0, fmt.Errorf("%s seconds is not a duration", Number(f))
	}
	return time.Duration(f * float64(time.Second)), nil
}

var daysPattern = regexp.MustCompile(`^(\d{1,5})d(.*)$`)

// ParseDuration reads a duration such as "5s", "1h30m" or "1d12h". It refuses
// negative durations.
func ParseDuration(text string) (time.Duration, error) {
	rest, days := text, 0
	if m := daysPattern.FindStringSubmatch(text); m != nil {
		days, _ = strconv.Atoi(m[1])
		if rest = m[2]; rest == "" {
			rest = "0s"
		}
	}
	d, err := time.ParseDuration(rest)
	sum := d + time.Duration(days)*24*time.Hour // five digits of days fit; the sum may not
	if err != nil || d < 0 || sum < d {
		return 0, fmt.Errorf(`%q is not a duration: write "5s", "10m", "1h30m" or "1d"`, Clip(text, 40))
	}
	return sum, nil
}
