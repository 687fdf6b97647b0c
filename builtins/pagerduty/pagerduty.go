// Package pagerduty declares the actions of the module pagerduty on top of the client.
//
//   - events.go sends alert events; change.go sends change events.
//   - users.go finds, creates and deletes users; people.go lists and updates them and
//     finds who is on call.
//   - incidents.go reads and updates incidents and adds notes.
//   - pagerduty.go lists the actions, and turns the client's errors into
//     [action.Error].
package pagerduty

import (
	"context"
	"errors"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

// module is what PagerDuty's actions share.
type module struct {
	connect func(connection string) (*client.Client, error)
}

// Actions returns the actions of the module. connect returns the client of a
// connection by name; a nil client makes every call fail with an error that says
// what to set.
func Actions(connect func(connection string) (*client.Client, error)) []*action.Action {
	m := module{connect}
	return slices.Concat(eventsActions(m), usersActions(m), incidentsActions(m), peopleActions(m), changeActions(m))
}

// client returns the client of the connection that the call goes to, or an
// error that says how to get one.
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

// actionKinds are the client's kinds in the words of the engine.
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

// typed turns a failure of the client into one of the engine; nil stays
// nil.
func typed(err error) error {
	var failure *client.Error
	if !errors.As(err, &failure) {
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

// notFound reports that PagerDuty has not what was named.
func notFound(err error) bool {
	var failure *client.Error
	return errors.As(err, &failure) && failure.Kind == client.NotFound
}
