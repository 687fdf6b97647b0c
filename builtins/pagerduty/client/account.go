package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// An Account is what a key opens.
type Account struct {
	// KeyKind is "user" for the key of a user, whose rights it has, and "account"
	// for a key of the whole account.
	KeyKind   string `json:"key_kind"`
	Subdomain string `json:"subdomain"` // empty when PagerDuty does not tell
	UserName  string `json:"user_name,omitempty"`
	UserEmail string `json:"user_email,omitempty"`
	Role      string `json:"role,omitempty"`
	// CanCreateUsers is "yes", "no" or "unknown": what a key of the account may do
	// cannot be known without doing it.
	CanCreateUsers string `json:"can_create_users"`
}

// An accountUser is what a user tells of the account.
type accountUser struct {
	Name    string `json:"name"`
	Email   string `json:"email"`
	Role    string `json:"role"`
	HTMLURL string `json:"html_url"`
}

// An ownEnvelope is the answer about the user whose key it is.
type ownEnvelope struct {
	User accountUser `json:"user"`
}

func (e *ownEnvelope) complete() bool { return e.User.Email != "" }

// A firstPage is enough of the list of users to see the account.
type firstPage struct {
	Users []accountUser `json:"users"`
}

func (p *firstPage) complete() bool { return p.Users != nil }

// Account asks which account the API key opens. Only reads are made.
func (c *Client) Account(ctx context.Context) (Account, error) {
	const op = "look at the connection"
	var me ownEnvelope
	err := c.rest(ctx, op, http.MethodGet, "/users/me", reads, nil, &me, "")
	if err == nil {
		return Account{
			KeyKind: "user", Subdomain: subdomain(me.User.HTMLURL), UserName: me.User.Name, UserEmail: me.User.Email,
			Role: me.User.Role, CanCreateUsers: createsUsers(me.User.Role),
		}, nil
	}
	// Only the key of a user has a "me"; PagerDuty answers the others with 400, and
	// is said to have answered 404.
	var failure *Error
	if !errors.As(err, &failure) || failure.StatusCode != http.StatusBadRequest && failure.StatusCode != http.StatusNotFound {
		return Account{}, err
	}
	var page firstPage
	if err := c.rest(ctx, op, http.MethodGet, "/users?limit=1", reads, nil, &page, ""); err != nil {
		return Account{}, err
	}
	account := Account{KeyKind: "account", CanCreateUsers: "unknown"}
	if len(page.Users) > 0 {
		account.Subdomain = subdomain(page.Users[0].HTMLURL)
	}
	return account, nil
}

// createsUsers reports whether a role may add users: account owners and global
// admins may (PagerDuty's support pages, "User Roles").
func createsUsers(role string) string {
	if role == "owner" || role == "admin" {
		return "yes"
	}
	return "no"
}

// subdomain reads SUB of https://SUB.pagerduty.com/users/ID, which in the EU is
// https://SUB.eu.pagerduty.com/users/ID.
func subdomain(htmlURL string) string {
	u, err := url.Parse(htmlURL)
	if err != nil || !strings.HasSuffix(u.Hostname(), ".pagerduty.com") {
		return ""
	}
	name, _, _ := strings.Cut(u.Hostname(), ".")
	return name
}
