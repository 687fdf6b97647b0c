package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A User is a user of the account. Texts that PagerDuty has not are empty.
type User struct {
	ID          string `json:"id"`
	Self        string `json:"self"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	Summary     string `json:"summary"`
	Color       string `json:"color"`
	Description string `json:"description"`
	JobTitle    string `json:"job_title"`
	AvatarURL   string `json:"avatar_url"`
	TimeZone    string `json:"time_zone"`
	Role        string `json:"role"`
}

// A NewUser is a user to create.
type NewUser struct {
	Email, Name string
	Role        string // PagerDuty's default when empty
	FromEmail   string // on whose behalf; the configuration's when empty
}

// A userEnvelope is how the REST API wraps a user.
type userEnvelope struct {
	User User `json:"user"`
}

func (e *userEnvelope) complete() bool { return e.User.ID != "" }

// A userPage is a part of a list of users.
type userPage struct {
	Users []User `json:"users"`
	Limit int    `json:"limit"`
	More  bool   `json:"more"`
}

func (p *userPage) complete() bool { return p.Users != nil }

// step is how far the next page is: a service that gives fewer users than asked
// for says so in limit, and a longer step would skip some.
func (p *userPage) step() int {
	if p.Limit > 0 && p.Limit < pageSize {
		return p.Limit
	}
	return pageSize
}

// UserByID returns a user, or an error of kind not_found.
func (c *Client) UserByID(ctx context.Context, id string) (User, error) {
	const op = "get user"
	if err := ValidateUserID(id); err != nil {
		return User{}, err
	}
	var out userEnvelope
	if err := c.rest(ctx, op, http.MethodGet, "/users/"+url.PathEscape(id), reads, nil, &out, ""); err != nil {
		return User{}, err
	}
	return out.User, nil
}

// UserByEmail looks a user up by e-mail address, ignoring case. PagerDuty's own
// search matches parts of names and addresses, so every page of it is compared.
func (c *Client) UserByEmail(ctx context.Context, email string) (User, bool, error) {
	const op = "find user"
	if err := ValidateEmail(email); err != nil {
		return User{}, false, err
	}
	for offset := 0; offset+pageSize <= lastOffset; {
		query := url.Values{"query": {email}, "limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(offset)}}
		var page userPage
		if err := c.rest(ctx, op, http.MethodGet, "/users?"+query.Encode(), reads, nil, &page, ""); err != nil {
			return User{}, false, err
		}
		if user, found := withEmail(page.Users, email); found {
			return user, true, nil
		}
		if !page.More {
			return User{}, false, nil
		}
		offset += page.step()
	}
	return User{}, false, &Error{
		Kind: Unavailable, Op: op, Message: "more than 10,000 users match the address in part, and PagerDuty shows no further ones",
	}
}

// withEmail picks the user who has exactly this address. PagerDuty ignores the
// case of addresses.
func withEmail(users []User, email string) (User, bool) {
	for _, user := range users {
		if strings.EqualFold(strings.TrimSpace(user.Email), strings.TrimSpace(email)) {
			return user, true
		}
	}
	return User{}, false
}

// CreateUser creates a user. It never sends the request again once that may have
// been acted on: an error then has Sent set, and looking the address up tells.
func (c *Client) CreateUser(ctx context.Context, user NewUser) (User, error) {
	if user.FromEmail == "" {
		user.FromEmail = c.config.FromEmail
	}
	if err := ValidateNewUser(user); err != nil {
		return User{}, err
	}
	type body struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Email string `json:"email"`
		Role  string `json:"role,omitempty"`
	}
	in := map[string]body{"user": {"user", user.Name, user.Email, user.Role}}
	var out userEnvelope
	if err := c.rest(ctx, "create user", http.MethodPost, "/users", createsUser, in, &out, user.FromEmail); err != nil {
		return User{}, err
	}
	return out.User, nil
}

// DeleteUser deletes a user. That there is none is an error of kind not_found,
// unless an earlier try of the same call may have deleted it. A refusal names what
// the user is needed for.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	if err := ValidateUserID(id); err != nil {
		return err
	}
	err := c.rest(ctx, "delete user", http.MethodDelete, "/users/"+url.PathEscape(id), deletes, nil, nil, "")
	var failure *Error
	if errors.As(err, &failure) && failure.Kind == Conflict {
		failure.Details = append(failure.Details, c.neededFor(ctx, id)...)
	}
	return err
}
