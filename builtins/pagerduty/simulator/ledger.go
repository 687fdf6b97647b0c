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
	onCall  string // the ID of the user whom the default escalation policy pages
}

func newLedger() ledger { return ledger{open: map[alertKey]*incident{}} }

func (l *ledger) clone() ledger {
	copied := ledger{open: make(map[alertKey]*incident, len(l.open)), onCall: l.onCall}
	for _, entry := range l.entries {
		kept := entry.clone()
		copied.entries = append(copied.entries, kept)
		if l.open[entry.key()] == entry {
			copied.open[kept.key()] = kept
		}
	}
	return copied
}

// openOf lists the open incidents of a user.
func (l *ledger) openOf(userID string) []string {
	var found []string
	for _, entry := range l.entries {
		if entry.isOpen() && slices.Contains(entry.assignees, userID) {
			found = append(found, entry.ID)
		}
	}
	return found
}

// byID returns the incident with an ID, or nil.
func (l *ledger) byID(id string) *incident {
	i := slices.IndexFunc(l.entries, func(entry *incident) bool { return entry.ID == id })
	if i < 0 {
		return nil
	}
	return l.entries[i]
}

// add opens an incident, or keeps a resolved one.
func (l *ledger) add(added *incident) {
	added.number = len(l.entries) + 1
	l.entries = append(l.entries, added)
	if added.isOpen() {
		l.open[added.key()] = added
	}
}

// close takes a resolved incident out of the way of the next one with its key.
func (l *ledger) close(resolved *incident) { delete(l.open, resolved.key()) }

// process lets an event take effect. An event without effect is dropped; its
// sender is not told, which is how the service does it.
func (s *Simulator) process(e event, at time.Time) {
	key := alertKey{e.source.service.ID, e.incidentKey}
	current := s.incidents.open[key]
	switch {
	case e.action == trigger && current == nil:
		current = s.openIncident(s.newIncident(e.source.service, e.incidentKey, e.description, at))
		s.raiseAlert(current, e, at)
		s.note(current, e, at)
		s.announce(incidentTriggered, current, "", at)
		return
	case e.action == trigger:
		current.Description = e.description
		s.raiseAlert(current, e, at)
	case current == nil:
		return
	case e.action == acknowledge && current.Status == Acknowledged:
		return
	case e.action == acknowledge:
		current.enter(Acknowledged, at)
		current.changedBy = ""
		s.announce(incidentAcknowledged, current, "", at)
	case e.action == resolve:
		current.enter(Resolved, at)
		current.changedBy = ""
		s.incidents.close(current)
		s.announce(incidentResolved, current, "", at)
	}
	s.note(current, e, at)
}

// note records what an event did.
func (s *Simulator) note(i *incident, e event, at time.Time) {
	s.record(i, LogEntry{Type: string(e.action), Description: e.description, At: at}, e.channel, "")
}

// newIncident returns an incident for whom the service's escalation policy names.
// Without anybody on call the real service opens none; the simulator opens it
// unassigned, so that an account without users can still be tested.
func (s *Simulator) newIncident(at *service, key, title string, now time.Time) *incident {
	return &incident{
		Incident: Incident{
			ID:          s.identifiers.incident(),
			Key:         key,
			Status:      Triggered,
			Description: title,
			Service:     at.Name,
			CreatedAt:   now,
		},
		urgency:         defaultUrgency,
		service:         at.Service,
		policyID:        at.policyID,
		assignees:       s.onCallFor(at.policyID, now),
		statusChangedAt: now,
	}
}

// openIncident puts a new incident into the ledger.
func (s *Simulator) openIncident(opened *incident) *incident {
	s.incidents.add(opened)
	return opened
}
