package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/builtins/pagerduty"
	"github.com/spf13/cobra"
)

func (p *program) connectionCommand() *cobra.Command {
	c := &cobra.Command{Use: "connection", Short: "Look at the connection to PagerDuty"}
	var output string
	test := &cobra.Command{
		Use:   "test",
		Short: "Say which account the API key opens and what it may do",
		Long: `Ask PagerDuty which account the API key opens, whose key it is, and whether it
can create users. Nothing is changed: only reads are made.`,
		Example: "  PAGERDUTY_API_KEY=... pdflow connection test\n  pdflow connection test -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.connectionTest(c.Context(), output) },
	}
	test.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.AddCommand(test)
	return c
}

// connectionTest asks who the key is. What a key may do is not known without
// doing it, where PagerDuty does not say.
func (p *program) connectionTest(ctx context.Context, output string) error {
	if err := oneOf("output", output, "text", "json"); err != nil {
		return err
	}
	s, err := p.settings()
	if err != nil {
		return exit(exitUsage, err)
	}
	if s.apiKey == "" {
		return usageError("there is no API key to test: set PAGERDUTY_API_KEY")
	}
	client, err := s.client()
	if err != nil {
		return exit(exitUsage, err)
	}
	account, err := client.Account(ctx)
	if err != nil {
		return exit(exitFailed, withHint(err))
	}
	if output == "json" {
		return writeJSON(p.stdout, account)
	}
	_, err = io.WriteString(p.stdout, accountText(account, client))
	return err
}

// accountText says what a key opens, a fact a line.
func accountText(a pagerduty.Account, client *pagerduty.Client) string {
	key := "of the account"
	if a.KeyKind == "user" {
		key = fmt.Sprintf("of the user %s <%s>, role %s", a.UserName, a.UserEmail, a.Role)
	}
	users := a.CanCreateUsers
	if users == "unknown" {
		users += " (whether a key of the account may write cannot be known without writing)"
	}
	return fmt.Sprintf("account           %s\nkey               %s\ncan create users  %s\nAPI               %s\nevents            %s, Events API %s\n",
		cmp.Or(a.Subdomain, "unknown"), key, users, client.APIURL(), client.EventsURL(), client.EventsVersion())
}

// withHint adds what to try to a failure of the client.
func withHint(err error) error {
	var failure *pagerduty.Error
	if errors.As(err, &failure) && failure.Hint != "" {
		return fmt.Errorf("%s: %w\n  try: %s", failure.Kind, err, failure.Hint)
	}
	return err
}
