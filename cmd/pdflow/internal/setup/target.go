package setup

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
	"github.com/pdflow/pdflow/builtins/wire"
	"github.com/pdflow/pdflow/builtins/world"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

// A Target is what the runs of a command reach: PagerDuty or a simulator, the network or a world
// file. It has the catalogue of actions and the interpreter that are made for it.
type Target struct {
	Catalog     *action.Catalog
	Interpreter *lua.Interpreter
	Connections *Connections // nil for Offline
	Simulator   *Simulator   // nil without --simulate
	secret      func(name string) (string, error)
	learn       func(*workflow.Workflow)       // makes the redactor know its secrets; may be nil
	operator    *Configuration                 // nil: unknown
	real        bool                           // runs reach PagerDuty itself
	sender      func(connection string) string // the From address of a connection; nil: unknown
	ceiling     *attempt.Policy                // nil: the operator limits nothing
	ceilings    workflow.Ceilings
	memory      *engine.Memory // nil: it has no bound
}

// Offline returns a target for programs that make no call.
func Offline() (*Target, error) { return newTarget(builtins.Config{}) }

// Offline returns the target of commands that make no call.
func (e *Environment) Offline() (*Target, error) {
	t, err := Offline()
	if err == nil {
		t.Learn(e)
	}
	return t, err
}

func newTarget(c builtins.Config) (*Target, error) {
	catalog, err := action.NewCatalog(builtins.Actions(c)...)
	if err != nil {
		return nil, err
	}
	return &Target{Catalog: catalog, Interpreter: lua.New(catalog)}, nil
}

// WithClient returns a target whose connections all use the client of the configuration, whatever
// their names.
func WithClient(c builtins.Config, s Settings) (*Target, error) {
	t, err := newTarget(c)
	if err != nil {
		return nil, err
	}
	only := &Connection{workflow.DefaultConnection, s, c.PagerDuty}
	t.Connections = &Connections{open: func(string) (*Connection, error) { return only, nil }}
	return t, nil
}

// Learn makes the redactor of an environment know the secrets that the workflows of the target declare,
// when they are compiled.
func (t *Target) Learn(e *Environment) { t.learn = e.keyring().learnSecrets }

// Target returns what the runs of a workflow file reach. Close it after use.
func (e *Environment) Target(file string, simulate bool, s Simulation) (*Target, error) {
	if simulate {
		return e.simulatedTarget(file, s)
	}
	return e.RealTarget()
}

// RealTarget returns a target with the connections of the configuration and of the environment.
func (e *Environment) RealTarget() (*Target, error) {
	if err := wire.CheckProxy(e.Getenv); err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	configuration, err := e.Configuration()
	if err != nil {
		return nil, err
	}
	connections := e.Connections(configuration)
	t, err := newTarget(builtins.Config{Connect: connections.client})
	if err != nil {
		return nil, err
	}
	t.Connections, t.secret, t.real = connections, e.keyring().secret, true
	t.Learn(e)
	return t, t.Under(configuration, e.Getenv)
}

// Under makes a target obey the operator's configuration: what workflows are allowed, the names of
// the connections and, with the environment, on whose behalf they write. It returns an error if the
// configuration allows an action that does not exist.
func (t *Target) Under(c *Configuration, getenv func(string) string) error {
	t.operator, t.ceilings = c, c.Ceilings
	t.sender = func(connection string) string { return c.fromEmail(connection, getenv) }
	if c.Allow == nil {
		return nil
	}
	t.ceiling = &attempt.Policy{Permissions: c.Allow.Permissions, Secrets: c.Allow.Secrets, File: c.File}
	for _, module := range slices.Sorted(maps.Keys(c.Allow.Actions)) {
		known := t.Catalog.Functions(module)
		for _, name := range c.Allow.Actions[module] {
			if !slices.Contains(known, name) {
				return console.Usage("the configuration has problems:\n%s: allow: there is no action %s.%s (%s)", c.File, module, phrase.Clip(name, 60),
					cmp.Or(phrase.DidYouMean(name, known), module+" has: "+strings.Join(known, ", ")))
			}
		}
	}
	return nil
}

