// Package probe declares the module net: it checks ports, looks up names and reads
// when certificates expire.
//
// probe.go declares the actions on top of a [Network]; internet.go is the real network.
package probe

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/engine/action"
)

// A Network answers the probes.
type Network interface {
	// Connect opens a TCP connection and closes it again.
	Connect(ctx context.Context, host string, port int) error
	// LookupHost returns the addresses of a name.
	LookupHost(ctx context.Context, host string) ([]string, error)
	// Certificate returns the certificate of a TLS server and checks it as of a time. It
	// returns an error when the server shows no certificate.
	Certificate(ctx context.Context, host string, port int, at time.Time) (Certificate, error)
}

// A Certificate is the result of a TLS handshake.
type Certificate struct {
	NotAfter time.Time
	// Problem says why the certificate must not be trusted; it is empty when it may be.
	Problem string
}

// Actions returns the actions of the module net.
func Actions(network Network) []*action.Action {
	n := module{network}
	return []*action.Action{
		action.New(action.Spec{
			Name:    "net.check_port",
			Summary: "Check whether a TCP port accepts connections.",
			Doc:     "A closed port and a timeout are results, not failures.",
			Effect:  action.Reads,
		}, n.checkPort, action.Rules[checkPortInput]{Validate: (*checkPortInput).validate, Targets: (*checkPortInput).targets}),
		action.New(action.Spec{
			Name:    "net.lookup",
			Summary: "Look up the addresses of a host name.",
			Doc:     "A name that does not exist is a result, not a failure, and so is a look-up without an answer; `reason` says which.",
			Effect:  action.Reads,
		}, n.lookup, action.Rules[lookupInput]{Validate: (*lookupInput).validate, Targets: (*lookupInput).targets}),
		action.New(action.Spec{
			Name:    "net.tls_expiry",
			Summary: "Return when the certificate of a TLS server expires.",
			Doc: "`valid` is false when the certificate must not be trusted, and when there was no answer. Without an answer " +
				"`expires_at` is empty and `days_left` is 0, so that a check of the days left fails as well.",
			Effect: action.Reads,
		}, n.tlsExpiry, action.Rules[tlsExpiryInput]{Validate: (*tlsExpiryInput).validate, Targets: (*tlsExpiryInput).targets}),
	}
}

type module struct{ network Network }

type checkPortInput struct {
	Host    string        `json:"host" target:"true" required:"true" doc:"Host name or IP address"`
	Port    int           `json:"port" target:"true" required:"true" doc:"TCP port"`
	Timeout time.Duration `json:"timeout" default:"5s" doc:"How long to wait, at most 5m"`
}

func (in *checkPortInput) validate() error {
	return cmp.Or(reach.CheckHost(in.Host), reach.CheckPort(in.Port), reach.CheckTimeout(in.Timeout))
}

func (in *checkPortInput) targets() ([]action.Target, error) {
	return []action.Target{reach.NetTarget(in.Host, in.Port)}, nil
}

type checkPortOutput struct {
	Open   bool   `json:"open" doc:"True if a connection could be opened"`
	Reason string `json:"reason" doc:"Why not; empty when it is open"`
	MS     int    `json:"ms" doc:"How long it took, in milliseconds"`
}

func (n module) checkPort(ctx context.Context, in checkPortInput) (checkPortOutput, error) {
	elapsed := stopwatch(ctx)
	limited, stop := reach.WithTimeout(ctx, in.Timeout)
	defer stop()
	err := n.network.Connect(limited, in.Host, in.Port)
	reason, err := factOf(ctx, limited, err)
	if err != nil {
		return checkPortOutput{}, err
	}
	return checkPortOutput{Open: reason == "", Reason: reason, MS: int(elapsed().Milliseconds())}, nil
}

type lookupInput struct {
	Host    string        `json:"host" target:"true" required:"true" doc:"Host name"`
	Timeout time.Duration `json:"timeout" default:"5s" doc:"How long to wait, at most 5m"`
}

func (in *lookupInput) validate() error {
	return cmp.Or(reach.CheckHost(in.Host), reach.CheckTimeout(in.Timeout))
}

