package cli

import (
	"fmt"
	"runtime"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func versionCommand(env *setup.Environment) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "version", Short: "Print the version",
		Example: "  pdflow version\n  pdflow version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version, platform := setup.VersionText(), runtime.GOOS+"/"+runtime.GOARCH
			return env.Print(output, map[string]string{"version": version, "go": runtime.Version(), "platform": platform}, fmt.Sprintf("pdflow %s (%s, %s)\n", version, runtime.Version(), platform))
		},
	}
	setup.AddOutput(c, &output, "text", "json")
	return c
}

// exitCodesTopic returns the help page about exit codes.
func exitCodesTopic(*setup.Environment) *cobra.Command {
	return &cobra.Command{
		Use: "exit-codes", Short: "What the exit codes mean",
		Long: `The exit codes of pdflow:

  0    success
  1    a run, a call or a test failed
  2    wrong usage, or invalid inputs or configuration; nothing was called
  3    the workflow is invalid; nothing was called
  4    the outcome of a call is unknown: a person must decide
  130  ended by Ctrl-C (SIGINT)
  143  ended by SIGTERM`,
	}
}
