package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/spf13/cobra"
)

type simulatorOptions struct {
	listen string
	output string
}

func (p *program) simulatorCommand() *cobra.Command {
	var o simulatorOptions
	c := &cobra.Command{
		Use:   "simulator",
		Short: "Serve a PagerDuty to test against",
		Long: `Serve a PagerDuty that keeps users and incidents in memory, over plain HTTP on
the loopback interface. It prints what to put into the environment of a client,
then a line for each request. It answers only the keys that it prints.`,
		Example: `  pdflow simulator
  pdflow simulator --listen 127.0.0.1:8080
  pdflow simulator -o json   # the first line on standard output is for machines`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.serveSimulator(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "the address; port 0 takes a free one")
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
	log := simulator.WithLog(func(r simulator.Request) {
		_, _ = io.WriteString(p.stderr, fmt.Sprintf("%d %s %s\n", r.Status, r.Method, r.Path))
	})
	s, err := startSimulator(o.listen, log)
	if err != nil {
		return exit(exitFailed, err)
	}
	defer s.close()
	if err := p.announce(s, o.output); err != nil {
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

// announce prints how to reach the simulator. The keys are made up for it and
// open nothing else, so they may be shown.
func (p *program) announce(s *localSimulator, output string) error {
	if output == "json" {
		line, err := marshalLine(map[string]string{"api_url": s.url, "events_url": s.url, "api_key": s.APIKey(), "service_key": s.ServiceKey()})
		if err != nil {
			return err
		}
		_, err = io.WriteString(p.stdout, line+"\n")
		return err
	}
	text := strings.Join([]string{
		"export PAGERDUTY_API_URL=" + s.url,
		"export PAGERDUTY_EVENTS_URL=" + s.url,
		"export PAGERDUTY_API_KEY=" + s.APIKey(),
		"export PAGERDUTY_SERVICE_KEY=" + s.ServiceKey(),
	}, "\n")
	if _, err := io.WriteString(p.stdout, text+"\n"); err != nil {
		return err
	}
	_, err := io.WriteString(p.stderr, "a simulated PagerDuty listens at "+s.url+"; Ctrl-C ends it\n")
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