func (in *lookupInput) targets() ([]action.Target, error) {
	return []action.Target{reach.NetTarget(in.Host, 0)}, nil
}

type lookupOutput struct {
	Found     bool     `json:"found" doc:"True if the name has an address"`
	Addresses []string `json:"addresses" doc:"The addresses, sorted"`
	Reason    string   `json:"reason" doc:"Why there is no address; empty when there is one"`
}

func (n module) lookup(ctx context.Context, in lookupInput) (lookupOutput, error) {
	limited, stop := reach.WithTimeout(ctx, in.Timeout)
	defer stop()
	addresses, err := n.network.LookupHost(limited, in.Host)
	reason, err := factOf(ctx, limited, err)
	if err != nil || reason != "" {
		return lookupOutput{Reason: reason}, err
	}
	// Name servers rotate addresses; sorted addresses can be compared.
	addresses = slices.Sorted(slices.Values(addresses))
	return lookupOutput{Found: len(addresses) > 0, Addresses: addresses}, nil
}

type tlsExpiryInput struct {
	Host    string        `json:"host" target:"true" required:"true" doc:"Host name or IP address"`
	Port    int           `json:"port" target:"true" default:"443" doc:"TCP port"`
	Timeout time.Duration `json:"timeout" default:"5s" doc:"How long to wait, at most 5m"`
}

func (in *tlsExpiryInput) validate() error {
	return cmp.Or(reach.CheckHost(in.Host), reach.CheckPort(in.Port), reach.CheckTimeout(in.Timeout))
}

func (in *tlsExpiryInput) targets() ([]action.Target, error) {
	return []action.Target{reach.NetTarget(in.Host, in.Port)}, nil
}

type tlsExpiryOutput struct {
	Valid     bool   `json:"valid" doc:"True if the certificate is trusted, is for this host and has not expired"`
	ExpiresAt string `json:"expires_at" doc:"When it expires, in RFC 3339"`
	DaysLeft  int    `json:"days_left" doc:"Whole days until then; negative once it has expired"`
	Reason    string `json:"reason" doc:"What is wrong; empty when nothing is"`
}

func (n module) tlsExpiry(ctx context.Context, in tlsExpiryInput) (tlsExpiryOutput, error) {
	clock, err := action.ClockOf(ctx)
	if err != nil {
		return tlsExpiryOutput{}, err
	}
	limited, stop := reach.WithTimeout(ctx, in.Timeout)
	defer stop()
	now := clock.Now()
	certificate, err := n.network.Certificate(limited, in.Host, in.Port, now)
	reason, err := factOf(ctx, limited, err)
	if err != nil || reason != "" {
		return tlsExpiryOutput{Reason: reason}, err
	}
	return tlsExpiryOutput{
		Valid:     certificate.Problem == "",
		ExpiresAt: certificate.NotAfter.UTC().Format(time.RFC3339),
		DaysLeft:  int(math.Floor(certificate.NotAfter.Sub(now).Hours() / 24)),
		Reason:    certificate.Problem,
	}, nil
}

// stopwatch returns a function that returns the time since the stopwatch was made. Without
// a run, and so without a clock, it returns zero.
func stopwatch(ctx context.Context) func() time.Duration {
	clock := action.ScopeOf(ctx).Clock
	if clock == nil {
		return func() time.Duration { return 0 }
	}
	start := clock.Now()
	return func() time.Duration { return clock.Now().Sub(start) }
}

// factOf returns the reason of a network failure, which is a result of the probe. The end
// of the step and a refusal are failures of the call.
func factOf(ctx, limited context.Context, err error) (reason string, failure error) {
	var refusal *action.Error
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &refusal):
		return "", refusal
	case ctx.Err() != nil:
		return "", ctx.Err()
	case reach.OwnFault(err):
		return "", action.Errorf(action.Unavailable, "this machine cannot open a connection: %s", reach.ReasonOf(err))
	case reach.TimedOut(limited):
		return "timeout", nil
	}
	return reach.ReasonOf(err), nil
}
