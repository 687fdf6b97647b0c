package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// parser is robfig/cron's for five fields. Shorthands are replaced before, so
// that it never sees an @every.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// A matcher finds the times on a clock that is never changed. Such wall times
// are written as times in UTC throughout this package, since UTC is the one
// zone in which robfig/cron v3.0.1 makes no mistake.
type matcher struct {
	spec *cron.SpecSchedule
}

// newMatcher parses a text that has been checked. The parser is not ours and
// has panicked on texts before (robfig/cron#554): a panic is an error here.
func newMatcher(text string) (m matcher, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			m, err = matcher{}, cronErrorf("", "robfig/cron does not understand %q: %v", text, cause)
		}
	}()
	parsed, err := parser.Parse(text)
	if err != nil {
		return matcher{}, cronErrorf("", "robfig/cron refuses %q: %v", text, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return matcher{}, cronErrorf("", "robfig/cron reads %q as an interval: expected %s", text, fieldOrder)
	}
	spec.Location = time.UTC
	return matcher{spec}, nil
}

// horizonYears is how far a search goes. The longest wait that ends is for a
// 29 February across a year such as 2100: eight years.
const horizonYears = 10

// atOrAfter returns the first matching wall time that is not before wall, or
// zero when there is none within the horizon. robfig/cron itself gives up after
// five years, which is why it is asked again from the end of those it searched.
func (m matcher) atOrAfter(wall time.Time) time.Time {
	last := wall.Year() + horizonYears
	for from := wall.Add(-time.Second); from.Year() < last; {
		if next := m.spec.Next(from); !next.IsZero() {
			return next
		}
		from = time.Date(from.Year()+5, time.December, 31, 23, 59, 59, 0, time.UTC)
	}
	return time.Time{}
}

// between reports whether any wall time from low up to but not including high
// matches.
func (m matcher) between(low, high time.Time) bool {
	next := m.atOrAfter(low)
	return !next.IsZero() && next.Before(high)
}
