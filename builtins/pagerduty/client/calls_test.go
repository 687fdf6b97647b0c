package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNullTexts proves that a field which PagerDuty has no value for is empty.
func TestNullTexts(t *testing.T) {
	c, _, _ := serve(t, V1, ok(`{"user":{"id":"P1","name":"Ann","description":null,"job_title":null,"billed":true}}`))
	got, err := c.UserByID(context.Background(), "P1")
	if want := (User{ID: "P1", Name: "Ann"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestOAuthToken proves that a key of another shape is sent as a bearer token.
func TestOAuthToken(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"user":{"id":"P1"}}`))
	c.config.APIKey = "pdus+_0XBPWQQ_dfabcdef-0123-4567-89ab"
	if _, err := c.UserByID(context.Background(), "P1"); err != nil {
		t.Fatal(err)
	}
	if got := s.arrived[0].Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer ") {
		t.Errorf("got Authorization %q, want a bearer token", got)
	}
}

// TestUserByEmail proves that only the whole address matches, ignoring case, and
// that every page is looked at: PagerDuty's own search matches parts.
func TestUserByEmail(t *testing.T) {
	first := `{"users":[{"id":"P1","email":"joann@example.com"},{"id":"P2","email":"ann@example.com.au"}],"more":true}`
	second := `{"users":[{"id":"P3","email":"Ann@Example.com"}],"more":false}`
	c, s, _ := serve(t, V1, ok(first), ok(second))
	user, found, err := c.UserByEmail(context.Background(), "ann@example.com")
	if err != nil || !found || user.ID != "P3" {
		t.Errorf("got %v, %v, %v, want P3", user, found, err)
	}
	want := []string{"/users?limit=100&offset=0&query=ann%40example.com", "/users?limit=100&offset=100&query=ann%40example.com"}
	if diff := cmp.Diff(want, []string{s.arrived[0].Path, s.arrived[1].Path}); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	c, _, _ = serve(t, V1, ok(strings.Replace(first, "true", "false", 1)))
	if _, found, err := c.UserByEmail(context.Background(), "ann@example.com"); found || err != nil {
		t.Errorf("similar addresses: got %v, %v, want not found", found, err)
	}
}

// TestUserByEmailEnds proves that the look-up stops where PagerDuty's pagination
// does, and says so instead of "not found".
func TestUserByEmailEnds(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"users":[],"more":true}`))
	_, _, err := c.UserByEmail(context.Background(), "ann@example.com")
	if err == nil || s.tries() != 100 {
		t.Errorf("got %v after %d pages, want an error after 100", err, s.tries())
	}
}

func TestUnreadableSuccess(t *testing.T) {
	c, _, _ := serve(t, V1, answer{status: 201, body: "<html>"})
	_, err := c.CreateUser(context.Background(), NewUser{Email: "ann@example.com", Name: "Ann"})
	var f *Error
	if !errors.As(err, &f) || f.Kind != Unavailable || !f.Sent {
		t.Errorf("got %+v, want unavailable and sent", f)
	}
}

func TestAccount(t *testing.T) {
	me := `{"user":{"name":"Ann","email":"ann@example.com","role":"%s","html_url":"https://acme.pagerduty.com/users/P1"}}`
	list := `{"users":[{"html_url":"https://acme.pagerduty.com/users/P1"}]}`
	for _, test := range []struct {
		answers []answer
		want    Account
	}{
		{[]answer{ok(fmt.Sprintf(me, "admin"))}, Account{"user", "acme", "Ann", "ann@example.com", "admin", "yes"}},
		{[]answer{ok(fmt.Sprintf(me, "limited_user"))}, Account{"user", "acme", "Ann", "ann@example.com", "limited_user", "no"}},
		{[]answer{{status: 400}, ok(list)}, Account{KeyKind: "account", Subdomain: "acme", CanCreateUsers: "unknown"}},
		{[]answer{{status: 404}, ok(`{"users":[]}`)}, Account{KeyKind: "account", CanCreateUsers: "unknown"}},
	} {
		c, _, _ := serve(t, V1, test.answers...)
		got, err := c.Account(context.Background())
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("got %v (-want +got):\n%s", err, diff)
		}
	}
	c, _, _ := serve(t, V1, answer{status: 401})
	if _, err := c.Account(context.Background()); err == nil {
		t.Error("a wrong key: got no error")
	}
}

func TestMissingKeys(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	var f *Error
	if _, err := c.UserByID(context.Background(), "P1"); !errors.As(err, &f) || f.Kind != Unauthorized || !strings.Contains(f.Message, "PAGERDUTY_API_KEY") {
		t.Errorf("got %v, want unauthorized and the variable to set", err)
	}
	_, err = c.SendEvent(context.Background(), Event{Action: Trigger, Description: "x"})
	if !errors.As(err, &f) || !strings.Contains(f.Message, "service_key in the step") || !strings.Contains(f.Message, "PAGERDUTY_SERVICE_KEY") {
		t.Errorf("got %v, want both places where the key can be set", err)
	}
}

// TestEmptyDetails proves that an empty object is sent as one, and that what was
// not given is left out.
func TestEmptyDetails(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{}`))
	for _, details := range []map[string]any{nil, {}} {
		if _, err := c.SendEvent(context.Background(), Event{Action: Trigger, Description: "x", Details: details}); err != nil {
			t.Fatal(err)
		}
	}
	if got := decode(t, s.arrived[0].Body); len(got) != 3 {
		t.Errorf("got the fields %v, want service_key, event_type and description", got)
	}
	if got, ok := decode(t, s.arrived[1].Body)["details"].(map[string]any); !ok || len(got) != 0 {
		t.Errorf("got details %v, want an empty object", got)
	}
}
