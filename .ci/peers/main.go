// Command peers runs the same work as whole processes with pdflow, with Go programs
// written by hand, and with tools that do similar work, one after the other in
// turns on one machine, and prints one table. Anyone can repeat what the README
// says with it:
//
//	cd .ci/peers && go run . -rounds 20
//
// It builds pdflow from the checkout around it, and installs the peers with `go
// install` into a temporary folder, which takes some minutes the first time; -peers
// "" leaves them out. What counts are the ratios: "x" is the time beside that of the
// Go program, by medians.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// peerModules are the tools, at the versions that the table was last made with.
var peerModules = map[string]string{
	"task": "github.com/go-task/task/v3/cmd/task@v3.53.1",
	"k6":   "go.k6.io/k6@v1.8.1",
}

// A tool is what does a job: a command with its arguments.
type tool struct {
	name    string
	command []string
}

// A job is the same work for several tools; the first is the bound.
type job struct {
	name  string
	tools []tool
}

func main() {
	rounds := flag.Int("rounds", 15, "how often each command runs")
	peers := flag.String("peers", "task,k6", "the tools to install and run, separated by commas")
	root := flag.String("root", "../..", "the checkout of pdflow")
	flag.Parse()
	log.SetFlags(0)
	if err := compare(*root, strings.FieldsFunc(*peers, func(r rune) bool { return r == ',' }), *rounds); err != nil {
		log.Fatal(err)
	}
}

func compare(root string, peers []string, rounds int) error {
	folder, err := os.MkdirTemp("", "pdflow-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	w := &workshop{folder: folder, installed: map[string]string{}}
	if err := w.build(root); err != nil {
		return err
	}
	for _, name := range peers {
		if err := w.install(name); err != nil {
			return err
		}
	}
	w.serve()
	defer w.server.Close()
	jobs, err := w.jobs()
	if err != nil {
		return err
	}
	fmt.Printf("%-34s %-8s %9s %7s\n", "job", "tool", "median", "x")
	for _, j := range jobs {
		times, err := j.run(w.environment(), rounds)
		if err != nil {
			return err
		}
		for i, t := range j.tools {
			fmt.Printf("%-34s %-8s %9s %7.2f\n", j.name, t.name, round(times[i]), float64(times[i])/float64(times[0]))
		}
	}
	return nil
}

// run runs the tools in turns, so that what the machine does besides hits all of
// them, and returns the median of each. The first round warms up.
func (j job) run(environment []string, rounds int) ([]time.Duration, error) {
	all := make([][]time.Duration, len(j.tools))
	for n := range rounds + 1 {
		for i, t := range j.tools {
			command := exec.Command(t.command[0], t.command[1:]...)
			command.Env = environment
			start := time.Now()
			if out, err := command.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("%s, %s: %w\n%s", j.name, t.name, err, out)
			}
			if n > 0 {
				all[i] = append(all[i], time.Since(start))
			}
		}
	}
	medians := make([]time.Duration, len(all))
	for i := range all {
		slices.Sort(all[i])
		medians[i] = all[i][len(all[i])/2]
	}
	return medians, nil
}

func round(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// A workshop has the binaries and files of a comparison.
type workshop struct {
	folder    string
	pdflow    string
	plain     string
	installed map[string]string
	server    *stub
}

// build builds pdflow and the programs by hand.
func (w *workshop) build(root string) error {
	w.pdflow, w.plain = filepath.Join(w.folder, "pdflow"), filepath.Join(w.folder, "plain")
	return firstError(
		goCommand(root, nil, "build", "-o", w.pdflow, "./cmd/pdflow"),
		goCommand(".", nil, "build", "-o", w.plain, "./plain"),
	)
}

// install installs a peer.
func (w *workshop) install(name string) error {
	module, ok := peerModules[name]
	if !ok {
		return fmt.Errorf("there is no peer %q; known: task, k6", name)
	}
	log.Printf("installing %s ...", module)
	w.installed[name] = filepath.Join(w.folder, name)
	return goCommand(w.folder, []string{"GOBIN=" + w.folder, "GOFLAGS="}, "install", module)
}

// environment is that of every command: the stub in PagerDuty's place.
func (w *workshop) environment() []string {
	return append(os.Environ(),
		"PAGERDUTY_EVENTS_URL="+w.server.URL, "PAGERDUTY_API_URL="+w.server.URL, "PAGERDUTY_SERVICE_KEY=0123456789abcdef0123456789abcdef",
		"XDG_CONFIG_HOME="+filepath.Join(w.folder, "none"), "XDG_STATE_HOME="+filepath.Join(w.folder, "state"), "STUB="+w.server.URL, "K6_NO_USAGE_REPORT=true",
	)
}

func goCommand(folder string, environment []string, args ...string) error {
	command := exec.Command("go", args...)
	command.Dir, command.Env = folder, append(os.Environ(), environment...)
	if folder, err := filepath.Abs(command.Dir); err == nil {
		command.Dir = folder
	}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
