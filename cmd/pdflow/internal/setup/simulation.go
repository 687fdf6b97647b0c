package setup

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
	"github.com/pdflow/pdflow/builtins/world"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/spf13/pflag"
)

// A Simulation is the files that --simulate uses. Each may be empty.
type Simulation struct {
	World  string // the answers of http and net
	Seed   string // what the account contains at the start
	Faults string // what goes wrong in the account
}

// AddFlags adds --world, --seed and --faults. WorldDefault is added to the help of --world.
func (s *Simulation) AddFlags(f *pflag.FlagSet, worldDefault string) {
	f.StringVar(&s.World, "world", "", "the answers of http and net under --simulate"+worldDefault)
	f.StringVar(&s.Seed, "seed", "", "what the account of --simulate contains at the start: a YAML or JSON file (docs/simulator.md)")
	f.StringVar(&s.Faults, "faults", "", "what goes wrong in the account of --simulate: a YAML or JSON file (docs/simulator.md)")
}

// Given returns the name of a flag that was given; empty if none was.
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

// WorldFile returns the world file next to a workflow file: its name with .world.yaml. It is empty
// if there is no such file.
func WorldFile(file string) string {
	world := strings.TrimSuffix(file, filepath.Ext(file)) + ".world.yaml"
	if file == "" || !IsFile(world) {
		return ""
	}
	return world
}

// ReadWorld reads a world file. An empty name gives an empty world.
func ReadWorld(file string) (*world.World, error) {
	if file == "" {
		return world.New(nil)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, FileError(err, file)
	}
	data, err := source.ReadData(file, text)
	if err != nil {
		return nil, err
	}
	o, ok := data.Value.(action.Object)
	if !ok && data.Value != nil {
		return nil, fmt.Errorf("%s must be a mapping with http and net", file)
	}
	world, err := world.New(o)
	var problems action.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			at := data.Tree.Place(problem.Path, 1)
			if problem.Rule == action.RuleUnknownInput {
				at = data.Tree.PlaceOfName(problem.Path, 1)
			}
			data.Report(at, problem.Rule, problem.Message, problem.Hint)
		}
		err = data.Err()
	}
	return world, err
}

// AccountOptions reads the seed and the faults of an account. Either name may be empty.
func AccountOptions(seed, faults string) ([]simulator.Option, error) {
	var options []simulator.Option
	if seed != "" {
		state, err := ReadDocument(seed, account.ParseState)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithState(state))
	}
	if faults != "" {
		plan, err := ReadDocument(faults, fault.Parse)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithFaults(plan.Faults...))
	}
	return options, nil
}

// ReadDocument reads a document of the simulator from a YAML or JSON file.
func ReadDocument[T any](file string, parse func([]byte) (T, error)) (document T, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return document, FileError(err, file)
	}
	data, err := source.ReadData(file, text)
	if err != nil {
		return document, err
	}
	if text, err = json.Marshal(data.Value); err != nil {
		return document, err
	}
	document, err = parse(text)
	var problems strictjson.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			data.Report(data.Tree.Place(problem.Path, 0), action.RuleBadInput, strings.TrimPrefix(problem.Path+": "+problem.Message, ": "), "")
		}
		err = data.Err()
	}
	return document, err
}

// A Simulator is a simulator that listens in this process.
type Simulator struct {
	*simulator.Simulator
	ID     string // unique, so that a run is never resumed against another simulator
	URL    string
	server *http.Server
	failed chan error // the result of Serve
}

// StartSimulator listens on an address. Port 0 takes a free port.
func StartSimulator(address string, options ...simulator.Option) (*Simulator, error) {
	return ServeSimulator(address, nil, options...)
}

// ServeSimulator listens on an address, with TLS if a configuration is given.
func ServeSimulator(address string, secure *tls.Config, options ...simulator.Option) (*Simulator, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Simulator{Simulator: simulator.New(options...), ID: rand.Text(), URL: "http://" + listener.Addr().String(), failed: make(chan error, 1)}
	s.server = &http.Server{Handler: s.Simulator, ReadHeaderTimeout: 10 * time.Second}
	if secure != nil {
		s.URL, listener = "https://"+listener.Addr().String(), tls.NewListener(listener, secure)
	}
	go func() { s.failed <- s.server.Serve(listener) }()
	return s, nil
}

// Stop closes the listener and its connections.
func (s *Simulator) Stop() {
	s.Close() // ends requests that hang
	_ = s.server.Close()
}

// Wait returns when serving ends. The error is nil after Stop.
func (s *Simulator) Wait() error {
	if err := <-s.failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Settings returns the settings of a connection to this simulator. Users are created in the name of
// the first user of the account.
func (s *Simulator) Settings(clock Clock) Settings {
	settings := Settings{APIKey: s.APIKey(), ServiceKey: s.ServiceKey(), apiURL: s.URL, eventsURL: s.URL, clock: clock}
	if users := s.Users(); len(users) > 0 {
		settings.fromEmail = users[0].Email
	}
	return settings
}

// A SkippingClock is the machine's clock, except that Sleep takes no time and moves the clock
// instead. A run against a simulator does not wait for PagerDuty's rate limits or between the tries
// of a call. The zero value is ready to use.
type SkippingClock struct {
	mu      sync.Mutex
	skipped time.Duration
}

// Now returns the machine's time plus all the time that was slept.
func (c *SkippingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skipped)
}

// Sleep moves the clock and returns at once.
func (c *SkippingClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
	return context.Cause(ctx)
}
