package client

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// TestLimits proves the limits of users and keys.
func TestLimits(t *testing.T) {
	user := func(change func(*NewUser)) func() error {
		u := NewUser{Email: "ann@example.com", Name: "Ann", FromEmail: "ops@example.com"}
		change(&u)
		return func() error { return ValidateNewUser(u) }
	}
	for _, test := range []struct {
		name  string
		check func() error
		want  string // a part of the error; empty: none
	}{
		{"key", func() error { return ValidateServiceKey(testServiceKey) }, ""},
		{"short key", func() error { return ValidateServiceKey("abc") }, "the service key is 3 characters long; an integration key has 32"},
		{"REST key", func() error { return ValidateServiceKey(testAPIKey) }, "looks like a REST API key (20 characters)"},
		{"odd key", func() error { return ValidateServiceKey(strings.Repeat("-", 32)) }, "other than letters and digits"},
		{"user", user(func(*NewUser) {}), ""},
		{"no name", user(func(u *NewUser) { u.Name = " " }), "the name of the user is empty"},
		{"long name", user(func(u *NewUser) { u.Name = strings.Repeat("n", 101) }), "the name of the user is 101 characters long; PagerDuty takes at most 100"},
		{"odd role", user(func(u *NewUser) { u.Role = "king" }), `there is no role "king"`},
		{"no From", user(func(u *NewUser) { u.FromEmail = "" }), "there is no From address"},
		{"odd From", user(func(u *NewUser) { u.FromEmail = "ops" }), "from_email: "},
		{"short address", user(func(u *NewUser) { u.Email = "a@b.c" }), "5 characters long; PagerDuty takes at least 6"},
		{"long address", user(func(u *NewUser) { u.Email = strings.Repeat("a", 90) + "@example.com" }), "102 characters long; PagerDuty takes at most 100"},
		{"no address", user(func(u *NewUser) { u.Email = "example.com" }), "is not an e-mail address"},
		{"odd space", user(func(u *NewUser) { u.Email = "ann\u00a0lee@example.com" }), "is not an e-mail address"},
		{"header", user(func(u *NewUser) { u.Email = "ann@example.com\r\nX: y" }), "is not an e-mail address"},
	} {
		err := test.check()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: got %v, want no error", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

// TestMoreLimits proves that a call with invalid input sends nothing.
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
		{"no key", func(c *Client) error {
			_, err := c.SendEvent(ctx, event.Alert{Action: event.Resolve, Description: "x"})
			return err
		}, "incident_key is empty; it says which incident to resolve"},
		{"odd action", func(c *Client) error {
			_, err := c.SendEvent(ctx, event.Alert{Action: "poke", IncidentKey: "k"})
			return err
		}, `there is no event "poke"`},
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

func TestUserID(t *testing.T) {
	for _, id := range []string{"", "me", "..", "P1/..", "P1?x", "P1#", "P 1", "p1", "P1%2F", "É"} {
		if ValidateUserID(id) == nil {
			t.Errorf("%q passes as the id of a user", id)
		}
	}
	if err := ValidateUserID("PXPGF42"); err != nil {
		t.Error(err)
	}
}

// TestConfig proves which configurations New refuses, and that the error shows no key.
func TestConfig(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string // a part of the error; empty: none
	}{
		{Config{}, ""},
		{Config{Region: "eu"}, ""},
		{Config{Region: "mars"}, "the region must be us or eu"},
		{Config{EventsAPI: "v3"}, "the Events API must be v1 or v2"},
		{Config{APIURL: "http://127.0.0.1:8080/"}, ""},
		{Config{APIURL: "http://[::1]:8080"}, ""},
		{Config{APIURL: "https://proxy.example.com/pagerduty/"}, ""},
		{Config{APIURL: "http://api.example.com"}, "the API URL must be https"},
		{Config{EventsURL: "ftp://x"}, "the events URL must be https"},
		{Config{APIURL: "https://user:" + testAPIKey + "@x"}, "without user"},
		{Config{APIURL: "https://x?a=b"}, "without user, query and fragment"},
		{Config{APIURL: "https://x?"}, "without user, query and fragment"},
		{Config{EventsURL: "https://x#"}, "the events URL must be like"},
		{Config{ServiceKey: testServiceKey + " "}, "the service key (PAGERDUTY_SERVICE_KEY) must be visible ASCII"},
		{Config{UserAgent: "pdflow\r\nX: y"}, "the user agent"},
		{Config{APIKey: testAPIKey + "\n"}, "the API key (PAGERDUTY_API_KEY) must be visible ASCII"},
	} {
		_, err := New(test.config)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%v: got %v, want no error", test.config, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%v: got %v, want %q", test.config, err, test.want)
		}
		if err != nil {
			keyless(t, err.Error())
		}
	}
}

func TestRegions(t *testing.T) {
	for region, want := range map[Region]string{"": "https://api.pagerduty.com", EU: "https://api.eu.pagerduty.com"} {
		c, err := New(Config{Region: region})
		if err != nil || c.APIURL() != want {
			t.Errorf("%q: got %v, %v, want %s", region, c.APIURL(), err, want)
		}
	}
}

// FuzzValidate proves that a text that passes cannot change the URL that it becomes a
// part of.
func FuzzValidate(f *testing.F) {
	for _, seed := range []string{"PABC123", "me", "../users", "ann@example.com", "a+b@x.y", "ann@example.com?x=y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if ValidateUserID(text) == nil && "/users/"+text != "/users/"+url.PathEscape(text) {
			t.Errorf("the id %q changes the URL", text)
		}
		if ValidateEmail(text) != nil {
			return
		}
		u, err := url.Parse("https://x/users?" + url.Values{"query": {text}}.Encode())
		if err != nil || u.Query().Get("query") != text || u.Path != "/users" {
			t.Errorf("the address %q changes the URL", text)
		}
	})
}
