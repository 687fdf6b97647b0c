package pagerduty

import (
	"cmp"
	"context"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

const (
	// lookups is the number of times that a user is looked for when the answer to its
	// creation was lost. PagerDuty's reads may lag behind its writes.
	lookups = 3
	// lookupDelay is the time between two look-ups. Terraform's provider waits as long
	// after a write.
	lookupDelay = time.Second
)

func (m module) users() []*action.Action {
	return []*action.Action{
		action.NewReconciled(action.Spec{
			Name:    "pagerduty.create_user",
			Summary: "Create a user.",
			Doc: "The address is looked up first: when a user already has it, the call fails with kind conflict. PagerDuty " +
				"sends the new user an invitation.",
			Guarded: true,
			Example: action.Object{"user": exampleUser(), "success": true},
		}, action.Reconciler[createUserInput, absent, createUserOutput]{
			Before: m.beforeCreate, Do: m.createUser, Reconcile: m.reconcileCreate,
		}, checks(func(in *createUserInput) error {
			u := in.newUser()
			u.FromEmail = cmp.Or(u.FromEmail, u.Email) // the client may have a from_email
			return client.ValidateNewUser(u)
		})),
		action.New(action.Spec{
			Name:    "pagerduty.get_user_by_email",
			Summary: "Get a user by e-mail address.",
			Doc:     "The address must be the whole address of the user; case does not count. Without such a user `found` is false.",
			Effect:  action.Reads,
		}, with(m, getUserByEmail), checks(func(in *emailInput) error { return client.ValidateEmail(in.Email) })),
		action.New(action.Spec{
			Name:    "pagerduty.get_user_by_id",
			Summary: "Get a user by id.",
			Doc:     "Without such a user `found` is false.",
			Effect:  action.Reads,
		}, with(m, getUserByID), checks((*userIDInput).validate)),
		action.NewReconciled(action.Spec{
			Name:    "pagerduty.delete_user_by_id",
			Summary: "Delete a user by id.",
			Doc: "The output contains the user as it was before. Without such a user `success` is false. PagerDuty refuses to delete " +
				"a user who is on open incidents, schedules or escalation policies: the call then fails with kind conflict.",
			Guarded: true,
			Example: action.Object{"user": exampleUser(), "success": true},
		}, action.Reconciler[userIDInput, foundOutput, deleteUserOutput]{
			Before: with(m, getUserByID), Do: m.deleteUser, Reconcile: m.reconcileDelete,
		}, checks((*userIDInput).validate)),
		action.New(action.Spec{
			Name:    "pagerduty.list_users",
			Summary: "List users.",
			Doc: "All pages are read, up to `limit` users, and returned as one list; `more` says whether there are others. " + loopDoc +
				" To find one user by address use get_user_by_email: `query` also matches parts of an address.",
			Effect: action.Reads,
			Lists:  action.Listing{Items: "users", Limit: "limit", More: "more"},
		}, with(m, listUsers), checks(func(in *listUsersInput) error {
			return cmp.Or(in.filter().Validate(), checkListLimit(in.Limit))
		})),
		action.New(action.Spec{
			Name:    "pagerduty.update_user",
			Summary: "Change a user.",
			Doc:     "An input that is absent or empty leaves the field as it is. Without such a user the call fails with kind not_found.",
			Effect:  action.Repeats,
			Late:    action.LateNever, // a person may have changed the user since
			Guarded: true,
			Example: action.Object{"user": exampleUser()},
		}, with(m, updateUser), checks((*updateUserInput).validate)),
	}
}

func exampleUser() action.Object {
	return action.Object{
		"id": "PXPGF42", "self": "https://api.pagerduty.com/users/PXPGF42", "name": "Ann Example", "email": "ann@example.com",
		"summary": "Ann Example", "color": "purple", "description": "", "job_title": "", "avatar_url": "",
		"time_zone": "Europe/Berlin", "role": "limited_user",
	}
}

type emailInput struct {
	Email string `json:"email" required:"true" format:"email" min:"6" max:"100" doc:"Email"`
}

type userIDInput struct {
	ID string `json:"id" required:"true" doc:"User ID"`
}

// validate refuses an id that would change the URL.
func (in *userIDInput) validate() error { return client.ValidateUserID(in.ID) }

type foundOutput struct {
	Found bool        `json:"found" doc:"True if found"`
	User  client.User `json:"user" doc:"User"`
}

func getUserByEmail(ctx context.Context, c *client.Client, in emailInput) (foundOutput, error) {
	u, found, err := c.UserByEmail(ctx, in.Email)
	return foundOutput{Found: found, User: u}, err
}

func getUserByID(ctx context.Context, c *client.Client, in userIDInput) (foundOutput, error) {
	u, err := c.UserByID(ctx, in.ID)
	if notFound(err) {
		return foundOutput{}, nil
	}
	return foundOutput{Found: err == nil, User: u}, err
}

type createUserInput struct {
	Email     string `json:"email" required:"true" format:"email" min:"6" max:"100" doc:"Email"`
	Role      string `json:"role" enum:"admin,limited_user,owner,read_only_user,user" doc:"Role"`
	Name      string `json:"name" required:"true" doc:"Name"`
	FromEmail string `json:"from_email" required:"true" doc:"Email of creating user"`
}

func (in *createUserInput) newUser() client.NewUser {
	return client.NewUser{Email: in.Email, Name: in.Name, Role: in.Role, FromEmail: in.FromEmail}
}

type createUserOutput struct {
	User    client.User `json:"user" doc:"User"`
	Success bool        `json:"success" doc:"True if created"`
}

// absent is the state before a user is created: no user has the address.
type absent struct{}

func (m module) beforeCreate(ctx context.Context, in createUserInput) (absent, error) {
	existing, err := with(m, getUserByEmail)(ctx, emailInput{Email: in.Email})
	if err == nil && existing.Found {
		failure := action.Errorf(action.Conflict, "%s is already the address of %s (%s)", in.Email, existing.User.Name, existing.User.ID)
		failure.Hint = "look it up with get_user_by_email, and create the user only if it is not found"
		err = failure
	}
	return absent{}, err
}

func (m module) createUser(ctx context.Context, in createUserInput, _ absent) (createUserOutput, error) {
	return with(m, func(ctx context.Context, c *client.Client, in createUserInput) (createUserOutput, error) {
		u, err := c.CreateUser(ctx, in.newUser())
		return createUserOutput{User: u, Success: err == nil}, err
	})(ctx, in)
}

// reconcileCreate looks for the user after a call whose answer was lost. The address was
// free before, so a user who has the address now was created by this call.
func (m module) reconcileCreate(ctx context.Context, in createUserInput, _ absent) (createUserOutput, bool, error) {
	for i := range lookups {
		if i > 0 {
			if err := pause(ctx, lookupDelay); err != nil {
				return createUserOutput{}, false, err
			}
		}
		existing, err := with(m, getUserByEmail)(ctx, emailInput{Email: in.Email})
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
	User    client.User `json:"user" doc:"User"`
	Success bool        `json:"success" doc:"True if deleted"`
}

// deleteUser sends nothing when there was no user before. A user who disappeared since
// then was not deleted by this call.
func (m module) deleteUser(ctx context.Context, in userIDInput, before foundOutput) (deleteUserOutput, error) {
	return with(m, func(ctx context.Context, c *client.Client, in userIDInput) (deleteUserOutput, error) {
		if !before.Found {
			return deleteUserOutput{}, nil
		}
		err := c.DeleteUser(ctx, in.ID)
		switch {
		case notFound(err):
			return deleteUserOutput{}, nil
		case err != nil:
			return deleteUserOutput{}, err
		}
		return deleteUserOutput{User: before.User, Success: true}, nil
	})(ctx, in)
}

// reconcileDelete looks for the user after a call whose answer was lost. PagerDuty never
// uses an id again, so a user who existed before and is gone now was deleted by the call.
func (m module) reconcileDelete(ctx context.Context, in userIDInput, before foundOutput) (deleteUserOutput, bool, error) {
	if !before.Found {
		return deleteUserOutput{}, true, nil
	}
	existing, err := with(m, getUserByID)(ctx, in)
	if err != nil || existing.Found {
		return deleteUserOutput{}, false, err
	}
	return deleteUserOutput{User: before.User, Success: true}, true, nil
}

type listUsersInput struct {
	Query   string   `json:"query" max:"100" doc:"Only users with this in their name or address"`
	TeamIDs []string `json:"team_ids" doc:"Only users of any of these teams"`
	Limit   int      `json:"limit" default:"1000" doc:"The most users to return, up to 10,000"`
}

func (in *listUsersInput) filter() client.UserFilter {
	return client.UserFilter{Query: in.Query, TeamIDs: in.TeamIDs, Limit: in.Limit}
}

type listUsersOutput struct {
	Users []client.User `json:"users" doc:"The users"`
	More  bool          `json:"more" doc:"True if there are more than the limit"`
}

func listUsers(ctx context.Context, c *client.Client, in listUsersInput) (listUsersOutput, error) {
	found, more, err := c.Users(ctx, in.filter())
	return listUsersOutput{Users: found, More: more}, err
}

type updateUserInput struct {
	ID          string `json:"id" required:"true" doc:"User ID"`
	Name        string `json:"name" doc:"Name"`
	Email       string `json:"email" format:"email" min:"6" max:"100" doc:"Email"`
	Role        string `json:"role" enum:"admin,limited_user,observer,owner,read_only_limited_user,read_only_user,restricted_access,user" doc:"Role"`
	JobTitle    string `json:"job_title" doc:"Job title"`
	Description string `json:"description" doc:"Description"`
	TimeZone    string `json:"time_zone" doc:"Time zone, such as Europe/Berlin"`
	Color       string `json:"color" doc:"The user's color in schedules"`
}

func (in *updateUserInput) validate() error {
	return cmp.Or(client.ValidateUserID(in.ID), client.ValidateUserChange(in.change()))
}

func (in *updateUserInput) change() client.UserChange {
	return client.UserChange{
		Name: in.Name, Email: in.Email, Role: in.Role, JobTitle: in.JobTitle,
		Description: in.Description, TimeZone: in.TimeZone, Color: in.Color,
	}
}

type updateUserOutput struct {
	User client.User `json:"user" doc:"The user as it is now"`
}

func updateUser(ctx context.Context, c *client.Client, in updateUserInput) (updateUserOutput, error) {
	u, err := c.UpdateUser(ctx, in.ID, in.change())
	return updateUserOutput{User: u}, err
}
