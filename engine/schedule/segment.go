package schedule

import "time"

// A segment is a stretch of time during which a zone's clocks are not changed.
// Zone rules of every kind look the same in segments: changes of half an hour
// (Lord Howe), of two (Troll), of a whole day (Apia in 2011), at midnight
// (Beirut), and zones whose "summer" time is in winter (Dublin, Casablanca).
type segment struct {
	start, end time.Time     // end is excluded; zero when there is none
	offset     time.Duration // what the clocks show more than UTC
	shift      time.Duration // by how much they were put forward at start
}

// segmentAt returns the segment that holds t, in t's zone. Around and beyond the
// last entry of a zone's table, the bounds that package time gives are good
// enough for time.Date only (tzset in time/zoneinfo.go says so); mendStart
// and mendEnd repair them.
func segmentAt(t time.Time) segment {
	start, end := t.ZoneBounds()
	s := segment{end: mendEnd(end, t), offset: offsetAt(t)}
	if !start.IsZero() {
		s.start = mendStart(start, t)
		s.shift = s.offset - offsetAt(s.start.Add(-time.Nanosecond))
	}
	return s
}

// mendStart returns the last change up to t. Right after the last entry of the
// table the start is that of a rule which did not hold yet (Ciudad Juarez,
// 2022-11-30); the segment before then ends later than this one starts.
func mendStart(start, t time.Time) time.Time {
	_, end := start.Add(-time.Nanosecond).ZoneBounds()
	if end.After(start) && !end.After(t) {
		return end
	}
	return start
}

// mendEnd returns an end that is later than t. Beyond the table a year is taken
// to have 365 days, so that on the last day of a leap year the end has passed;
// no clocks are changed on that day of UTC.
func mendEnd(end, t time.Time) time.Time {
	if end.IsZero() || end.After(t) {
		return end
	}
	return t.Truncate(24 * time.Hour).Add(24 * time.Hour)
}

func offsetAt(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// wall returns what the clocks show at t.
func (s segment) wall(t time.Time) time.Time { return t.UTC().Add(s.offset) }

// holds reports whether t, which is not before start, is before the end.
func (s segment) holds(t time.Time) bool { return s.end.IsZero() || t.Before(s.end) }
