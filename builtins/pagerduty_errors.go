package builtins

import (
	"errors"

	"github.com/pdflow/pdflow/builtins/pagerduty"
	"github.com/pdflow/pdflow/engine/action"
)

// pagerdutyModule is what the seven actions share.
type pagerdutyModule struct{ client *pagerduty.Client }

// connected returns the client, or an error that says how to get one.
func (m pagerdutyModule) connected() (*pagerduty.Client, error) {
	if m.client == nil {
		return nil, &action.Error{
			Kind: action.Unauthorized, Message: "no PagerDuty account is configured",
			Hint: "set PAGERDUTY_API_KEY, or add --simulate to run offline",
		}
	}
	return m.client, nil
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
