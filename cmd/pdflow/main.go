// Command pdflow runs, checks and tests PagerDuty runbooks.
//
// There is one file for each command: its flags, and the function that does it.
// program.go holds what they share (output, environment, exit codes),
// connection_settings.go which PagerDuty they talk to, simulate.go the one inside
// the binary, and progress.go what a person sees while a run goes on.
package main

import "os"

func main() {
	os.Exit(newProgram().main(os.Args[1:]))
}
