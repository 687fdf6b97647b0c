package schedule

import (
	"fmt"
	"slices"
	"time"
)

// A Schedule is a cron text in a zone. It is immutable. The zero Schedule has no
// scheduled times.
type Schedule struct {
	cron     string
	zone     *time.Location
	matcher  matcher
	elapsed  bool // follows elapsed time at clock changes, not times of day
	warnings []string
}

// Parse reads a cron text and the name of an IANA time zone; "" is UTC. The error is
// an [*Error].
func Parse(cronText, zone string) (Schedule, error) {
	columns, err := parseColumns(cronText)
	if err != nil {
		return Schedule{}, err
	}
	matcher, err := newMatcher(columns.String())
	if err != nil {
		return Schedule{}, err
	}
	if err := checkOccurs(columns, matcher); err != nil {
		return Schedule{}, err
	}
	location, err := loadZone(zone)
	if err != nil {
		return Schedule{}, err
	}
	return Schedule{
		cron:     columns.String(),
		zone:     location,
		matcher:  matcher,
		elapsed:  columns.elapsed(),
		warnings: columns.warnings(),
	}, nil
}

// Warnings returns a sentence for each thing that is allowed but rarely intended.
func (s Schedule) Warnings() []string { return slices.Clone(s.warnings) }

// String returns the normal form of the cron text and the name of the zone.
func (s Schedule) String() string { return s.cron + " (" + s.Zone().String() + ")" }

// Zone returns the time zone of the schedule.
func (s Schedule) Zone() *time.Location {
	if s.zone == nil {
		return time.UTC
	}
	return s.zone
}

// Cron returns the normal form of the cron text: five fields with one space between
// them, with numbers instead of names, with 0 for Sunday, and without shorthands such
// as @daily. Texts that differ in spelling only have the same normal form.
func (s Schedule) Cron() string { return s.cron }

// SameTimes reports whether two schedules have the same scheduled times, in whatever way
// their texts and zones are spelled. It leaves clock changes out: `*/30 * * * *` and
// `0,30 * * * *` are the same. It may miss texts of different hours in different zones.
func (s Schedule) SameTimes(other Schedule) bool {
	return s.matcher.same(other.matcher) && sameZone(s.Zone(), other.Zone())
}

// An Error says why a schedule is refused.
type Error struct {
	Field   string // the setting that is wrong: "cron" or "timezone"
	Message string // what is wrong, and what was expected
	Hint    string // what to try; may be empty
}

// Error returns the field and the message.
func (e *Error) Error() string { return e.Field + ": " + e.Message }

// cronErrorf returns an Error about the cron text.
func cronErrorf(hint, format string, args ...any) error {
	return &Error{Field: "cron", Message: fmt.Sprintf(format, args...), Hint: hint}
}

// zoneErrorf returns an Error about the zone.
func zoneErrorf(hint, format string, args ...any) error {
	return &Error{Field: "timezone", Message: fmt.Sprintf(format, args...), Hint: hint}
}
