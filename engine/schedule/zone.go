package schedule

import (
	"fmt"
	"strings"
	"time"

	// The zone database for machines that have none, as many containers and every
	// Windows: without it a schedule would be accepted here and refused there.
	// Where the machine has one, package time prefers it.
	_ "time/tzdata"
)

// loadZone returns a zone of the IANA database. Names that package time also
// accepts but that mean something else on each machine are refused.
func loadZone(name string) (*time.Location, error) {
	const place = `a place, such as "Europe/Berlin", or UTC`
	if strings.EqualFold(name, "Local") || strings.EqualFold(name, "localtime") {
		return nil, zoneErrorf("write "+place,
			"%q is whatever zone the machine is set to: expected a name of the IANA time zone database", name)
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

// lookUp returns nil for a name that is not in the database. The names that
// begin with a small letter are files of its folder rather than zones of it:
// posixrules, posix/, and right/ with its leap seconds (tzfile(5)).
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

// areas are the first halves of the names of places (the tz database's theory.html,
// "Timezone identifiers").
var areas = []string{
	"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
}

// zoneHint tries what people write for a zone: another case, spaces, a city
// alone or in the wrong area, an offset.
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

// capitalised returns a name in the database's spelling: "america/new york" as
// "America/New_York".
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
