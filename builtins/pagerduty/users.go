package pagerduty

import (
	"context"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

const (
	// lookups is how often a user whose creation has an unknown outcome is looked
	// for before it counts as absent: PagerDuty's reads may lag behind its writes.
	lookups = 3
	// lookupDelay is the time between them. Terraform's provider gives PagerDuty
	// as much after a write.
	lookupDelay = time.Second
)

func usersActions(m module) []*action.Action {
	return []*action.Action{
		action.NewReconciled(action.Spec{
			Name:    "pagerduty.create_user",
			Summary: "Create a user.",
			Doc: "The address is looked up first: one that a user has already is a failure of kind conflict. PagerDuty " +
				"sends the new user an invitation.",
			Guarded: true,
			Example: action.Object{"user": exampleUser(), "success": true},
		}, action.Reconciler[createUserInput, absent, createUserOutput]{
			Before: m.beforeCreate, Do: m.createUser, Reconcile: m.reconcileCreate,
		}),
		action.New(action.Spec{
			Name:    "pagerduty.get_user_by_email",
			Summary: "Get a user by e-mail address.",
			Doc:     "The address must be the user's whole address; case does not count. That there is none is a result.",
			Effect:  action.Reads,
		}, m.getUserByEmail),
		action.New(action.Spec{
			Name:    "pagerduty.get_user_by_id",
			Summary: "Get a user by id.",
			Doc:     "That there is none is a result.",
			Effect:  action.Reads,
		}, m.getUserByID),
		action.NewReconciled(action.Spec{
			Name:    "pagerduty.delete_user_by_id",
			Summary: "Delete a user by id.",
			Doc: "The output has the user as it was before. That there is none is a result. PagerDuty refuses to delete a " +
				"user who is on open incidents, schedules or escalation policies: a failure of kind conflict.",
			Guarded: true,
			Example: action.Object{"user": exampleUser(), "success": true},
		}, action.Reconciler[userIDInput, userBefore, deleteUserOutput]{
			Before: m.beforeDelete, Do: m.deleteUser, Reconcile: m.reconcileDelete,
		}),
	}
}

// user is a user as every action returns one: all fields are there, and what
// PagerDuty has not is empty. Its fields are those of [client.User].
type user struct {
	ID          string `json:"id" doc:"User ID"`
	Self        string `json:"self" doc:"The user's URL in the API"`
	Name        string `json:"name" doc:"Name"`
	Email       string `json:"email" doc:"Email"`
	Summary     string `json:"summary" doc:"Summary"`
	Color       string `json:"color" doc:"The user's color in schedules"`
	Description string `json:"description" doc:"Description"`
	JobTitle    string `json:"job_title" doc:"Job title"`
	AvatarURL   string `json:"avatar_url" doc:"The URL of the user's picture"`
	TimeZone    string `json:"time_zone" doc:"Time zone"`
	Role        string `json:"role" doc:"Role"`
}

// TypeName is the type's name in reference tables.
func (user) TypeName() string { return "user" }

func exampleUser() action.Object {
	return action.Object{
		"id": "PXPGF42", "self": "https://api.pagerduty.com/users/PXPGF42", "name": "Ann Example", "email": "ann@example.com",
		"summary": "Ann Example", "color": "purple", "description": "", "job_title": "", "avatar_url": "",
		"time_zone": "Europe/Berlin", "role": "limited_user",
	}
}

type emailInput struct {
	Email string `json:"email" required:"true" doc:"Email"`
}

// Validate checks the address before it becomes a part of a URL.
func (in *emailInput) Validate() error { return typed(client.ValidateEmail(in.Email)) }

type userIDInput struct {
	ID string `json:"id" required:"true" doc:"User ID"`
}

// Validate refuses what could turn the URL into another one.
func (in *userIDInput) Validate() error { return typed(client.ValidateUserID(in.ID)) }

type foundOutput struct {
	Found bool `json:"found" doc:"True if found"`
	User  user `json:"user" doc:"User"`
}

func (m module) getUserByEmail(ctx context.Context, in emailInput) (foundOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return foundOutput{}, err
	}
	u, found, err := c.UserByEmail(ctx, in.Email)
	return foundOutput{Found: found, User: user(u)}, typed(err)
}

func (m module) getUserByID(ctx context.Context, in userIDInput) (foundOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return foundOutput{}, err
	}
	u, err := c.UserByID(ctx, in.ID)
	if notFound(err) {
		return foundOutput{}, nil
	}
	return foundOutput{Found: err == nil, User: user(u)}, typed(err)
}

