package account

import (
	"slices"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
)

// EventAction is what an event does to an incident.
type EventAction string

// The actions of events.
const (
	Trigger     EventAction = "trigger"
	Acknowledge EventAction = "acknowledge"
	Resolve     EventAction = "resolve"
)

// IsKnown reports whether the action is one of the constants.
func (a EventAction) IsKnown() bool { return a == Trigger || a == Acknowledge || a == Resolve }

// Event is an alert event, as both Events APIs understand it.
type Event struct {
	Action      EventAction
	Source      *Integration // to which the event was sent
	IncidentKey string       // generated when empty
	Description string
	Severity    string // v2 only
	Details     any
	Channel     string // ChannelV1 or ChannelV2
}

// key identifies the problem that the event reports. Events with the same key concern
// one incident.
func (e Event) key() alertKey { return alertKey{e.Source.Service.ID, e.IncidentKey} }

// pendingEvent is an event that was accepted and has not taken effect yet.
type pendingEvent struct {
	event Event
	due   time.Time
}

// Accept takes an event and lets it take effect, at once or later, and returns its
// incident key. Events with one key take effect in the order in which they were
// accepted, whatever the delay of each.
func (a *Account) Accept(e Event, at time.Time) (incidentKey string) {
	if e.IncidentKey == "" {
		e.IncidentKey = a.Identifiers.IncidentKey()
	}
	delay := a.eventDelay()
	if delay == 0 && len(a.pending) == 0 {
		a.process(e, at)
		return e.IncidentKey
	}
	due := at.Add(delay)
	for _, earlier := range a.pending {
		if earlier.event.key() == e.key() && earlier.due.After(due) {
			due = earlier.due
		}
	}
	a.pending = append(a.pending, pendingEvent{e, due})
	if a.config.Delayed != nil {
		a.config.Delayed(due.Sub(at))
	}
	return e.IncidentKey
}

// eventDelay draws the delay of the next event, between the bounds of the
// configuration.
func (a *Account) eventDelay() time.Duration {
	least, most := a.config.LeastDelay, a.config.MostDelay
	if least == most {
		return least
	}
	a.delayed++
	return least + time.Duration(seeded.Fraction(a.config.Seed, "event delay", a.delayed)*float64(most-least))
}

// Pending returns the number of events that were accepted and have not taken effect.
func (a *Account) Pending() int { return len(a.pending) }

// Settle lets the events take effect that are due at now, each at its time.
func (a *Account) Settle(now time.Time) {
	var due []pendingEvent
	a.pending = slices.DeleteFunc(a.pending, func(p pendingEvent) bool {
		if p.due.After(now) {
			return false
		}
		due = append(due, p)
		return true
	})
	slices.SortStableFunc(due, func(a, b pendingEvent) int { return a.due.Compare(b.due) })
	for _, p := range due {
		a.Remember(p.due)
		a.process(p.event, p.due)
	}
}

// process lets an event take effect. An event without effect is dropped. Its sender is
// not informed; the service behaves the same.
func (a *Account) process(e Event, at time.Time) {
	current := a.Incidents.open[e.key()]
	announced := ""
	switch {
	case e.Action == Trigger:
		if current == nil {
			current = a.newIncident(e.Source.Service, e.IncidentKey, e.Description, at)
			a.Incidents.add(current)
			announced = IncidentTriggered
		}
		current.Description = e.Description
		a.raiseAlert(current, e, at)
	case current == nil, e.Action == Acknowledge && current.Status == Acknowledged:
		return
	case e.Action == Acknowledge:
		current.enter(Acknowledged, "", at)
		announced = IncidentAcknowledged
	case e.Action == Resolve:
		current.enter(Resolved, "", at)
		a.Incidents.close(current)
		announced = IncidentResolved
	}
	a.record(current, LogEntry{Type: string(e.Action), Description: e.Description, At: at}, e.Channel, "")
	if announced != "" {
		a.announce(announced, current, "", at)
	}
}