// Objections returns what a plan asks for that the operator's configuration does not allow or
// does not have.
func (t *Target) Objections(plan *workflow.Plan) source.Problems {
	found := append(t.ceiling.Check(plan), t.operator.takenKeys(plan)...)
	for _, name := range ConnectionsOf(plan) {
		if name.Position.Line > 0 && !t.operator.knows(name.Text) { // without a position it is typed
			found = append(found, source.Problem{
				File: plan.Workflow.File, Line: name.Position.Line, Column: name.Position.Column, Rule: "connection", Severity: source.SeverityError,
				Message: t.operator.missing(name.Text), Hint: t.operator.nearest(name.Text),
			})
		}
	}
	return append(found, t.senderless(plan)...)
}

// senderless returns the calls that write on behalf of a user, and have no From address. PagerDuty
// refuses such a write. Where the connections are not known, it is a warning.
func (t *Target) senderless(plan *workflow.Plan) source.Problems {
	severity := source.SeverityWarning
	if t.real || t.Connections == nil && t.operator != nil && t.operator.File != "" {
		severity = source.SeverityError
	}
	var found source.Problems
	for _, call := range plan.Calls() {
		a, ok := t.Catalog.Lookup(call.Action)
		if !ok || t.sender == nil || call.Gives(fromEmail) {
			continue
		}
		connection := cmp.Or(call.Connection, plan.Workflow.Connection.Text, workflow.DefaultConnection)
		if _, takes := a.In.Field(fromEmail); !takes || t.sender(connection) != "" {
			continue
		}
		hint := "give from_email, or set PAGERDUTY_FROM_EMAIL to the e-mail address of a user"
		if connection != workflow.DefaultConnection {
			hint = "give from_email, or add from_email to the connection " + connection
		}
		found = append(found, source.Problem{
			File: plan.Workflow.File, Line: max(call.Position.Line, 1), Column: max(call.Position.Column, 1), Rule: "from-email", Severity: severity,
			Message: a.Name + " needs a From address: PagerDuty wants to know on whose behalf it writes", Hint: hint,
		})
	}
	return found
}

// fromEmail is the input that says on whose behalf a call writes.
const fromEmail = "from_email"

