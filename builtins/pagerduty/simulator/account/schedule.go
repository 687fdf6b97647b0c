package account

import "slices"

// Schedule lists who takes turns being on call. A user on a schedule cannot be deleted.
type Schedule struct {
	ID       string   `json:"id,omitempty"` // generated when empty
	Name     string   `json:"name"`
	TimeZone string   `json:"time_zone,omitempty"` // Etc/UTC when empty
	Users    []string `json:"users,omitempty"`     // the first is on call
}

// Schedules are the schedules of an account, with IDs as references.
type Schedules struct{ entries []*Schedule }

// All returns copies of the schedules.
func (s *Schedules) All() []Schedule {
	return Each(s.entries, func(entry *Schedule) Schedule { return *entry })
}

// ByID returns the schedule with an ID, or nil.
func (s *Schedules) ByID(id string) *Schedule {
	return find(s.entries, func(entry *Schedule) bool { return entry.ID == id })
}

// Matching returns the schedules whose name contains query, regardless of case.
func (s *Schedules) Matching(query string) []*Schedule {
	return Filter(s.entries, func(entry *Schedule) bool { return contains(entry.Name, query) })
}

// of lists the schedules that a user is on, for a message.
func (s *Schedules) of(userID string) []string {
	found := Filter(s.entries, func(entry *Schedule) bool { return slices.Contains(entry.Users, userID) })
	return Each(found, func(entry *Schedule) string { return entry.Name + " (" + entry.ID + ")" })
}
