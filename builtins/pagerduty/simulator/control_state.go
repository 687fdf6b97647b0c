package simulator

import (
	"net/http"
	"time"
)

// stateView is all that an account holds and has seen. It holds no key.
type stateView struct {
	Now                time.Time          `json:"now"`
	Users              []User             `json:"users"`
	Services           []Service          `json:"services"`
	EscalationPolicies []EscalationPolicy `json:"escalation_policies"`
	Schedules          []Schedule         `json:"schedules"`
	OnCalls            []OnCall           `json:"on_calls"`
	Incidents          []Incident         `json:"incidents"`
	ChangeEvents       []ChangeEvent      `json:"change_events"`
	PendingEvents      int                `json:"pending_events"` // accepted, without effect so far
	Requests           []requestView      `json:"requests"`
	Faults             []FaultCount       `json:"faults"`
	Deliveries         []Delivery         `json:"deliveries"`
}

// requestView is a Request with what its own JSON leaves out.
type requestView struct {
	Request
	At        time.Time `json:"at"`
	Endpoint  string    `json:"endpoint"`
	Key       string    `json:"key,omitempty"`
	BodyHash  string    `json:"body_sha256,omitempty"`
	Processed bool      `json:"processed"`
}

// controlState answers GET /sim/state.
func (s *Simulator) controlState([]byte) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	now := s.timeline.glance()
	view := stateView{
		Now:                now,
		Users:              s.userViews(),
		Services:           s.serviceViews(),
		EscalationPolicies: append([]EscalationPolicy{}, s.policies...),
		Schedules:          append([]Schedule{}, s.schedules...),
		OnCalls:            append([]OnCall{}, s.duties(now)...),
		Incidents:          s.incidentViews(),
		ChangeEvents:       append([]ChangeEvent{}, s.changes...),
		PendingEvents:      len(s.pending),
		Requests:           []requestView{},
		Faults:             s.faults.counts(),
		Deliveries:         append([]Delivery{}, s.webhooks.deliveries...),
	}
	for _, request := range s.requests {
		view.Requests = append(view.Requests, requestView{
			request, request.At, request.Endpoint, request.Key, request.BodyHash, request.Processed,
		})
	}
	return document(http.StatusOK, view)
}

// controlSetState answers POST /sim/state: the account begins anew with another
// starting state. The keys and services of options stay.
func (s *Simulator) controlSetState(body []byte) response {
	state, err := ParseState(body)
	if err != nil {
		return refuseDocument(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings.users = DefaultUsers()
	WithState(state)(&s.settings)
	s.begin()
	return noContent()
}

// faultsView is the fault plan with its counters.
type faultsView struct {
	Faults []faultView `json:"faults"`
}

// faultView is a rule with its counters.
type faultView struct {
	Fault
	Matched int `json:"matched"`
	Applied int `json:"applied"`
}

// controlFaults answers GET /sim/faults.
func (s *Simulator) controlFaults([]byte) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	view := faultsView{Faults: []faultView{}}
	for _, rule := range s.faults.rules {
		view.Faults = append(view.Faults, faultView{rule.Fault, rule.matched, rule.applied})
	}
	return document(http.StatusOK, view)
}

// controlSetFaults answers POST /sim/faults: the rules take the place of those so
// far, and their counters begin at zero.
func (s *Simulator) controlSetFaults(body []byte) response {
	plan, err := ParseFaults(body)
	if err != nil {
		return refuseDocument(err)
	}
	s.SetFaults(plan)
	return s.controlFaults(nil)
}

// controlClearFaults answers DELETE /sim/faults.
func (s *Simulator) controlClearFaults([]byte) response {
	s.SetFaults(FaultPlan{})
	return noContent()
}

// SetFaults puts the rules in the place of those so far, until the next reset. It
// panics when plan.Validate finds fault with them.
func (s *Simulator) SetFaults(plan FaultPlan) {
	if err := plan.Validate(); err != nil {
		panic("simulator.SetFaults: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = newFaultPlan(plan.Faults, s.settings.seed)
}
