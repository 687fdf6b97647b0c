// Package validate declares the module validate: checks of text that ask no server.
package validate

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/pdflow/pdflow/engine/action"
)

// Actions returns the actions of the module validate.
func Actions() []*action.Action {
	return []*action.Action{
		validateAction("email", "Check an e-mail address.", formatCheck("email")),
		validateAction("ip", "Check an IPv4 or IPv6 address.", formatCheck("ip")),
		validateAction("cidr", "Check a network such as 10.0.0.0/8.", checkCIDR),
		validateAction("hostname", "Check a host name.", formatCheck("hostname")),
		validateAction("url", "Check an http or https URL.", formatCheck("url")),
	}
}

type validateInput struct {
	Text string `json:"text" required:"true" doc:"The text to check"`
}

type validateOutput struct {
	OK     bool   `json:"ok" doc:"True if the text is right"`
	Reason string `json:"reason" doc:"What is wrong with it; empty when nothing is"`
}

// validateAction declares a check whose answer is a fact: wrong text is a result
// and no failure.
func validateAction(function, summary string, check func(text string) error) *action.Action {
	return action.New(action.Spec{
		Name:    "validate." + function,
		Summary: summary,
		Doc:     "In Lua: `local ok, reason = validate." + function + "(text)`. It looks at the text and asks no server. What has more than 8 KB is wrong.",
		Effect:  action.Pure,
		Args:    []string{"text"},
		Spread:  true,
	}, func(_ context.Context, in validateInput) (validateOutput, error) {
		if err := check(in.Text); err != nil {
			return validateOutput{Reason: err.Error()}, nil
		}
		return validateOutput{OK: true}, nil
	})
}

// formatCheck returns the very check that an input with this format undergoes.
func formatCheck(format string) func(string) error {
	return func(text string) error { return action.CheckFormat(format, text) }
}

func checkCIDR(text string) error {
	if _, err := netip.ParsePrefix(text); err != nil {
		return fmt.Errorf("%q is not a network such as 10.0.0.0/8", action.Clip(text, 60))
	}
	return nil
}
