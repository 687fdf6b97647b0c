package account

import (
	"slices"
	"strings"
)

// Schedule lists who takes turns being on call. A user on a schedule cannot be deleted.
type Schedule struct {
	ID       string   `json:"id,omitempty"` // generated when empty
	Name     string   `json:"name"`
	TimeZone string   `json:"time_zone,omitempty"` // Etc/UTC when empty
	Users    []string `json:"users,omitempty"`     // the first is on call
}

// Schedules are the schedules of an account, with IDs as references.
type Schedules struct{ entries []Schedule }

// All returns a copy of the list, which is not nil.
func (s *Schedules) All() []Schedule { return append([]Schedule{}, s.entries...) }

// ByID returns the schedule with an ID, or nil.
func (s *Schedules) ByID(id string) *Schedule {
	i := slices.IndexFunc(s.entries, func(entry Schedule) bool { return entry.ID == id })
	if i < 0 {
		return nil
	}
	return &s.entries[i]
}

// Matching returns the schedules whose name contains query, regardless of case.
func (s *Schedules) Matching(query string) []Schedule {
	query = strings.ToLower(query)
	var found []Schedule
	for _, entry := range s.entries {
		if strings.Contains(strings.ToLower(entry.Name), query) {
			found = append(found, entry)
		}
	}
	return found
}

// of lists the schedules that a user is on, for a message.
func (s *Schedules) of(userID string) []string {
	var found []string
	for _, entry := range s.entries {
		if slices.Contains(entry.Users, userID) {
			found = append(found, entry.Name+" ("+entry.ID+")")
		}
	}
	return found
}
