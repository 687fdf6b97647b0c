package client

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
