package builtins

import (
	"context"
	"errors"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

// pagerdutyModule is what PagerDuty's actions share.
type pagerdutyModule struct {
	connect func(connection string) (*pagerduty.Client, error)
}

// connected returns the client of the connection that the call goes to, or an
// error that says how to get one.
func (m pagerdutyModule) connected(ctx context.Context) (*pagerduty.Client, error) {
	client, err := m.connect(action.ScopeOf(ctx).Connection)
	if err == nil && client == nil {
		err = &action.Error{
			Kind: action.Unauthorized, Message: "no PagerDuty account is configured",
			Hint: "set PAGERDUTY_API_KEY, or add --simulate to run offline",
		}
	}
	return client, err
}

// actionKinds are the client's kinds in the words of the engine.
var actionKinds = map[pagerduty.Kind]action.Kind{
	pagerduty.InvalidInput: action.InvalidInput,
	pagerduty.Unauthorized: action.Unauthorized,
	pagerduty.Forbidden:    action.Forbidden,
	pagerduty.NotFound:     action.NotFound,
	pagerduty.Conflict:     action.Conflict,
	pagerduty.RateLimited:  action.RateLimited,
	pagerduty.Unavailable:  action.Unavailable,
	pagerduty.Timeout:      action.Timeout,
	pagerduty.Cancelled:    action.Cancelled,
}

// pagerdutyError turns a failure of the client into one of the engine; nil stays
// nil.
func pagerdutyError(err error) error {
	var failure *pagerduty.Error
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

// notFoundAtPagerDuty reports that PagerDuty has not what was named.
func notFoundAtPagerDuty(err error) bool {
	var failure *pagerduty.Error
	return errors.As(err, &failure) && failure.Kind == pagerduty.NotFound
}
