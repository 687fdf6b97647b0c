package schedule

import (
	"slices"
	"time"
)

// A Schedule is a set of instants: the times of a cron text in a zone. It is
// immutable; the zero Schedule has no instants.
type Schedule struct {
	cron     string
	zone     *time.Location
	matcher  matcher
	elapsed  bool // follows elapsed time at clock changes, not times of day
	warnings []string
}

// Parse checks a cron text and the name of an IANA zone, where "" is UTC. Its
// errors are of type [*Error].
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

// Warnings returns sentences about what is permitted and seldom meant.
func (s Schedule) Warnings() []string { return slices.Clone(s.warnings) }

// String returns the normal cron text and the zone's name.
func (s Schedule) String() string { return s.cron + " (" + s.Zone().String() + ")" }

// Zone returns the zone whose clocks the schedule goes by.
func (s Schedule) Zone() *time.Location {
	if s.zone == nil {
		return time.UTC
	}
	return s.zone
}

// Cron returns the normal form of the cron text: five fields with one space
// between them, numbers for names and for @daily and its like, and 0 for
// Sunday. Texts that differ in spelling only have the same.
func (s Schedule) Cron() string { return s.cron }
