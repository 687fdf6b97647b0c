package clients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/PagerDuty/go-pagerduty"
	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

func (a *listening) client() *pagerduty.Client {
	return pagerduty.NewClient(apiKey, pagerduty.WithAPIEndpoint(a.url), pagerduty.WithV2EventsAPIEndpoint(a.url))
}

// TestUsers makes, finds, changes and deletes users, over several pages.
func TestUsers(t *testing.T) {
	a, ctx := newAccount(t), context.Background()
	c, before := a.client(), len(a.Users())
	var ids []string
	for i := range 60 {
		made, err := c.CreateUserWithContext(ctx, pagerduty.User{Name: fmt.Sprint("User ", i), Email: fmt.Sprintf("user%d@example.com", i), Role: "limited_user"})
		if err != nil {
			t.Fatal(err)
		}
		if made.ID == "" || made.Email != fmt.Sprintf("user%d@example.com", i) || made.Role != "limited_user" {
			t.Fatalf("got %+v", made)
		}
		ids = append(ids, made.ID)
	}
	seen := map[string]bool{}
	for offset, more := uint(0), true; more; offset += 25 {
		page, err := c.ListUsersWithContext(ctx, pagerduty.ListUsersOptions{Limit: 25, Offset: offset, Total: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			seen[u.ID] = true
		}
		if more = page.More; page.Total != uint(60+before) {
			t.Errorf("got a total of %d, want %d", page.Total, 60+before)
		}
	}
	if len(seen) != 60+before {
		t.Errorf("got %d users over all pages, want %d", len(seen), 60+before)
	}
	got, err := c.GetUserWithContext(ctx, ids[7], pagerduty.GetUserOptions{Includes: []string{"contact_methods"}})
	if err != nil || got.Name != "User 7" || len(got.ContactMethods) != 1 || got.ContactMethods[0].Address != "user7@example.com" {
		t.Errorf("got %+v, %v", got, err)
	}
	got.JobTitle = "SRE"
	if changed, err := c.UpdateUserWithContext(ctx, *got); err != nil || changed.JobTitle != "SRE" {
		t.Errorf("got %+v, %v", changed, err)
	}
	if err := c.DeleteUserWithContext(ctx, ids[7]); err != nil {
		t.Error(err)
	}
	_, err = c.GetUserWithContext(ctx, ids[7], pagerduty.GetUserOptions{})
	var refusal pagerduty.APIError
	if !errors.As(err, &refusal) || refusal.StatusCode != http.StatusNotFound || !refusal.NotFound() {
		t.Errorf("got %v, want a 404", err)
	}
	if got := len(a.Users()); got != 59+before {
		t.Errorf("the account has %d users, want %d", got, 59+before)
	}
}

// TestRefusals: the client understands the errors of the simulator as it does PagerDuty's.
func TestRefusals(t *testing.T) {
	a, ctx := newAccount(t), context.Background()
	_, err := a.client().CreateUserWithContext(ctx, pagerduty.User{Name: "Ops", Email: "ops@example.com"})
	var refusal pagerduty.APIError
	if !errors.As(err, &refusal) || refusal.StatusCode != http.StatusBadRequest || !refusal.APIError.Valid || refusal.APIError.ErrorObject.Code != 2001 {
		t.Errorf("an address that is taken: got %v", err)
	} else if diff := cmp.Diff([]string{"Email has already been taken"}, refusal.APIError.ErrorObject.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	stranger := pagerduty.NewClient("u+ThisKeyIsNotOurs12", pagerduty.WithAPIEndpoint(a.url))
	_, err = stranger.ListUsersWithContext(ctx, pagerduty.ListUsersOptions{})
	if !errors.As(err, &refusal) || refusal.StatusCode != http.StatusUnauthorized {
		t.Errorf("an unknown key: got %v, want a 401", err)
	}
	limited := newAccount(t, simulator.WithFaults(fault.Fault{Do: fault.RateLimited}))
	_, err = limited.client().ListUsersWithContext(ctx, pagerduty.ListUsersOptions{})
	if !errors.As(err, &refusal) || !refusal.RateLimited() || !refusal.Temporary() {
		t.Errorf("a limit: got %v, want one that is temporary", err)
	}
}

// TestEventsV2 triggers, acknowledges and resolves one incident.
func TestEventsV2(t *testing.T) {
	a, ctx := newAccount(t), context.Background()
	c := a.client()
	event := pagerduty.V2Event{
		RoutingKey: serviceKey, Action: "trigger", DedupKey: "disk-db1",
		Payload: &pagerduty.V2Payload{Summary: "disk full", Source: "db1", Severity: "critical", Details: map[string]any{"used": 99}},
	}
	for _, step := range []struct {
		action string
		want   account.Status
	}{{"trigger", "triggered"}, {"trigger", "triggered"}, {"acknowledge", "acknowledged"}, {"resolve", "resolved"}} {
		event.Action = step.action
		receipt, err := c.ManageEventWithContext(ctx, &event)
		if err != nil || receipt.Status != "success" || receipt.DedupKey != "disk-db1" {
			t.Fatalf("%s: got %+v, %v", step.action, receipt, err)
		}
		if got := a.only(t).Status; got != step.want {
			t.Errorf("after %s: got %s, want %s", step.action, got, step.want)
		}
	}
	event.RoutingKey, event.Action = "00000000000000000000000000000000", "trigger"
	if _, err := c.ManageEventWithContext(ctx, &event); err == nil {
		t.Error("an unknown key: got no error")
	}
	if _, err := c.CreateChangeEventWithContext(ctx, pagerduty.ChangeEvent{
		RoutingKey: serviceKey, Payload: pagerduty.ChangeEventPayload{Summary: "deployed", Source: "ci"},
	}); err != nil {
		t.Error(err)
	}
	if got := a.ChangeEvents(); len(got) != 1 || got[0].Summary != "deployed" {
		t.Errorf("got the change events %+v", got)
	}
}

// TestIncidents lists, reads, annotates and resolves incidents.
func TestIncidents(t *testing.T) {
	a, ctx := newAccount(t), context.Background()
	c := a.client()
	if _, err := c.ManageEventWithContext(ctx, &pagerduty.V2Event{
		RoutingKey: serviceKey, Action: "trigger", DedupKey: "k", Payload: &pagerduty.V2Payload{Summary: "trouble", Source: "s", Severity: "error"},
	}); err != nil {
		t.Fatal(err)
	}
	a.Settle()
	listed, err := c.ListIncidentsWithContext(ctx, pagerduty.ListIncidentsOptions{Statuses: []string{"triggered"}, IncidentKey: "k"})
	if err != nil || len(listed.Incidents) != 1 || listed.Incidents[0].Title != "trouble" {
		t.Fatalf("got %+v, %v", listed, err)
	}
	id := listed.Incidents[0].ID
	read, err := c.GetIncidentWithContext(ctx, id)
	if err != nil || read.IncidentKey != "k" || read.Status != "triggered" || read.Service.Summary != "Database" {
		t.Errorf("got %+v, %v", read, err)
	}
	if _, err := c.CreateIncidentNoteWithContext(ctx, id, pagerduty.IncidentNote{Content: "on it", User: pagerduty.APIObject{Summary: "ops@example.com"}}); err != nil {
		t.Error(err)
	}
	notes, err := c.ListIncidentNotesWithContext(ctx, id)
	if err != nil || len(notes) != 1 || notes[0].Content != "on it" {
		t.Errorf("got the notes %+v, %v", notes, err)
	}
	for _, status := range []string{"acknowledged", "resolved"} {
		if _, err := c.ManageIncidentsWithContext(ctx, "ops@example.com", []pagerduty.ManageIncidentsOptions{{ID: id, Status: status}}); err != nil {
			t.Error(err)
		}
		if got := string(a.only(t).Status); got != status {
			t.Errorf("got %s, want %s", got, status)
		}
	}
	onCall, err := c.ListOnCallsWithContext(ctx, pagerduty.ListOnCallOptions{})
	if err != nil || len(onCall.OnCalls) == 0 || onCall.OnCalls[0].User.ID == "" {
		t.Errorf("got %+v, %v", onCall, err)
	}
}
