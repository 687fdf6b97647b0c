package schedule

import (
	"fmt"
	"strings"
	"time"

	// The zone database for machines that have none, such as many containers and
	// Windows. Without it, a schedule would be valid on some machines only. Package time
	// prefers the database of the machine where there is one.
	_ "time/tzdata"
)

// loadZone returns a zone of the IANA database. It refuses names such as Local, which
// package time accepts but which mean another zone on every machine.
func loadZone(name string) (*time.Location, error) {
	const place = `a place, such as "Europe/Berlin", or UTC`
	if strings.EqualFold(name, "Local") || strings.EqualFold(name, "localtime") {
		return nil, zoneErrorf("write "+place,
			"%q is another zone on every machine: expected a name of the IANA time zone database", name)
	}
	if name == "" {
		return time.UTC, nil
	}
	if location := lookUp(name); location != nil {
		return location, nil
	}
	return nil, zoneErrorf(zoneHint(name, "expected "+place),
		"%q is not known: expected a name of the IANA time zone database", name)
}

// lookUp returns a zone, or nil for a name that is not in the database. Names that
// begin with a small letter are files next to the zones: posixrules, posix/, and
// right/ with its leap seconds (tzfile(5)).
func lookUp(name string) *time.Location {
	if name == "" || name[0] < 'A' || name[0] > 'Z' || name == "Local" {
		return nil
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return location
}

// sameZone reports whether two zones show the same time on the days of the year after
// reference, such as UTC and Etc/UTC, or Europe/Berlin and Europe/Paris.
func sameZone(a, b *time.Location) bool {
	if a.String() == b.String() {
		return true
	}
	for day := range 366 {
		at := reference.AddDate(0, 0, day)
		_, here := at.In(a).Zone()
		if _, there := at.In(b).Zone(); here != there {
			return false
		}
	}
	return true
}

// areas are the first halves of the names of places (the tz database's theory.html,
// "Timezone identifiers").
var areas = []string{
	"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
}

// zoneHint returns a hint for what people write instead of the name of a zone: another
// case, spaces, a city alone or in the wrong area, an offset.
func zoneHint(name, otherwise string) string {
	if rest := strings.TrimPrefix(strings.TrimPrefix(name, "UTC"), "GMT"); rest != "" && strings.ContainsAny(rest[:1], "+-0123456789") {
		return `an offset alone knows no summer time: write a place, or "Etc/GMT-2" for two hours ahead of UTC (the sign is reversed there)`
	}
	tidy := capitalised(name)
	candidates := []string{strings.ToUpper(name), tidy}
	city := tidy[strings.LastIndex(tidy, "/")+1:]
	for _, area := range areas {
		candidates = append(candidates, area+"/"+city)
	}
	for _, candidate := range candidates {
		if lookUp(candidate) != nil {
			return fmt.Sprintf("did you mean %q?", candidate)
		}
	}
	return otherwise
}

// capitalised returns a name in the spelling of the database: "America/New_York" for
// "america/new york".
func capitalised(name string) string {
	letters := []byte(strings.ToLower(strings.TrimSpace(name)))
	for i, c := range letters {
		if c == ' ' {
			letters[i] = '_'
		}
		if startsWord := i == 0 || strings.IndexByte("/_- ", letters[i-1]) >= 0; startsWord && 'a' <= c && c <= 'z' {
			letters[i] = c - 'a' + 'A'
		}
	}
	return string(letters)
}

// looksLikeZone reports whether a word of a cron text is a zone.
func looksLikeZone(word string) bool { return strings.Contains(word, "/") && lookUp(word) != nil }

// A segment is a stretch of time during which the clocks of a zone do not change. The
// rules of all zones look the same in segments: changes of half an hour (Lord Howe),
// of two hours (Troll), of a whole day (Apia in 2011), at midnight (Beirut), and zones
// whose "summer" time is in winter (Dublin, Casablanca).
type segment struct {
	start, end time.Time     // end is excluded; zero when there is none
	offset     time.Duration // from UTC to what the clocks show
	shift      time.Duration // by how much the clocks were put forward at start
}

// segmentAt returns the segment that contains t, in the zone of t. Around and after
// the last entry in the table of a zone, the bounds from package time are good enough
// for time.Date only (see tzset in time/zoneinfo.go); mendStart and mendEnd correct
// them.
func segmentAt(t time.Time) segment {
	start, end := t.ZoneBounds()
	s := segment{end: mendEnd(end, t), offset: offsetAt(t)}
	if !start.IsZero() {
		s.start = mendStart(start, t)
		s.shift = s.offset - offsetAt(s.start.Add(-time.Nanosecond))
	}
	return s
}

// mendStart returns the last change up to t. Right after the last entry of the table,
// package time takes the start from a rule that was not in force yet (Ciudad Juarez,
// 2022-11-30). The segment before it then ends later than this one starts.
func mendStart(start, t time.Time) time.Time {
	_, end := start.Add(-time.Nanosecond).ZoneBounds()
	if end.After(start) && !end.After(t) {
		return end
	}
	return start
}

// mendEnd returns an end that is later than t. After the end of the table, package
// time takes every year to have 365 days, so on the last day of a leap year the end
// is in the past. No zone changes its clocks on that day of UTC.
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

// wall returns the wall time at t.
func (s segment) wall(t time.Time) time.Time { return t.UTC().Add(s.offset) }

// holds reports whether t is before the end. It must not be before the start.
func (s segment) holds(t time.Time) bool { return s.end.IsZero() || t.Before(s.end) }
