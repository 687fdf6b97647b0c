package setup

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

// A Simulation is what a run under --simulate meets.
type Simulation struct {
	World  string // how http and net answer
	Seed   string // what the account holds at the start
	Faults string // what goes wrong in it
}

func (s *Simulation) AddFlags(f *pflag.FlagSet, worldDefault string) {
	f.StringVar(&s.World, "world", "", "how http and net answer under --simulate"+worldDefault)
	f.StringVar(&s.Seed, "seed", "", "what the account of --simulate holds at the start: a YAML or JSON file (docs/simulator.md)")
	f.StringVar(&s.Faults, "faults", "", "what goes wrong in the account of --simulate: a YAML or JSON file (docs/simulator.md)")
}

// Given is the name of a flag that was given; empty when none was.
func (s Simulation) Given() string {
	switch {
	case s.World != "":
		return "world"
	case s.Seed != "":
		return "seed"
	case s.Faults != "":
		return "faults"
	}
	return ""
}

// AccountOptions reads the documents of what an account holds at the start and of
// what goes wrong in it; either may be absent.
func AccountOptions(seed, faults string) ([]simulator.Option, error) {
	var options []simulator.Option
	if seed != "" {
		state, err := ReadDocument(seed, simulator.ParseState)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithState(state))
	}
	if faults != "" {
		plan, err := ReadDocument(faults, simulator.ParseFaults)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithFaults(plan.Faults...))
	}
	return options, nil
}

// ReadDocument reads a document of the simulator, which may also be written in
// YAML.
func ReadDocument[T any](file string, parse func([]byte) (T, error)) (document T, err error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return document, FileError(err, file)
	}
	v, err := workflow.ParseData(file, source)
	if err != nil {
		return document, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return document, err
	}
	if document, err = parse(text); err != nil {
		return document, fmt.Errorf("%s: %w", file, err)
	}
	return document, nil
}

// WorldBeside is the world file of a workflow file; empty when there is none.
func WorldBeside(file string) string {
	beside := strings.TrimSuffix(file, filepath.Ext(file)) + ".world.yaml"
	if file == "" || !IsFile(beside) {
		return ""
	}
	return beside
}

// ReadWorld reads a world file; without one the world is empty.
func ReadWorld(worldFile string) (*builtins.World, error) {
	if worldFile == "" {
		return builtins.NewWorld(nil)
	}
	source, err := os.ReadFile(worldFile)
	if err != nil {
		return nil, FileError(err, worldFile)
	}
	v, err := workflow.ParseData(worldFile, source)
	if err != nil {
		return nil, err
	}
	o, ok := v.(action.Object)
	if !ok && v != nil {
		return nil, fmt.Errorf("%s must be a mapping with http and net", worldFile)
	}
	world, err := builtins.NewWorld(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", worldFile, err)
	}
	return world, nil
}
