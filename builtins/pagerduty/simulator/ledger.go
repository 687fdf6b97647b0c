package simulator

import (
	"slices"
	"time"
)

// alertKey is what makes two events speak of the same problem. The same
// incident key at another service is another problem.
type alertKey struct {
	serviceID   string
	incidentKey string
}

// ledger is all incidents of an account in the order of their opening.
type ledger struct {
	entries []*incident
	open    map[alertKey]*incident
	onCall  string // the ID of the user to whom incidents are assigned
}

func newLedger() ledger { return ledger{open: map[alertKey]*incident{}} }

// isAssigned reports whether a user has an open incident.
func (l *ledger) isAssigned(userID string) bool {
	for _, open := range l.open {
		if open.assignee == userID {
			return true
		}
	}
	return false
}

func (l *ledger) byID(id string) *incident {
	i := slices.IndexFunc(l.entries, func(entry *incident) bool { return entry.ID == id })
	if i < 0 {
		return nil
	}
	return l.entries[i]
}

// process lets an event take effect at a service and returns the incident key.
// An event without effect is dropped; its sender is not told, which is how the
// service does it.
func (s *Simulator) process(e event, service *integration, at time.Time) (incidentKey string) {
	if e.incidentKey == "" {
		e.incidentKey = s.identifiers.incidentKey()
	}
	key := alertKey{service.ID, e.incidentKey}
	current := s.incidents.open[key]
	switch {
	case e.action == trigger && current == nil:
		current = s.openIncident(e, service, at)
		s.incidents.open[key] = current
	case e.action == trigger:
		current.Description = e.description
	case current == nil:
		return e.incidentKey
	case e.action == acknowledge && current.Status == Acknowledged:
		return e.incidentKey
	case e.action == acknowledge:
		current.enter(Acknowledged, at)
	case e.action == resolve:
		current.enter(Resolved, at)
		delete(s.incidents.open, key)
	}
	current.record(e, at)
	return e.incidentKey
}

// openIncident assigns the new incident to the user on call. Without one the
// real service opens none; the simulator opens it unassigned, so that an account
// without users can still be tested.
func (s *Simulator) openIncident(e event, service *integration, at time.Time) *incident {
	opened := &incident{
		Incident: Incident{
			ID:          s.identifiers.incident(),
			Key:         e.incidentKey,
			Status:      Triggered,
			Description: e.description,
			Service:     service.Name,
			CreatedAt:   at,
		},
		number:          len(s.incidents.entries) + 1,
		service:         service.Service,
		statusChangedAt: at,
	}
	if s.users.byID(s.incidents.onCall) != nil {
		opened.assignee = s.incidents.onCall
	}
	s.incidents.entries = append(s.incidents.entries, opened)
	return opened
}
