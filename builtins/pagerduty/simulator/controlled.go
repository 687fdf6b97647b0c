package simulator

import (
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/control"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

// controlled is a Simulator as the control API sees it.
type controlled struct{ *Simulator }

var _ control.Target = controlled{}

// State returns everything that the simulator holds and has seen.
func (c controlled) State() control.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	now := c.timeline.Glance()
	return control.State{
		Now:                now,
		Users:              c.account.Users.Views(),
		Services:           c.account.Services.Views(),
		EscalationPolicies: c.account.Policies.All(),
		Schedules:          c.account.Schedules.All(),
		OnCalls:            append([]account.OnCall{}, c.account.Duties(now)...),
		Incidents:          c.account.Incidents.Views(),
		ChangeEvents:       append([]account.ChangeEvent{}, c.account.Changes...),
		PendingEvents:      c.account.Pending(),
		Requests:           account.Each(c.requests, control.ViewRequest),
		Faults:             c.faults.Counts(),
		Deliveries:         c.webhooks.Deliveries(),
	}
}

// SetState starts again with another starting state. The keys and services of options
// stay.
func (c controlled) SetState(state account.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settings.account.Users = account.DefaultUsers()
	WithState(state)(&c.settings)
	c.begin()
}

// Rules returns the rules of the fault plan with their counters.
func (c controlled) Rules() []fault.Rule {
	return locked(c.Simulator, func() []fault.Rule { return c.faults.Rules() })
}

// Now returns the time of the account.
func (c controlled) Now() time.Time { return c.timeline.Glance() }

// Advance moves the time of the account forward. What becomes due happens.
func (c controlled) Advance(by time.Duration) {
	c.timeline.Jump(by)
	c.Settle()
}
