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
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
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

func simulatorCommand(env *setup.Environment) *cobra.Command {
	var o simulatorOptions
	c := &cobra.Command{
		Use:   "simulator",
		Short: "Serve a simulated PagerDuty",
		Long: `Serve a simulated PagerDuty on the loopback interface. It keeps users and incidents in
memory. It prints the environment variables for a client, then a line for each request.
It accepts only the keys that it prints, and the keys of its seed.

Another process can read its state, move its clock and make requests fail through the
control API under /sim/, with the printed token. docs/simulator.md describes the
documents of --seed and --faults.`,
		Example: `  pdflow simulator
  pdflow simulator --listen 127.0.0.1:8080 --seed account.yaml --faults storm.yaml
  pdflow simulator --tls -o json   # prints one line of JSON on standard output`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runSimulator(c.Context(), env, o) },
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "the address; port 0 takes a free one")
	f.StringVar(&o.seed, "seed", "", "what the account contains at the start: a YAML or JSON file")
	f.StringVar(&o.faults, "faults", "", "what goes wrong in the account: a YAML or JSON file")
	f.BoolVar(&o.limits, "limits", false, "enforce PagerDuty's rate limits")
	f.BoolVar(&o.tls, "tls", false, "serve https, with a certificate of a new certificate authority")
	f.StringVar(&o.caFile, "ca-file", "", "the file that --tls writes the certificate of the authority to (default a temporary file)")
	setup.AddOutput(c, &o.output, "text", "json")
	return c
}

func runSimulator(ctx context.Context, env *setup.Environment, o simulatorOptions) error {
	if err := loopback(o.listen); err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	served, err := newServedAccount(env, o)
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	defer served.forget()
	s, err := setup.ServeSimulator(o.listen, served.tls, served.options...)
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	defer s.Stop()
	if err := announceSimulator(env, s, served, o.output); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		s.Stop()
	}()
	if err := s.Wait(); err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	return console.Exit(int(env.Signal.Load()), nil)
}

// A servedAccount is a simulator that is served to other processes.
type servedAccount struct {
	options []simulator.Option
	token   string      // of its control API
	tls     *tls.Config // nil for plain HTTP
	caFile  string
	forget  func() // removes the files that were written for it
}

// newServedAccount reads the documents and makes the certificates of a simulator. The simulator uses the
// clock of this machine.
func newServedAccount(env *setup.Environment, o simulatorOptions) (*servedAccount, error) {
	served := &servedAccount{token: rand.Text(), forget: func() {}}
	served.options = []simulator.Option{
		simulator.WithControlToken(served.token), simulator.WithClock(time.Now),
		simulator.WithAfterFunc(func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }),
		simulator.WithLog(func(r api.Request) {
			_, _ = io.WriteString(env.Stderr, fmt.Sprintf("%d %s %s\n", r.Status, r.Method, r.Path))
		}),
	}
	if o.limits {
		served.options = append(served.options, simulator.WithLimits(api.DefaultLimits()))
	}
	documents, err := env.AccountOptions(o.seed, o.faults)
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

// certify makes the certificates, and writes the certificate of the authority, which clients must trust.
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

// announceSimulator prints how to reach the simulator. The keys are valid only for it, so they may be
// shown.
func announceSimulator(env *setup.Environment, s *setup.Simulator, served *servedAccount, output string) error {
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
		_, err = io.WriteString(env.Stdout, line+"\n")
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
	if _, err := io.WriteString(env.Stdout, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	_, err := io.WriteString(env.Stderr, "a simulated PagerDuty listens at "+s.URL+"; Ctrl-C ends it\nits control API: curl -H 'Authorization: Bearer "+served.token+"' "+s.URL+"/sim/state\n")
	return err
}

// loopback reports an address that other machines can reach, because the simulator serves plain HTTP.
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
