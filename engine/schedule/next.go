package schedule

import "time"

// maxYear is the last year that RFC 3339 can write. Beyond it nothing is found.
const maxYear = 9999

// Next returns the first instant of the schedule that is strictly after the
// given one, in the schedule's zone. It returns the zero time only when there is
// none within ten years, which [Parse] excludes for calendars as we know them,
// and for years outside 0 to 9999.
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

// firstIn returns the first instant of a segment that is not before from. What
// a change of clocks does to the schedule is decided here, on entering the
// segment that it begins.
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

// missedBefore reports whether the clocks jumped over a match when the segment
// began. Its first instant then stands for all that were missed.
func (s Schedule) missedBefore(segment segment) bool {
	shown := segment.wall(segment.start)
	return segment.shift > 0 && s.matcher.between(shown.Add(-segment.shift), shown)
}

// skipRepeated moves from past the times that the clocks, put back when the
// segment began, show for the second time.
func skipRepeated(segment segment, from time.Time) time.Time {
	if fresh := segment.start.Add(-segment.shift); segment.shift < 0 && from.Before(fresh) {
		return fresh
	}
	return from
}