type createUserInput struct {
	Email     string `json:"email" required:"true" doc:"Email"`
	Role      string `json:"role" enum:"admin,limited_user,owner,read_only_user,user" doc:"Role"`
	Name      string `json:"name" required:"true" doc:"Name"`
	FromEmail string `json:"from_email" required:"true" doc:"Email of creating user"`
}

// Validate checks lengths and addresses. An empty from_email is left to the
// client, whose configuration may have one.
func (in *createUserInput) Validate() error {
	u := in.newUser()
	if u.FromEmail == "" {
		u.FromEmail = u.Email
	}
	return typed(client.ValidateNewUser(u))
}

func (in *createUserInput) newUser() client.NewUser {
	return client.NewUser{Email: in.Email, Name: in.Name, Role: in.Role, FromEmail: in.FromEmail}
}

type createUserOutput struct {
	User    user `json:"user" doc:"User"`
	Success bool `json:"success" doc:"True if created"`
}

// absent is what is known before a user is created: that nobody has the address.
type absent struct{}

func (m module) beforeCreate(ctx context.Context, in createUserInput) (absent, error) {
	existing, err := m.getUserByEmail(ctx, emailInput{Email: in.Email})
	if err == nil && existing.Found {
		failure := action.Errorf(action.Conflict, "%s is the address of %s (%s) already", in.Email, existing.User.Name, existing.User.ID)
		failure.Hint = "look it up with get_user_by_email, and create the user only if it is not found"
		err = failure
	}
	return absent{}, err
}

func (m module) createUser(ctx context.Context, in createUserInput, _ absent) (createUserOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return createUserOutput{}, err
	}
	u, err := c.CreateUser(ctx, in.newUser())
	return createUserOutput{User: user(u), Success: err == nil}, typed(err)
}

// reconcileCreate looks for the user after a call whose answer was lost. The
// address was free before, so a user who has it now was made by this call.
func (m module) reconcileCreate(ctx context.Context, in createUserInput, _ absent) (createUserOutput, bool, error) {
	for i := range lookups {
		if i > 0 {
			if err := pause(ctx, lookupDelay); err != nil {
				return createUserOutput{}, false, err
			}
		}
		existing, err := m.getUserByEmail(ctx, emailInput{Email: in.Email})
		if err != nil || existing.Found {
			return createUserOutput{User: existing.User, Success: existing.Found}, existing.Found, err
		}
	}
	return createUserOutput{}, false, nil
}

func pause(ctx context.Context, d time.Duration) error {
	clock, err := action.ClockOf(ctx)
	if err != nil {
		return err
	}
	return clock.Sleep(ctx, d)
}

type deleteUserOutput struct {
	User    user `json:"user" doc:"User"`
	Success bool `json:"success" doc:"True if deleted"`
}

// userBefore is a user as it was before it is deleted.
type userBefore struct {
	Found bool `json:"found"`
	User  user `json:"user"`
}

func (m module) beforeDelete(ctx context.Context, in userIDInput) (userBefore, error) {
	existing, err := m.getUserByID(ctx, in)
	return userBefore(existing), err
}

// deleteUser sends nothing for a user who was not there to begin with. One who
// went away in between was deleted by somebody else.
func (m module) deleteUser(ctx context.Context, in userIDInput, before userBefore) (deleteUserOutput, error) {
	c, err := m.client(ctx)
	if err != nil || !before.Found {
		return deleteUserOutput{}, err
	}
	err = c.DeleteUser(ctx, in.ID)
	switch {
	case notFound(err):
		return deleteUserOutput{}, nil
	case err != nil:
		return deleteUserOutput{}, typed(err)
	}
	return deleteUserOutput{User: before.User, Success: true}, nil
}

// reconcileDelete looks for the user after a call whose answer was lost. Ids are
// never used again, so a user who was there and is not now was deleted by it.
func (m module) reconcileDelete(ctx context.Context, in userIDInput, before userBefore) (deleteUserOutput, bool, error) {
	if !before.Found {
		return deleteUserOutput{}, true, nil
	}
	existing, err := m.getUserByID(ctx, in)
	if err != nil || existing.Found {
		return deleteUserOutput{}, false, err
	}
	return deleteUserOutput{User: before.User, Success: true}, true, nil
}
