// Package pagerduty declares the actions of the module pagerduty on top of the client.
//
// There is one file for each group of actions: events.go (alert events),
// change_events.go, users.go, incidents.go and on_calls.go. A file declares its actions,
// their inputs and outputs, and the functions between them; [Actions] lists the groups.
//
// To add an action, write the method of the client, then an input struct, an output
// struct, a function that gets the client, and the declaration in the list of the group.
package pagerduty

import (
	"context"
	"errors"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

// serviceKey is the name by which a workflow binds a secret to the input service_key.
const serviceKey = "service_key"

// Actions returns the actions of the module. connect returns the client of a connection
// by name. A nil client makes every call fail with an error that says what to set.
func Actions(connect func(connection string) (*client.Client, error)) []*action.Action {
	m := module{connect}
	declared := action.Module{Name: "pagerduty", Listed: true, Places: []string{serviceKey}}
	return declared.Declare(slices.Concat(m.events(), m.users(), m.incidents(), m.onCalls(), m.changeEvents())...)
}

// module is what the actions share.
type module struct {
	connect func(connection string) (*client.Client, error)
}

// client returns the client of the connection that the call goes to.
func (m module) client(ctx context.Context) (*client.Client, error) {
	c, err := m.connect(action.ScopeOf(ctx).Connection)
	if err == nil && c == nil {
		err = &action.Error{
			Kind: action.Unauthorized, Message: "no PagerDuty account is configured",
			Hint: "set PAGERDUTY_API_KEY, or add --simulate to run offline",
		}
	}
	return c, err
}

// with returns do with the client of the call, as [action.New] takes it.
func with[In, Out any](m module, do func(context.Context, *client.Client, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		c, err := m.client(ctx)
		if err != nil {
			return out, err
		}
		out, err = do(ctx, c, in)
		return out, typed(err)
	}
}

// checks returns a check of an input as [action.Rules] takes it.
func checks[In any](check func(*In) error) action.Rules[In] {
	return action.Rules[In]{Validate: func(in *In) error { return typed(check(in)) }}
}

// actionKinds are the engine's names of the client's kinds.
var actionKinds = map[client.Kind]action.Kind{
	client.InvalidInput: action.InvalidInput,
	client.Unauthorized: action.Unauthorized,
	client.Forbidden:    action.Forbidden,
	client.NotFound:     action.NotFound,
	client.Conflict:     action.Conflict,
	client.RateLimited:  action.RateLimited,
	client.Unavailable:  action.Unavailable,
	client.Timeout:      action.Timeout,
	client.Cancelled:    action.Cancelled,
}

// typed turns an error of the client into an error of the engine. It returns every other
// error as it is.
func typed(err error) error {
	var done *action.Error
	var failure *client.Error
	if errors.As(err, &done) || !errors.As(err, &failure) {
		return err
	}
	return &action.Error{
		Kind:       actionKinds[failure.Kind],
		Message:    failure.Error(),
		Hint:       failure.Hint,
		Status:     failure.StatusCode,
		Code:       failure.Code,
		RetryAfter: failure.RetryAfter,
		Ambiguous:  failure.Sent,
		Err:        failure,
	}
}

// notFound reports whether PagerDuty does not have what the call names.
func notFound(err error) bool {
	var failure *client.Error
	return errors.As(err, &failure) && failure.Kind == client.NotFound
}

// reference is an object of the account, by id and name.
type reference struct {
	ID   string `json:"id" doc:"ID"`
	Name string `json:"name" doc:"Name"`
}

// TypeName is the type's name in reference tables.
func (reference) TypeName() string { return "reference" }

func referenceOf(r client.Reference) reference { return reference{ID: r.ID, Name: r.Name} }

// loopDoc is part of the Doc of every action that lists something.
const loopDoc = "A loop over them begins when all have been read, so it misses none when it changes or deletes some. " +
	"A loop without a `limit` fails when there are more."

// checkListLimit checks an input called limit.
func checkListLimit(limit int) error {
	if limit < 1 || limit > client.MaxListed {
		return action.Errorf(action.InvalidInput, `"limit" must be from 1 to %d, got %d`, client.MaxListed, limit)
	}
	return nil
}

// checkFromEmail checks an optional input called from_email.
func checkFromEmail(email string) error {
	if email == "" {
		return nil
	}
	if err := client.ValidateEmail(email); err != nil {
		return action.Errorf(action.InvalidInput, `"from_email": %v`, err)
	}
	return nil
}

// onceUnless returns the effect of a write by which PagerDuty does not recognise a
// repeat; idempotent is the author's word that a repeat does no harm.
func onceUnless(idempotent bool) action.Effect {
	if idempotent {
		return action.Repeats
	}
	return action.Once
}
