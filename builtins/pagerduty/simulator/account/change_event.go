package account

import "time"

// ChangeEvent is a change that was reported to a service, such as a deployment. It
// opens no incident.
type ChangeEvent struct {
	Service string    `json:"service"` // the name
	Summary string    `json:"summary"`
	Source  string    `json:"source"`
	At      time.Time `json:"at"`
}

// AddChange adds a change event.
func (a *Account) AddChange(change ChangeEvent) { a.Changes = append(a.Changes, change) }
