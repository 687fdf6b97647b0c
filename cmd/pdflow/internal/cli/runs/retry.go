package runs

import (
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func retryCommand(env *setup.Environment) *cobra.Command {
	var o continueOptions
	var failed bool
	c := &cobra.Command{
		Use:   "retry RUN",
		Short: "Run the failed steps of a run again",
		Long: `Run the failed steps of a run again. Steps that succeeded keep their results. Steps that
failed, and steps that were skipped because of them, run again, then on_failure and
finally as usual. Writes that were done are not done again. If a daemon serves the data
folder, the daemon does this, because it has the keys, and this command waits for it.`,
		Example: `  pdflow runs retry last
  pdflow runs retry 01M838X2C49B --call 17=repeat   # you looked: the call was not done`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return continueOne(c.Context(), env, args[0], &o, true) },
	}
	o.addFlags(c)
	c.Flags().BoolVar(&failed, "failed", false, "run the failed steps again; this is the default and the only way")
	return c
}
