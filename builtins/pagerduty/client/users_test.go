package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNullTexts proves that a null in the answer becomes an empty text.
func TestNullTexts(t *testing.T) {
	c, _, _ := serve(t, V1, ok(`{"user":{"id":"P1","name":"Ann","description":null,"job_title":null,"billed":true}}`))
	got, err := c.UserByID(context.Background(), "P1")
	if want := (User{ID: "P1", Name: "Ann"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestUserByEmail proves that only the whole address matches, ignoring case, and that
// every page is read: PagerDuty's own search also matches parts.
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

// TestUserByEmailEnds proves that the lookup fails at the end of PagerDuty's pagination.
// It does not report that the user was not found.
func TestUserByEmailEnds(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"users":[],"more":true}`))
	_, _, err := c.UserByEmail(context.Background(), "ann@example.com")
	if err == nil || s.tries() != 100 {
		t.Errorf("got %v after %d pages, want an error after 100", err, s.tries())
	}
}

// TestClampedPages proves that no user is skipped if the server returns smaller pages
// than asked for.
func TestClampedPages(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"users":[],"limit":25,"more":true}`), ok(`{"users":[],"limit":25,"more":false}`))
	if _, found, err := c.UserByEmail(context.Background(), "ann@example.com"); found || err != nil {
		t.Errorf("got %v, %v, want not found", found, err)
	}
	if got, want := s.arrived[1].Path, "/users?limit=100&offset=25&query=ann%40example.com"; got != want {
		t.Errorf("second page: got %s, want %s", got, want)
	}
}

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

// TestUpdateUser proves that only the fields that are given are sent.
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

// TestRefusedDeletion proves that the error of a refused deletion names, with links,
// what still needs the user. It checks the entries of the answers, because the query
// may not have narrowed them. A list that cannot be read does no harm.
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
		{"one list is not readable", []answer{refused, failed, schedules, ok(`{}`)}, []string{"User cannot be deleted", "schedules: Week https://a/w"}},
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
