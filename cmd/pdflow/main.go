// Command pdflow runs, checks and tests PagerDuty runbooks.
//
// Its rooms are the packages below internal:
//
//   - cli: the commands, one file each. cli/runs and cli/schedule have the commands about runs and
//     schedules.
//   - daemon: `pdflow serve`, with its parts in packages below it.
//   - runbooktest: `pdflow test`.
//   - setup: environment variables, flags, pdflow.yaml and files, made into a ready engine.
//   - runview: how people see the events of a run.
//   - console: streams, colours, text layout, exit codes.
//   - killtest: proofs that a killed process does nothing twice and loses nothing (tests only).
//
// A package may import packages further down this list. The tests in this folder use the command line as
// people do: scripts (testdata/script), the transcripts of the documentation, and requests on the wire.
package main

import (
	"os"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

func main() {
	os.Exit(cli.Main(setup.Standard(), os.Args[1:]))
}
