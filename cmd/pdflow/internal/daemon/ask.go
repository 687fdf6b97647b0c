package daemon

import (
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

// Ask sends a request to the daemon that serves a data folder. It reports false if no daemon serves it;
// then the command does the work itself.
func Ask(env *setup.Environment, folder setup.DataFolder, ask func(*control.Client) error) (lives bool, err error) {
	path, err := env.DataDir(folder)
	if err != nil {
		return false, err
	}
	switch err = ask(control.New(path)); {
	case errors.Is(err, control.ErrNoDaemon):
		return false, nil
	case err != nil:
		return true, daemonError(err)
	}
	return true, nil
}

// daemonError adds an exit code to the error that a daemon answered.
func daemonError(err error) error {
	var refused *control.Error
	if !errors.As(err, &refused) {
		return console.Exit(console.ExitFailed, err)
	}
	switch refused.Code {
	case control.NotFound, control.Invalid, control.Conflict, control.TooLarge, control.Forbidden:
		return console.Usage("the daemon refuses: %w", refused)
	}
	return console.Exit(console.ExitFailed, fmt.Errorf("the daemon: %w", refused))
}
