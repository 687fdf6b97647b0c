package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Account is the account that an API key opens, and what the key may do there.
type Account struct {
	// KeyKind is "user" for the key of a user, which has the rights of this user, or
	// "account" for a key of the whole account.
	KeyKind   string `json:"key_kind"`
	Subdomain string `json:"subdomain"` // empty: not known
	UserName  string `json:"user_name,omitempty"`
	UserEmail string `json:"user_email,omitempty"`
	Role      string `json:"role,omitempty"`
	// CanCreateUsers is "yes", "no" or "unknown". It is unknown for a key of the
	// account: only creating a user would show it.
	CanCreateUsers string `json:"can_create_users"`
}

// accountUser has the fields of a user that describe the account.
type accountUser struct {
	Name    string `json:"name"`
	Email   string `json:"email"`
	Role    string `json:"role"`
	HTMLURL string `json:"html_url"`
}

// ownEnvelope is the answer about the user that the key belongs to.
type ownEnvelope struct {
	User accountUser `json:"user"`
}

func (e *ownEnvelope) complete() bool { return e.User.Email != "" }

// Account returns the account that the API key opens. It only reads.
func (c *Client) Account(ctx context.Context) (Account, error) {
	const op = "look at the connection"
	var me ownEnvelope
	err := c.do(ctx, c.rest(op, http.MethodGet, "/users/me", reads, nil, ""), &me, me.complete)
	if err == nil {
		return Account{
			KeyKind: "user", Subdomain: subdomain(me.User.HTMLURL), UserName: me.User.Name, UserEmail: me.User.Email,
			Role: me.User.Role, CanCreateUsers: createsUsers(me.User.Role),
		}, nil
	}
	// PagerDuty knows "me" only for the key of a user. For a key of the account it
	// answers 400, and 404 was reported.
	var failure *Error
	if !errors.As(err, &failure) || failure.StatusCode != http.StatusBadRequest && failure.StatusCode != http.StatusNotFound {
		return Account{}, err
	}
	page := listPage[accountUser]{name: "users"}
	if err := c.do(ctx, c.rest(op, http.MethodGet, "/users?limit=1", reads, nil, ""), &page, page.complete); err != nil {
		return Account{}, err
	}
	account := Account{KeyKind: "account", CanCreateUsers: "unknown"}
	if len(page.items) > 0 {
		account.Subdomain = subdomain(page.items[0].HTMLURL)
	}
	return account, nil
}

// createsUsers returns "yes" if a role may create users, else "no". Account owners and
// global admins may (PagerDuty's support pages, "User Roles").
func createsUsers(role string) string {
	if role == "owner" || role == "admin" {
		return "yes"
	}
	return "no"
}

// subdomain returns SUB of https://SUB.pagerduty.com/users/ID or, in the EU, of
// https://SUB.eu.pagerduty.com/users/ID.
func subdomain(htmlURL string) string {
	u, err := url.Parse(htmlURL)
	if err != nil || !strings.HasSuffix(u.Hostname(), ".pagerduty.com") {
		return ""
	}
	name, _, _ := strings.Cut(u.Hostname(), ".")
	return name
}
