package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsers(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"users":[{"id":"P1","name":"Ann","job_title":null}],"more":false}`))
	got, more, err := c.Users(context.Background(), UserFilter{Query: "ann", TeamIDs: []string{"PT1", "PT2"}, Limit: 5})
	if diff := cmp.Diff([]User{{ID: "P1", Name: "Ann"}}, got); err != nil || more || diff != "" {
		t.Errorf("got %v, %v (-want +got):\n%s", more, err, diff)
	}
	if got, want := s.arrived[0].Path, "/users?limit=100&offset=0&query=ann&team_ids%5B%5D=PT1&team_ids%5B%5D=PT2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUpdateUser proves that only what is given is sent.
func TestUpdateUser(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"user":{"id":"P1","name":"Ann Lee","role":"user"}}`))
	got, err := c.UpdateUser(context.Background(), "P1", UserChange{Name: "Ann Lee", Role: "user"})
	if want := (User{ID: "P1", Name: "Ann Lee", Role: "user"}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	sent := s.arrived[0]
	if sent.Method != "PUT" || sent.Path != "/users/P1" || sent.Body != `{"user":{"type":"user","name":"Ann Lee","role":"user"}}` {
		t.Errorf("got %+v", sent)
	}
}

func TestOnCalls(t *testing.T) {
	const second = `{"user":{"id":"P2","summary":"Bob","name":"Bob"},"escalation_level":2,"escalation_policy":{"id":"PE1","summary":"Default"},"schedule":null,"start":null,"end":null}`
	const first = `{"user":{"id":"P1","email":"ann@example.com"},"escalation_level":1,"escalation_policy":{"id":"PE1","summary":"Default"},` +
		`"schedule":{"id":"PC1","summary":"Week"},"start":"2026-01-31T09:00:00Z","end":"2026-02-07T09:00:00Z"}`
	c, s, _ := serve(t, V1, ok(`{"oncalls":[`+second+`,`+first+`],"more":false}`))
	got, _, err := c.OnCalls(context.Background(), OnCallFilter{EscalationPolicyIDs: []string{"PE1"}, ScheduleIDs: []string{"PC1"}, Limit: 10})
	want := []OnCall{
		{User{ID: "P1", Email: "ann@example.com"}, 1, Reference{ID: "PE1", Name: "Default"}, Reference{ID: "PC1", Name: "Week"}, "2026-01-31T09:00:00Z", "2026-02-07T09:00:00Z"},
		{User{ID: "P2", Name: "Bob", Summary: "Bob"}, 2, Reference{ID: "PE1", Name: "Default"}, Reference{}, "", ""},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
	if got, want := s.arrived[0].Path, "/oncalls?escalation_policy_ids%5B%5D=PE1&include%5B%5D=users&limit=100&offset=0&schedule_ids%5B%5D=PC1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRefusedDeletion proves that a refusal names what the user is needed for, with
// links, that it looks at the answers and not only at the question, and that what
// cannot be read does no harm.
func TestRefusedDeletion(t *testing.T) {
	refused := answer{status: 400, body: `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["User cannot be deleted"]}}`}
	incidents := ok(`{"incidents":[{"id":"Q1","summary":"[#1] a","html_url":"https://a/1"},{"id":"Q2","summary":"[#2] b"},{"id":"Q3","summary":"[#3] c"},{"id":"Q4","summary":"[#4] d"}]}`)
	schedules := ok(`{"schedules":[{"id":"PC1","summary":"Week","html_url":"https://a/w","users":[{"id":"P1"}]},{"id":"PC2","summary":"Other","users":[{"id":"P2"}]}]}`)
	policies := ok(`{"escalation_policies":[{"id":"PE1","summary":"Default","html_url":"https://a/e","escalation_rules":[{"targets":[{"id":"PC1"}]},{"targets":[{"id":"P1"}]}]},` +
		`{"id":"PE2","summary":"Other","escalation_rules":[{"targets":[{"id":"P2"}]}]}]}`)
	failed := answer{status: 500}
	for _, test := range []struct {
		name    string
		answers []answer
		want    []string
	}{
		{"everything", []answer{refused, incidents, schedules, policies}, []string{
			"User cannot be deleted", "open incidents: [#1] a https://a/1, [#2] b, [#3] c, and 1 more", "schedules: Week https://a/w", "escalation policies: Default https://a/e",
		}},
		{"nothing readable", []answer{refused, failed}, []string{"User cannot be deleted"}},
		{"one is not readable", []answer{refused, failed, schedules, ok(`{}`)}, []string{"User cannot be deleted", "schedules: Week https://a/w"}},
	} {
		c, s, _ := serve(t, V1, test.answers...)
		err := c.DeleteUser(context.Background(), "P1")
		var f *Error
		if !errors.As(err, &f) || f.Kind != Conflict || f.Sent || s.tries() != 4 {
			t.Fatalf("%s: got %+v after %d requests, want a conflict after 4", test.name, f, s.tries())
		}
		if diff := cmp.Diff(test.want, f.Details); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
		for _, request := range s.arrived[1:] {
			if request.Method != http.MethodGet {
				t.Errorf("%s: got %s %s, want reads only", test.name, request.Method, request.Path)
			}
		}
	}
}

func TestSendChangeEvent(t *testing.T) {
	c, s, _ := serve(t, V1, answer{status: 202, body: `{"status":"success","message":"Change event processed"}`})
	got, err := c.SendChangeEvent(context.Background(), ChangeEvent{
		Summary: "deployed", Source: "ci", Timestamp: "2026-01-31T09:00:00Z", Details: map[string]any{"version": 7},
		Links: []map[string]any{{"href": "https://a/", "text": nil}},
	})
	if want := (ChangeReceipt{"success", "Change event processed"}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	want := `{"routing_key":"` + testServiceKey + `","payload":{"summary":"deployed","source":"ci","timestamp":"2026-01-31T09:00:00Z",` +
		`"custom_details":{"version":7}},"links":[{"href":"https://a/"}]}`
	if sent := s.arrived[0]; sent.Path != "/v2/change/enqueue" || sent.Body != want || sent.Header.Get("Authorization") != "" {
		t.Errorf("got %s %s, want %s", sent.Path, sent.Body, want)
	}
}

// TestMoreLimits proves that what PagerDuty would not take does not leave.
func TestMoreLimits(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name string
		call func(*Client) error
		want string
	}{
		{"incident key as id", func(c *Client) error { _, err := c.IncidentByID(ctx, "db1"); return err }, `"db1" is not the id of an incident`},
		{"status", func(c *Client) error {
			_, _, err := c.Incidents(ctx, IncidentFilter{Statuses: []string{"open"}, Limit: 1})
			return err
		}, `there is no status "open"`},
		{"service", func(c *Client) error {
			_, _, err := c.Incidents(ctx, IncidentFilter{ServiceIDs: []string{"../x"}, Limit: 1})
			return err
		}, "is not the id of a service"},
		{"escalation policy", func(c *Client) error {
			_, _, err := c.OnCalls(ctx, OnCallFilter{EscalationPolicyIDs: []string{"x"}, Limit: 1})
			return err
		}, "is not the id of an escalation policy"},
		{"note", func(c *Client) error { _, err := c.AddNote(ctx, NewNote{IncidentID: "Q1", Content: " "}); return err }, "the content of the note is empty"},
		{"long note", func(c *Client) error {
			_, err := c.AddNote(ctx, NewNote{IncidentID: "Q1", Content: strings.Repeat("x", maxNote+1)})
			return err
		}, "at most 25,000"},
		{"target status", func(c *Client) error {
			_, err := c.UpdateIncidents(ctx, IncidentsUpdate{IDs: []string{"Q1"}, Status: "triggered"})
			return err
		}, `the status "triggered"`},
		{"many", func(c *Client) error {
			_, err := c.UpdateIncidents(ctx, IncidentsUpdate{IDs: make([]string, MaxListed+1), Status: "resolved"})
			return err
		}, "there are 10,001 ids"},
		{"nothing to change", func(c *Client) error { _, err := c.UpdateUser(ctx, "P1", UserChange{}); return err }, "there is nothing to change"},
		{"blank name", func(c *Client) error { _, err := c.UpdateUser(ctx, "P1", UserChange{Name: " "}); return err }, "the name of the user is empty"},
		{"role", func(c *Client) error { _, err := c.UpdateUser(ctx, "P1", UserChange{Role: "king"}); return err }, `there is no role "king"`},
		{"address", func(c *Client) error { _, err := c.UpdateUser(ctx, "P1", UserChange{Email: "ann@"}); return err }, "at least 6"},
		{"job title", func(c *Client) error {
			_, err := c.UpdateUser(ctx, "P1", UserChange{JobTitle: strings.Repeat("x", 101)})
			return err
		}, "job_title is 101 characters long"},
		{"summary", func(c *Client) error { _, err := c.SendChangeEvent(ctx, ChangeEvent{}); return err }, "summary is empty"},
		{"long summary", func(c *Client) error {
			_, err := c.SendChangeEvent(ctx, ChangeEvent{Summary: strings.Repeat("x", 1025)})
			return err
		}, "at most 1,024"},
		{"time", func(c *Client) error {
			_, err := c.SendChangeEvent(ctx, ChangeEvent{Summary: "x", Timestamp: "noon"})
			return err
		}, `timestamp is "noon"`},
		{"link", func(c *Client) error {
			_, err := c.SendChangeEvent(ctx, ChangeEvent{Summary: "x", Links: []map[string]any{{"text": "x"}}})
			return err
		}, "links[1] has no href"},
		{"key", func(c *Client) error {
			_, err := c.SendChangeEvent(ctx, ChangeEvent{Summary: "x", ServiceKey: testAPIKey})
			return err
		}, "looks like a REST API key"},
	} {
		c, s, _ := serve(t, V1, ok(`{}`))
		err := test.call(c)
		var f *Error
		if !errors.As(err, &f) || f.Kind != InvalidInput || !strings.Contains(err.Error(), test.want) || s.tries() != 0 {
			t.Errorf("%s: got %v after %d requests, want %q after none", test.name, err, s.tries(), test.want)
		}
	}
	c, s, _ := serve(t, V1, ok(`{}`))
	c.config.FromEmail = ""
	for _, call := range []func() error{
		func() error { _, err := c.AddNote(ctx, NewNote{IncidentID: "Q1", Content: "x"}); return err },
		func() error {
			_, err := c.UpdateIncidents(ctx, IncidentsUpdate{IDs: []string{"Q1"}, Status: "resolved"})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "there is no From address") || s.tries() != 0 {
			t.Errorf("got %v after %d requests, want no From address after none", err, s.tries())
		}
	}
}
