package cli

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
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

func simulatorCommand(p *setup.Environment) *cobra.Command {
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
		RunE: func(c *cobra.Command, _ []string) error { return runSimulator(c.Context(), p, o) },
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

func runSimulator(ctx context.Context, p *setup.Environment, o simulatorOptions) error {
	if err := console.OneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	if err := loopback(o.listen); err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	served, err := newServedAccount(p, o)
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	defer served.forget()
	s, err := setup.ServeSimulator(o.listen, served.tls, served.options...)
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	defer s.Stop()
	if err := announceSimulator(p, s, served, o.output); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		s.Stop()
	}()
	if err := s.Wait(); err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	return console.Exit(int(p.Signal.Load()), nil)
}

// A servedAccount is how a simulator is served to other processes.
type servedAccount struct {
	options []simulator.Option
	token   string      // of its control API
	tls     *tls.Config // nil for plain HTTP
	caFile  string
	forget  func() // removes what was written for it
}

// newServedAccount reads the documents and makes the certificates of a simulator. It
// lives in the time of this machine.
func newServedAccount(p *setup.Environment, o simulatorOptions) (*servedAccount, error) {
	served := &servedAccount{token: rand.Text(), forget: func() {}}
	served.options = []simulator.Option{
		simulator.WithControlToken(served.token), simulator.WithClock(time.Now),
		simulator.WithAfterFunc(func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }),
		simulator.WithLog(func(r simulator.Request) {
			_, _ = io.WriteString(p.Stderr, fmt.Sprintf("%d %s %s\n", r.Status, r.Method, r.Path))
		}),
	}
	if o.limits {
		served.options = append(served.options, simulator.WithLimits(simulator.DefaultLimits()))
	}
	documents, err := setup.AccountOptions(o.seed, o.faults)
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

// announceSimulator prints how to reach the simulator. The keys are made up for it and
// open nothing else, so they may be shown.
func announceSimulator(p *setup.Environment, s *setup.Simulator, served *servedAccount, output string) error {
	if output == "json" {
		fields := map[string]string{
			"api_url": s.URL, "events_url": s.URL, "api_key": s.APIKey(), "service_key": s.ServiceKey(), "control_token": served.token,
		}
		if served.caFile != "" {
			fields["ca_file"] = served.caFile
		}
		line, err := console.MarshalLine(fields)
		if err != nil {
			return err
		}
		_, err = io.WriteString(p.Stdout, line+"\n")
		return err
	}
	lines := []string{
		"export PAGERDUTY_API_URL=" + s.URL,
		"export PAGERDUTY_EVENTS_URL=" + s.URL,
		"export PAGERDUTY_API_KEY=" + s.APIKey(),
		"export PAGERDUTY_SERVICE_KEY=" + s.ServiceKey(),
	}
	if served.caFile != "" {
		lines = append(lines, "export PAGERDUTY_CA_FILE="+console.ShellWord(served.caFile))
	}
	if _, err := io.WriteString(p.Stdout, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	_, err := io.WriteString(p.Stderr, "a simulated PagerDuty listens at "+s.URL+"; Ctrl-C ends it\nits control API: curl -H 'Authorization: Bearer "+served.token+"' "+s.URL+"/sim/state\n")
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
