package control

import (
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// State is everything that a simulator holds and has seen. It holds no key. No list in it
// is nil.
type State struct {
	Now                time.Time                  `json:"now"`
	Users              []account.User             `json:"users"`
	Services           []account.ServiceView      `json:"services"`
	EscalationPolicies []account.EscalationPolicy `json:"escalation_policies"`
	Schedules          []account.Schedule         `json:"schedules"`
	OnCalls            []account.OnCall           `json:"on_calls"`
	Incidents          []account.IncidentView     `json:"incidents"`
	ChangeEvents       []account.ChangeEvent      `json:"change_events"`
	PendingEvents      int                        `json:"pending_events"` // accepted, not yet in effect
	Requests           []RequestView              `json:"requests"`
	Faults             []fault.Count              `json:"faults"`
	Deliveries         []webhook.Delivery         `json:"deliveries"`
}

// RequestView is a request with the fields that its own JSON leaves out.
type RequestView struct {
	api.Request
	At        time.Time `json:"at"`
	Endpoint  string    `json:"endpoint"`
	Key       string    `json:"key,omitempty"`
	BodyHash  string    `json:"body_sha256,omitempty"`
	Processed bool      `json:"processed"`
}

// ViewRequest returns the view of a request.
func ViewRequest(r api.Request) RequestView {
	return RequestView{r, r.At, r.Endpoint, r.Key, r.BodyHash, r.Processed}
}
