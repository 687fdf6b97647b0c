package runs

import (
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/spf13/cobra"
)

func Command(p *setup.Environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "Look at recorded runs, and go on with them",
		Long: `Look at the runs of the journal and go on with those that did not come to their
end. RUN is the id of a run, the beginning of one, or ` + "`last`" + `.`,
		Example: `  pdflow runs list
  pdflow runs show last
  pdflow runs resume --all   # whatever was interrupted goes on`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return unknownCommand(c, args) },
	}
	c.AddCommand(
		listCommand(p), showCommand(p), logsCommand(p), resumeCommand(p), retryCommand(p),
		cancelCommand(p), verifyCommand(p), pruneCommand(p),
	)
	return c
}

// unknownCommand says which commands there are, with the near miss of a mistyped
// one.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	hint := action.DidYouMean(args[0], names)
	if hint == "" {
		hint = "one of: " + strings.Join(names, ", ")
	}
	return console.Usage("unknown command %q for %q (%s)", args[0], c.CommandPath(), hint)
}
