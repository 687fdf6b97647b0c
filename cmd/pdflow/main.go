// Command pdflow runs, checks and tests PagerDuty runbooks.
//
// There is one file for each command: its flags, and the function that does it
// (run.go, check.go, runs_list.go, ...). What they share:
//
//   - program.go: output, environment flags and exit codes; signals.go: what
//     Ctrl-C does to the runs under way.
//   - settings.go: which PagerDuty they talk to, and with which keys;
//     connections.go: those under a name; simulate.go:
//     the one inside the binary; site.go: all that runs reach, made from these.
//   - journal.go: where runs are recorded; execution.go: work on one run, from the
//     engine's result to what is printed; continuation.go: work on one that was
//     recorded before.
//   - serve*.go: the daemon that runs schedules; serve_daemon.go has a map of it.
//     Its parts are packages below internal. daemon_client.go asks it.
//   - test*.go: `pdflow test`, and the words of its scripts.
//   - rehearse.go: runs that send nothing, or ask first.
//   - history*.go: what the events of a run say of it. progress*.go draw it while
//     it grows, timeline*.go when somebody looks at it later.
//   - result.go, text.go, terminal.go: how things are written.
package main

import (
	"os"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

func main() {
	os.Exit(cli.Main(setup.Standard(), os.Args[1:]))
}
