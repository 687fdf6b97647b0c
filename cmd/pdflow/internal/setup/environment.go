// Package setup makes a ready engine of what a process is given: environment variables, flags, the
// operator's configuration and files.
//
//   - An [Environment] is what a process is given. It reads the configuration (pdflow.yaml), keys
//     and inputs.
//   - A [Connection] is a PagerDuty account and the client for it. Connections are opened on first
//     use (connections.go).
//   - A [Target] is everything that runs reach: connections or a [Simulator], the network or a
//     world file, and the catalogue of actions (target.go).
//   - [Runs] are the recorded runs of a data folder. Commands see runs only through it (runs.go).
//   - [Running] are the runs that this process works on, and what a signal does to them
//     (signals.go).
package setup

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// An Environment is what a process is given.
type Environment struct {
	*console.Console
	Getenv     func(string) string
	ConfigFile string // the operator's configuration of --config; empty: the default file
	Running    Running
	// ReadInput reads a file that an input names. Nil: it may be any file that this process
	// may read, or standard input.
	ReadInput func(name string) ([]byte, error)

	stop  <-chan struct{} // closed by the first signal; nil: signals are not handled
	named sync.Map        // the names of the files of readNamed

	read          sync.Once // the configuration
	configuration *Configuration
	unread        error // why the configuration cannot be used
}

// Standard returns the environment of this process.
func Standard() *Environment {
	return &Environment{Console: console.Standard(os.Getenv), Getenv: os.Getenv}
}

// Actor returns the user of this process, as who starts, cancels and resumes runs.
func (e *Environment) Actor() run.Actor {
	name := fmt.Sprint(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return run.Actor{Kind: run.ActorUser, Name: name}
}

// FlagsFromEnvironment sets each flag that was not given from the variable PDFLOW_FLAG. What
// is typed wins: a variable is left out where another flag excludes it ([Yields]) or where
// the flag that it belongs to is not set ([BelongsTo]). A machine may have variables that
// make sense for some commands only.
func (e *Environment) FlagsFromEnvironment(flags *pflag.FlagSet) error {
	var failed error
	// First the variables that depend on nothing, since the others depend on them.
	for _, dependent := range []bool{false, true} {
		set := map[string]bool{}
		flags.VisitAll(func(f *pflag.Flag) { set[f.Name] = f.Changed && f.Value.String() != "false" })
		flags.VisitAll(func(f *pflag.Flag) {
			name := "PDFLOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			text := e.Getenv(name)
			yields, needs := f.Annotations[yields], f.Annotations[belongsTo]
			switch {
			case f.Changed || text == "" || f.Name == "help" || dependent != (len(yields)+len(needs) > 0):
			case slices.ContainsFunc(yields, func(other string) bool { return set[other] }):
			case slices.ContainsFunc(needs, func(other string) bool { return !set[other] }):
			default:
				if err := flags.Set(f.Name, text); err != nil {
					failed = variableError(name, text, f)
				}
			}
		})
	}
	return failed
}

// variableError says what a variable must be.
func variableError(name, text string, f *pflag.Flag) error {
	want := map[string]string{"bool": "true or false", "duration": "a duration such as 30s or 5m", "int": "a whole number"}[f.Value.Type()]
	if want == "" {
		want = "a value that --" + f.Name + " accepts"
	}
	return console.Usage("the variable %s is %q; expected %s", name, text, want)
}

// The annotations of flags that [Environment.FlagsFromEnvironment] reads.
const (
	yields    = "pdflow_yields"
	belongsTo = "pdflow_belongs_to"
)

// Yields says that the variable of a flag is left out where one of the other flags is set.
func Yields(flags *pflag.FlagSet, name string, others ...string) {
	_ = flags.SetAnnotation(name, yields, others)
}

// BelongsTo says that the variable of a flag is left out where the other flag is not set.
func BelongsTo(flags *pflag.FlagSet, name, other string) {
	_ = flags.SetAnnotation(name, belongsTo, []string{other})
}

// AddOutput adds the flag --output to a command. The first format is the default. A format that is not
// listed is refused before the command runs.
func AddOutput(c *cobra.Command, output *string, formats ...string) {
	last := len(formats) - 1
	c.Flags().StringVarP(output, "output", "o", formats[0], strings.Join(formats[:last], ", ")+" or "+formats[last])
	c.PreRunE = func(*cobra.Command, []string) error { return console.OneOf("output", *output, formats...) }
}

// folder returns a folder of pdflow: below the folder of a variable of the XDG base directory
// specification, or below the home folder. It returns an empty path if neither is set.
func (e *Environment) folder(variable string, below ...string) string {
	if folder := e.Getenv(variable); filepath.IsAbs(folder) {
		return filepath.Join(folder, "pdflow")
	}
	home := e.Getenv("HOME")
	if !filepath.IsAbs(home) {
		home = e.Getenv("USERPROFILE") // on Windows
	}
	if !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(append(append([]string{home}, below...), "pdflow")...)
}

// configurationFile returns the default path of the configuration; empty if there is no folder for
// it.
func (e *Environment) configurationFile() string {
	folder := e.folder("XDG_CONFIG_HOME", ".config")
	if folder == "" {
		return ""
	}
	return filepath.Join(folder, "pdflow.yaml")
}

// Configuration returns the operator's configuration: the file of --config, or the default file, which
// need not exist. A pdflow.yaml next to a workflow is never read. The file is read once.
func (e *Environment) Configuration() (*Configuration, error) {
	e.read.Do(func() { e.configuration, e.unread = e.readConfiguration() })
	return e.configuration, e.unread
}

func (e *Environment) readConfiguration() (*Configuration, error) {
	file, read := e.ConfigFile, e.readNamed
	if file == "" {
		file, read = e.configurationFile(), source.ReadFile
		if _, err := os.Stat(file); file == "" || errors.Is(err, os.ErrNotExist) {
			return &Configuration{}, nil
		}
	}
	text, err := read(file, source.MaxFileSize)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("the configuration: %w", FileError(err, file)))
	}
	c, err := ParseConfiguration(file, text)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("the configuration has problems:\n%w", err))
	}
	e.keyring().learnConnections(c)
	return c, nil
}

// VersionText returns the version of the module as the Go tool recorded it, or "devel".
func VersionText() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
