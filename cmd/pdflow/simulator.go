package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/spf13/cobra"
)

type simulatorOptions struct {
	listen string
	seed   string
	faults string
	limits bool
	tls    bool
	caFile string
	output string
}

func (p *program) simulatorCommand() *cobra.Command {
	var o simulatorOptions
	c := &cobra.Command{
		Use:   "simulator",
		Short: "Serve a PagerDuty to test against",
		Long: `Serve a PagerDuty that keeps users and incidents in memory, on the loopback
interface. It prints what to put into the environment of a client, then a line
for each request. It answers only the keys that it prints, or that its seed has.

Another process can look into it, move its time and make things go wrong by its
control API, under /sim/, with the token that is printed. docs/simulator.md has
the documents of --seed and --faults.`,
		Example: `  pdflow simulator
  pdflow simulator --listen 127.0.0.1:8080 --seed account.yaml --faults storm.yaml
  pdflow simulator --tls -o json   # the first line on standard output is for machines`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.serveSimulator(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "the address; port 0 takes a free one")
	f.StringVar(&o.seed, "seed", "", "a YAML or JSON file of what the account holds at the start")
	f.StringVar(&o.faults, "faults", "", "a YAML or JSON file of what goes wrong")
	f.BoolVar(&o.limits, "limits", false, "refuse what is over PagerDuty's rate limits")
	f.BoolVar(&o.tls, "tls", false, "serve https, with a certificate of an authority that is made for it")
	f.StringVar(&o.caFile, "ca-file", "", "where --tls writes the certificate of that authority (default a temporary file)")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return c
}

func (p *program) serveSimulator(ctx context.Context, o simulatorOptions) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	if err := loopback(o.listen); err != nil {
		return exit(exitUsage, err)
	}
	served, err := p.servedAccount(o)
	if err != nil {
		return exit(exitUsage, err)
	}
	defer served.forget()
	s, err := serveSimulator(o.listen, served.tls, served.options...)
	if err != nil {
		return exit(exitFailed, err)
	}
	defer s.close()
	if err := p.announce(s, served, o.output); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		s.close()
	}()
	if err := s.wait(); err != nil {
		return exit(exitFailed, err)
	}
	return exit(int(p.signal.Load()), nil)
}

// A servedAccount is how a simulator is served to other processes.
type servedAccount struct {
	options []simulator.Option
	token   string      // of its control API
	tls     *tls.Config // nil for plain HTTP
	caFile  string
	forget  func() // removes what was written for it
}

// servedAccount reads the documents and makes the certificates of a simulator. It
// lives in the time of this machine.
func (p *program) servedAccount(o simulatorOptions) (*servedAccount, error) {
	served := &servedAccount{token: rand.Text(), forget: func() {}}
	served.options = []simulator.Option{
		simulator.WithControlToken(served.token), simulator.WithClock(time.Now),
		simulator.WithAfterFunc(func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }),
		simulator.WithLog(func(r simulator.Request) {
			_, _ = io.WriteString(p.stderr, fmt.Sprintf("%d %s %s\n", r.Status, r.Method, r.Path))
		}),
	}
	if o.limits {
		served.options = append(served.options, simulator.WithLimits(simulator.DefaultLimits()))
	}
	documents, err := accountOptions(o.seed, o.faults)
	if err != nil {
		return nil, err
	}
	served.options = append(served.options, documents...)
	if o.caFile != "" && !o.tls {
		return nil, errors.New("--ca-file goes with --tls")
	}
	if o.tls {
		return served, served.certify(o)
	}
	return served, nil
}

// accountOptions reads the documents of what an account holds at the start and of
// what goes wrong in it; either may be absent.
func accountOptions(seed, faults string) ([]simulator.Option, error) {
	var options []simulator.Option
	if seed != "" {
		state, err := readDocument(seed, simulator.ParseState)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithState(state))
	}
	if faults != "" {
		plan, err := readDocument(faults, simulator.ParseFaults)
		if err != nil {
			return nil, err
		}
		options = append(options, simulator.WithFaults(plan.Faults...))
	}
	return options, nil
}

// readDocument reads a document of the simulator, which may also be written in
// YAML.
func readDocument[T any](file string, parse func([]byte) (T, error)) (document T, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return document, fileError(err, file)
	}
	data, err := source.ReadData(file, text)
	if err != nil {
		return document, err
	}
	if text, err = json.Marshal(data.Value); err != nil {
		return document, err
	}
	document, err = parse(text)
	var problems simulator.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			data.Report(data.Tree.Place(problem.Path, 0), action.RuleBadInput, strings.TrimPrefix(problem.Path+": "+problem.Message, ": "), "")
		}
		err = data.Err()
	}
	return document, err
}

// certify makes the certificates and writes that of the authority, which clients
// must be told to trust.
func (served *servedAccount) certify(o simulatorOptions) error {
	config, authority, err := simulator.NewTLS(time.Now())
	if err != nil {
		return err
	}
	served.tls, served.caFile = config, o.caFile
	if o.caFile != "" {
		return os.WriteFile(o.caFile, authority, 0o644)
	}
	f, err := os.CreateTemp("", "pdflow-simulator-*.pem")
	if err != nil {
		return err
	}
	served.caFile = f.Name()
	served.forget = func() { _ = os.Remove(f.Name()) }
	_, err = f.Write(authority)
	return errors.Join(err, f.Close())
}

// announce prints how to reach the simulator. The keys are made up for it and
// open nothing else, so they may be shown.
func (p *program) announce(s *localSimulator, served *servedAccount, output string) error {
	if output == "json" {
		fields := map[string]string{
			"api_url": s.url, "events_url": s.url, "api_key": s.APIKey(), "service_key": s.ServiceKey(), "control_token": served.token,
		}
		if served.caFile != "" {
			fields["ca_file"] = served.caFile
		}
		line, err := marshalLine(fields)
		if err != nil {
			return err
		}
		_, err = io.WriteString(p.stdout, line+"\n")
		return err
	}
	lines := []string{
		"export PAGERDUTY_API_URL=" + s.url,
		"export PAGERDUTY_EVENTS_URL=" + s.url,
		"export PAGERDUTY_API_KEY=" + s.APIKey(),
		"export PAGERDUTY_SERVICE_KEY=" + s.ServiceKey(),
	}
	if served.caFile != "" {
		lines = append(lines, "export PAGERDUTY_CA_FILE="+shellWord(served.caFile))
	}
	if _, err := io.WriteString(p.stdout, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	_, err := io.WriteString(p.stderr, "a simulated PagerDuty listens at "+s.url+"; Ctrl-C ends it\nits control API: curl -H 'Authorization: Bearer "+served.token+"' "+s.url+"/sim/state\n")
	return err
}

// loopback refuses addresses that other machines could reach: the simulator
// talks plain HTTP.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--listen %q is not an address; write HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("--listen %s is not on the loopback interface; the simulator is for this machine only, write 127.0.0.1:PORT", address)
}
