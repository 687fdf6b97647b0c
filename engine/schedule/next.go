package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// maxYear is the last year that RFC 3339 can write, and the last year that Next
// searches.
const maxYear = 9999

// Next returns the first scheduled time that is strictly after the given time, in the
// zone of the schedule. It returns the zero time when there is no scheduled time
// within ten years, which [Parse] rules out for calendars as we know them, and for
// years outside 0 to 9999.
func (s Schedule) Next(after time.Time) time.Time {
	from := after.Truncate(time.Second).Add(time.Second).In(s.Zone())
	if s.matcher.spec == nil || from.Year() < 0 || from.Year() > maxYear {
		return time.Time{}
	}
	for limit := from.AddDate(horizonYears, 0, 0); from.Before(limit); {
		segment := segmentAt(from)
		if next, found := s.firstIn(segment, from); found {
			return next
		}
		if segment.end.IsZero() {
			break
		}
		from = segment.end // later than from, so this ends
	}
	return time.Time{}
}

// firstIn returns the first scheduled time of a segment that is not before from. It
// decides what a clock change does to the schedule: a segment begins with a change.
func (s Schedule) firstIn(segment segment, from time.Time) (time.Time, bool) {
	if !s.elapsed {
		if from.Equal(segment.start) && s.missedBefore(segment) {
			return from, true
		}
		from = skipRepeated(segment, from)
	}
	wall := s.matcher.atOrAfter(segment.wall(from))
	if wall.IsZero() {
		return time.Time{}, false
	}
	next := wall.Add(-segment.offset).In(s.Zone())
	return next, segment.holds(next)
}

// missedBefore reports whether the clocks skipped a match when the segment began. The
// schedule then runs once, at the beginning of the segment, for all skipped matches.
func (s Schedule) missedBefore(segment segment) bool {
	shown := segment.wall(segment.start)
	return segment.shift > 0 && s.matcher.between(shown.Add(-segment.shift), shown)
}

// skipRepeated moves from behind the times that the clocks show for the second time
// because they were put back when the segment began.
func skipRepeated(segment segment, from time.Time) time.Time {
	if fresh := segment.start.Add(-segment.shift); segment.shift < 0 && from.Before(fresh) {
		return fresh
	}
	return from
}

// parser is the parser of robfig/cron for five fields. Shorthands are replaced
// before, so it never gets an @every.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// A matcher finds the wall times that match a text, on a clock that never changes.
// In this package a wall time is a time.Time in UTC, since UTC is the only zone in
// which robfig/cron v3.0.1 makes no mistake.
type matcher struct {
	spec *cron.SpecSchedule
}

// newMatcher parses a text that has been checked. It turns a panic of the parser into
// an error, since the parser has panicked on texts before (robfig/cron#554).
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

// same reports whether two matchers match the same times.
func (m matcher) same(other matcher) bool {
	if m.spec == nil || other.spec == nil {
		return false
	}
	return m.times() == other.times()
}

// times are the values of the fields of a matcher.
type times struct {
	minute, hour, day, month, weekday uint64
	either                            bool // one of the fields of days is enough
}

// times returns the values of the fields, so that equal times have equal values. A `*` is
// the list of all values, except for days: where neither field of days is a `*`, one of
// them is enough (crontab(5)).
func (m matcher) times() (t times) {
	const star, everyDay, everyWeekday = 1 << 63, 1<<32 - 1<<1, 1<<7 - 1
	t.minute, t.hour, t.day, t.month, t.weekday = m.spec.Minute&^star, m.spec.Hour&^star, m.spec.Dom&^star, m.spec.Month&^star, m.spec.Dow&^star
	switch {
	case (m.spec.Dom|m.spec.Dow)&star != 0:
	case t.day == everyDay || t.weekday == everyWeekday:
		t.day, t.weekday = everyDay, everyWeekday
	default:
		t.either = true
	}
	return t
}

// horizonYears bounds a search. The longest time between two scheduled times is eight
// years: from a 29 February to the next across a year such as 2100.
const horizonYears = 10

// atOrAfter returns the first matching wall time that is not before wall, or the zero
// time when there is none within the horizon. robfig/cron searches five years only, so
// the search is repeated from the end of each five years.
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

// Note explains how a clock change affects a scheduled time: the time was moved, since
// it does not exist on that day, or it follows the change within a day. It returns ""
// for every other time.
func (s Schedule) Note(at time.Time) string {
	at = at.In(s.Zone())
	segment := segmentAt(at)
	if segment.shift == 0 || at.Sub(segment.start) >= 24*time.Hour {
		return ""
	}
	direction, by := "forward", segment.shift
	if by < 0 {
		direction, by = "back", -by
	}
	change := fmt.Sprintf("the clocks went %s by %s at %s", direction, hours(by), segment.start.In(s.Zone()).Format("2006-01-02 15:04"))
	if !s.matches(segment.wall(at)) {
		return "moved: " + change + ", and the times in between do not exist"
	}
	return change
}

// hours returns a shift as text, without the zeros at its end.
func hours(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}

// matches reports whether the clocks show a time of the cron text.
func (s Schedule) matches(wall time.Time) bool {
	return s.matcher.atOrAfter(wall).Equal(wall)
}
