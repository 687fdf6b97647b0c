package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// TestAccountWithoutHTTP uses an account as a Go type: an event opens an incident, which
// blocks the deletion of its assignee until it is resolved.
func TestAccountWithoutHTTP(t *testing.T) {
	now := time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)
	var announced []string
	config := account.Config{
		Users:    account.DefaultUsers(),
		Glance:   func() time.Time { return now },
		Announce: func(change account.Announcement) { announced = append(announced, change.Event) },
	}
	config.GenerateKeys()
	a := account.New(config)
	source, ok := a.Integration(a.Services.Keys()[0], account.EventsV2)
	if !ok {
		t.Fatal("the generated key reaches no service")
	}
	a.Accept(account.Event{Action: account.Trigger, Source: source, IncidentKey: "disk", Description: "Disk is full"}, now)
	incident := a.Incidents.All()[0]
	var blockers account.Invalid
	if err := a.DeleteUser(incident.Assignees[0]); !errors.As(err, &blockers) || !strings.Contains(err.Error(), incident.ID) {
		t.Errorf("got %v, want the open incident as the blocker", err)
	}
	resolve := account.IncidentChange{Status: account.Resolved}
	if _, err := a.ChangeIncident(incident.ID, resolve, nil, incident.Assignees[0], now); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ChangeIncident(incident.ID, resolve, nil, incident.Assignees[0], now); !errors.Is(err, account.ErrAlreadyResolved) {
		t.Errorf("got %v, want %v", err, account.ErrAlreadyResolved)
	}
	if err := a.DeleteUser(incident.Assignees[0]); err != nil {
		t.Errorf("got %v, want the user to be deleted", err)
	}
	if diff := cmp.Diff([]string{account.IncidentTriggered, account.IncidentResolved}, announced); diff != "" {
		t.Error(diff)
	}
}
