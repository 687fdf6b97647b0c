// Package validate declares the module validate: checks of text, without a network.
package validate

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// Actions returns the actions of the module validate.
func Actions() []*action.Action {
	return []*action.Action{
		checkOf("email", "Check an e-mail address.", formatCheck("email")),
		checkOf("ip", "Check an IPv4 or IPv6 address.", formatCheck("ip")),
		checkOf("cidr", "Check a network such as 10.0.0.0/8.", checkCIDR),
		checkOf("hostname", "Check a host name.", formatCheck("hostname")),
		checkOf("url", "Check an http or https URL.", formatCheck("url")),
	}
}

type input struct {
	Text string `json:"text" required:"true" doc:"The text to check"`
}

type output struct {
	OK     bool   `json:"ok" doc:"True if the text is valid"`
	Reason string `json:"reason" doc:"What is wrong with the text; empty when it is valid"`
}

// checkOf declares a check. Invalid text is a result, not a failure.
func checkOf(function, summary string, check func(text string) error) *action.Action {
	return action.New(action.Spec{
		Name:    "validate." + function,
		Summary: summary,
		Doc:     "In Lua: `local ok, reason = validate." + function + "(text)`. It checks the text alone, without a network. Text of more than 8 KB is invalid.",
		Effect:  action.Pure,
		Args:    []string{"text"},
		Spread:  true,
	}, func(_ context.Context, in input) (output, error) {
		if err := check(in.Text); err != nil {
			return output{Reason: err.Error()}, nil
		}
		return output{OK: true}, nil
	})
}

// formatCheck returns the check of inputs with this format.
func formatCheck(format string) func(string) error {
	return func(text string) error { return action.CheckFormat(format, text) }
}

func checkCIDR(text string) error {
	if _, err := netip.ParsePrefix(text); err != nil {
		return fmt.Errorf("%q is not a network such as 10.0.0.0/8", phrase.Clip(text, 60))
	}
	return nil
}
