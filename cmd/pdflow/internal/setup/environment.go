package setup

import (
	"os"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/spf13/pflag"
)

// A Environment is what all commands share: a console, the environment variables and the
// operator's configuration.
type Environment struct {
	*console.Console
	Getenv  func(string) string
	Running Running
	// configFile is the operator's configuration of --config; empty for the usual
	// one.
	ConfigFile string
}

// Standard returns the environment of this process.
func Standard() *Environment {
	return &Environment{Console: console.Standard(os.Getenv), Getenv: os.Getenv}
}

// FlagsFromEnvironment sets each flag that was not given from PDFLOW_FLAG.
func (p *Environment) FlagsFromEnvironment(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "PDFLOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		text := p.Getenv(name)
		if f.Changed || text == "" || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, text); err != nil {
			failed = console.Usage("%s: %v", name, err)
		}
	})
	return failed
}
