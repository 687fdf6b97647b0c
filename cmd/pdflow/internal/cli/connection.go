package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func connectionCommand(env *setup.Environment) *cobra.Command {
	c := &cobra.Command{Use: "connection", Short: "List and test the connections to PagerDuty"}
	var output string
	test := &cobra.Command{
		Use:   "test [NAME]",
		Short: "Show the account of an API key and what the key may do",
		Long: `Ask PagerDuty which account the API key of a connection belongs to, whose key it is, and
whether it can create users. Only reads are made.`,
		Example: "  PAGERDUTY_API_KEY=... pdflow connection test\n  pdflow connection test europe -o json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := workflow.DefaultConnection
			if len(args) > 0 {
				name = args[0]
			}
			return testConnection(c.Context(), env, name, output)
		},
	}
	setup.AddOutput(test, &output, "text", "json")
	c.AddCommand(test, connectionListCommand(env))
	return c
}

func connectionListCommand(env *setup.Environment) *cobra.Command {
	var output string
	list := &cobra.Command{
		Use:   "list",
		Short: "List the connections and which keys are set",
		Long: `List the connections of the configuration, and the default connection of the
environment. Keys are never shown, only whether they are set.`,
		Example: "  pdflow connection list\n  pdflow connection list --config pdflow.yaml -o json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return listConnections(env, output) },
	}
	setup.AddOutput(list, &output, "text", "json")
	return list
}

// A connectionReport is a connection in the output of `connection list`.
type connectionReport struct {
	Name       string `json:"name"`
	Region     string `json:"region"`
	APIURL     string `json:"api_url"`
	EventsURL  string `json:"events_url"`
	APIKey     bool   `json:"api_key"` // it is set
	ServiceKey bool   `json:"service_key"`
}

func listConnections(env *setup.Environment, output string) error {
	configuration, err := env.Configuration()
	if err != nil {
		return err
	}
	names := configuration.Names()
	if !slices.Contains(names, workflow.DefaultConnection) {
		names = append([]string{workflow.DefaultConnection}, names...)
	}
	connections := env.Connections(configuration)
	reports := []connectionReport{}
	for _, name := range names {
		c, err := connections.Get(name)
		if err != nil {
			return console.Exit(console.ExitUsage, err)
		}
		reports = append(reports, connectionReport{
			Name: name, Region: string(c.Client.Region()), APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL(),
			APIKey: c.Settings.APIKey != "", ServiceKey: c.Settings.ServiceKey != "",
		})
	}
	return env.Print(output, reports, connectionsText(reports))
}

func connectionsText(reports []connectionReport) string {
	wide := 0
	for _, r := range reports {
		wide = max(wide, len(r.Name))
	}
	isSet := func(set bool) string {
		if set {
			return "set"
		}
		return "not set"
	}
	var b strings.Builder
	for _, r := range reports {
		fmt.Fprintf(&b, "%s  %s  %s  API key %s, service key %s\n", console.Pad(r.Name, wide), r.Region, r.APIURL, isSet(r.APIKey), isSet(r.ServiceKey))
	}
	return b.String()
}

// testConnection prints the account of an API key, and what the key may do as far as PagerDuty says.
func testConnection(ctx context.Context, env *setup.Environment, name, output string) error {
	configuration, err := env.Configuration()
	if err != nil {
		return err
	}
	c, err := env.Connections(configuration).Get(name)
	switch {
	case err != nil:
		return console.Exit(console.ExitUsage, err)
	case c.Settings.APIKey == "" && name == workflow.DefaultConnection:
		return console.Usage("there is no API key to test: set PAGERDUTY_API_KEY")
	case c.Settings.APIKey == "":
		return console.Usage("the connection %s has no API key to test: give it an api_key that is set, in %s", name, configuration.File)
	}
	client := c.Client
	account, err := client.Account(ctx)
	var failure *pagerduty.Error
	if errors.As(err, &failure) && failure.Hint != "" {
		err = fmt.Errorf("%s: %w\n  try: %s", failure.Kind, err, failure.Hint)
	}
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	return env.Print(output, account, accountText(account, client))
}

// accountText returns the facts about a key, one on each line.
func accountText(a pagerduty.Account, client *pagerduty.Client) string {
	key := "of the account"
	if a.KeyKind == "user" {
		key = fmt.Sprintf("of the user %s <%s>, role %s", console.Printable(a.UserName), console.Printable(a.UserEmail), console.Printable(a.Role))
	}
	users := a.CanCreateUsers
	if users == "unknown" {
		users += " (PagerDuty does not say whether a key of the account may write)"
	}
	return fmt.Sprintf("account           %s\nkey               %s\ncan create users  %s\nAPI               %s\nevents            %s, Events API %s\n",
		cmp.Or(a.Subdomain, "unknown"), key, users, client.APIURL(), client.EventsURL(), client.EventsVersion())
}