// simulatedTarget returns a target that reaches nothing outside this process: a simulator on the
// loopback interface, and a world file for everything else.
func (e *Environment) simulatedTarget(file string, s Simulation) (*Target, error) {
	configuration, err := e.Configuration()
	if err != nil {
		return nil, err
	}
	world, err := e.world(s.World, file)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	options, err := e.AccountOptions(s.Seed, s.Faults)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	local, err := StartSimulator("127.0.0.1:0", append(options, simulator.WithLenientServiceKeys())...)
	if err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	settings := local.Settings(&SkippingClock{})
	settings.eventsAPI = e.Getenv("PAGERDUTY_EVENTS_API")
	e.Redactor.Add(settings.APIKey, settings.ServiceKey)
	client, err := settings.Client()
	if err != nil {
		local.Stop()
		return nil, console.Exit(console.ExitUsage, err)
	}
	t, err := WithClient(builtins.Config{PagerDuty: client, Transport: world.Transport(), Network: world.Network()}, settings)
	if err != nil {
		local.Stop()
		return nil, err
	}
	t.Simulator, t.secret = local, e.SimulatedSecret
	t.Learn(e)
	if err := t.Under(configuration, e.Getenv); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// In returns the same target with another world.
func (t *Target) In(world *world.World) (*Target, error) {
	made, err := newTarget(builtins.Config{Connect: t.Connections.client, Transport: world.Transport(), Network: world.Network()})
	if err != nil {
		return nil, err
	}
	moved := *t
	moved.Catalog, moved.Interpreter = made.Catalog, made.Interpreter
	return &moved, nil
}

// Account returns the simulated account; nil if runs reach PagerDuty.
func (t *Target) Account() *simulator.Simulator {
	if t.Simulator == nil {
		return nil
	}
	return t.Simulator.Simulator
}

// Close stops the simulator, if there is one.
func (t *Target) Close() {
	if t.Simulator != nil {
		t.Simulator.Stop()
	}
}

// Engine returns an engine for runs of this target. It has no journal and no observers.
func (t *Target) Engine(redactor *redact.Redactor) *engine.Local {
	return &engine.Local{Interpreter: t.Interpreter, Secrets: t.secret, Redactor: redactor, Policy: t.ceiling, Ceilings: t.ceilings, Memory: t.memory}
}

// Ready reports a plan that needs a connection or a key that is missing, or more than the operator
// allows. It makes no call.
func (t *Target) Ready(plan *workflow.Plan) error {
	if found := t.Objections(plan).Of(source.SeverityError); len(found) > 0 {
		return console.Exit(console.ExitUsage, found)
	}
	for _, name := range ConnectionsOf(plan) {
		if !t.operator.knows(name.Text) {
			return console.Usage("%s (%s)", t.operator.missing(name.Text), t.operator.nearest(name.Text))
		}
		if _, err := t.Connections.Get(name.Text); err != nil && name.Position.Line > 0 {
			return console.Usage("%s:%d:%d: %w", plan.Workflow.File, name.Position.Line, name.Position.Column, err)
		} else if err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	if err := t.keysUnderOtherNames(plan); err != nil {
		return err
	}
	for _, call := range plan.Calls() {
		a, ok := t.Catalog.Lookup(call.Action)
		if !ok || a.Module() != "pagerduty" {
			continue
		}
		if err := t.hasKey(plan, call, a); err != nil {
			return err
		}
	}
	return nil
}

// keysUnderOtherNames reports a secret of a plan that has the key of a connection as its text, in a
// variable or a file of another name. See [Configuration.takenKeys].
func (t *Target) keysUnderOtherNames(plan *workflow.Plan) error {
	if !t.real {
		return nil
	}
	var keys []string
	for _, name := range append([]string{workflow.DefaultConnection}, t.operator.Names()...) {
		if c, err := t.Connections.Get(name); err == nil { // an error is of calls that use the connection
			keys = append(keys, c.Settings.APIKey, c.Settings.ServiceKey)
		}
	}
	for _, secret := range plan.Workflow.Secrets {
		if len(secret.Hosts) == 0 || strings.HasPrefix(secret.Name, "inputs.") || t.operator.gives(secret.Name) {
			continue
		}
		text, err := t.secret(secret.Name)
		if err != nil {
			continue // the run reports it
		}
		if slices.ContainsFunc(keys, func(key string) bool { return len(key) >= redact.MinLength && strings.Contains(text, key) }) {
			return console.Usage("%s:%d:%d: the secret %s has the key of a connection, which a workflow cannot send to other hosts (the operator allows it with allow: {secrets: [%s]} in pdflow.yaml)",
				plan.Workflow.File, secret.Position.Line, secret.Position.Column, secret.Name, secret.Name)
		}
	}
	return nil
}

// hasKey reports a call whose connection has no key for it. A call in a Lua module is assumed to use
// the connection of the workflow.
func (t *Target) hasKey(plan *workflow.Plan, call workflow.PlannedCall, a *action.Action) error {
	c, err := t.Connections.Get(cmp.Or(call.Connection, plan.Workflow.Connection.Text))
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	remedy := func(variable, field string) string {
		if c.Name == workflow.DefaultConnection {
			return "set " + variable
		}
		return fmt.Sprintf("give the connection %s %s that is set", c.Name, field)
	}
	_, isEvent := a.In.Field("service_key")
	switch {
	case !isEvent && c.Settings.APIKey == "":
		return console.Usage("%s calls %s, which needs a PagerDuty API key: %s, or add --simulate to run offline", plan.Workflow.File, a.Name, remedy("PAGERDUTY_API_KEY", "an api_key"))
	case isEvent && c.Settings.ServiceKey == "" && !call.Gives("service_key"):
		return console.Usage("%s calls %s without a service_key: %s, give service_key in the step, or add --simulate to run offline", plan.Workflow.File, a.Name, remedy("PAGERDUTY_SERVICE_KEY", "a service_key"))
	}
	return nil
}

// ConnectionsOf returns the names of the connections that a plan uses: the connection of the
// workflow first, then the others in order.
func ConnectionsOf(plan *workflow.Plan) []source.Text {
	names := []source.Text{plan.Workflow.Connection}
	for i := range plan.Steps {
		c := plan.Steps[i].Connection
		if !slices.ContainsFunc(names, func(t source.Text) bool { return t.Text == c.Text }) {
			names = append(names, c)
		}
	}
	slices.SortStableFunc(names[1:], func(a, b source.Text) int { return strings.Compare(a.Text, b.Text) })
	return names
}

// Of returns what a run of a plan records of its target, and the keys that it uses.
func (t *Target) Of(plan *workflow.Plan) (run.Target, map[string]string, error) {
	keys := map[string]string{}
	var target run.Target
	for i, name := range ConnectionsOf(plan) {
		c, err := t.Connections.Get(name.Text)
		if err != nil {
			return target, nil, console.Exit(console.ExitUsage, err)
		}
		prefix := ""
		one := run.Target{Connection: c.Name, Region: c.Settings.region, APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL()}
		if t.Simulator != nil {
			one = run.Target{Simulation: t.Simulator.ID, APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL()}
		}
		switch {
		case i == 0:
			target = one
		case t.Simulator != nil || c.Name == target.Connection:
			continue // another name of the same account
		default:
			prefix, target.Others = c.Name+".", append(target.Others, one)
		}
		keys[prefix+"api_key"], keys[prefix+"service_key"] = c.Settings.APIKey, c.Settings.ServiceKey
	}
	return target, keys, nil
}

// Request returns the request for a new run of a plan.
func (t *Target) Request(plan *workflow.Plan, inputs action.Object) (engine.Request, error) {
	target, keys, err := t.Of(plan)
	return engine.Request{Inputs: inputs, Target: target, Keys: keys}, err
}

// A Simulation is the files that --simulate uses. Each may be empty.
type Simulation struct {
	World  string // the answers of http and net
	Seed   string // what the account contains at the start
	Faults string // what goes wrong in the account
}

// AddFlags adds --world, --seed and --faults. Their variables count only if the flag with is
// set. WorldDefault is added to the help of --world.
func (s *Simulation) AddFlags(f *pflag.FlagSet, with, worldDefault string) {
	f.StringVar(&s.World, "world", "", "the answers of http and net under --simulate"+worldDefault)
	f.StringVar(&s.Seed, "seed", "", "what the account of --simulate contains at the start: a YAML or JSON file (docs/simulator.md)")
	f.StringVar(&s.Faults, "faults", "", "what goes wrong in the account of --simulate: a YAML or JSON file (docs/simulator.md)")
	for _, name := range []string{"world", "seed", "faults"} {
		BelongsTo(f, name, with)
	}
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

// WorldName returns the name of the world file next to a workflow file.
func WorldName(file string) string {
	return strings.TrimSuffix(file, filepath.Ext(file)) + ".world.yaml"
}

// WorldOf reads the world file next to a workflow file: its name with .world.yaml. It returns nil if there
// is no such file.
func WorldOf(file source.File) (*world.World, error) {
	next := source.File{Path: WorldName(file.Path), Folder: cmp.Or(file.Folder, filepath.Dir(file.Path))}
	text, err := next.Read(source.MaxFileSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, FileError(err, next.Path)
	}
	return ParseWorld(next.Path, text)
}

// world reads the world file of --world, or the file next to a workflow file. Without either the world is
// empty.
func (e *Environment) world(named, workflowFile string) (*world.World, error) {
	if named != "" {
		text, err := e.readNamed(named, source.MaxFileSize)
		if err != nil {
			return nil, FileError(err, named)
		}
		return ParseWorld(named, text)
	}
	if workflowFile != "" {
		if found, err := WorldOf(source.File{Path: workflowFile}); found != nil || err != nil {
			return found, err
		}
	}
	return world.New(nil)
}

// ParseWorld reads the text of a world file.
func ParseWorld(file string, text []byte) (*world.World, error) {
	data, err := source.ReadDataOf(file, text, world.Keys...)
	if err != nil {
		return nil, err
	}
	o, _ := data.Value.(action.Object)
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
func (e *Environment) AccountOptions(seed, faults string) ([]simulator.Option, error) {
	var options []simulator.Option
	if seed != "" {
		state, err := readDocument(e, seed, account.ParseState)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithState(state))
	}
	if faults != "" {
		plan, err := readDocument(e, faults, fault.Parse)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithFaults(plan.Faults...))
	}
	return options, nil
}

// readDocument reads a document of the simulator from a YAML or JSON file.
func readDocument[T any](e *Environment, file string, parse func([]byte) (T, error)) (document T, err error) {
	text, err := e.readNamed(file, source.MaxFileSize)
	if err != nil {
		return document, FileError(err, file)
	}
	return ParseDocument(file, text, parse)
}

// ParseDocument reads the text of a document of the simulator.
func ParseDocument[T any](file string, text []byte, parse func([]byte) (T, error)) (document T, err error) {
	data, err := source.ReadDataOf(file, text, strictjson.Fields[T]()...)
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
	s.server = &http.Server{Handler: s.Simulator, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)} // what it logs may quote a request
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
