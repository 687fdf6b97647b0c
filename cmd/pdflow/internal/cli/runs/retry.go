package runs

import (
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func retryCommand(p *setup.Environment) *cobra.Command {
	var o continueOptions
	var failed bool
	c := &cobra.Command{
		Use:   "retry RUN",
		Short: "Go on with a run that has failed, from its failed steps",
		Long: `Go on with a run that ended without success. Steps that succeeded stay as they
are; those that failed, and those that were skipped for that, run again, then
on_failure and finally as usual. Writes that were done are not done again. When a
daemon serves the data folder, it does that, as it has the keys; this waits for it.`,
		Example: `  pdflow runs retry last
  pdflow runs retry 01M838X2C49B --call 17=repeat   # a person looked: it was not done`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return continueOne(c.Context(), p, args[0], &o, true) },
	}
	o.addFlags(c)
	c.Flags().BoolVar(&failed, "failed", false, "from the failed steps on: this is how every retry goes on")
	return c
}
