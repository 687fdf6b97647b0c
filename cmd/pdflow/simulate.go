package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

// simulatedFrom is who acts under --simulate when nothing else says: the first
// user of the account.
func simulatedFrom(s *simulator.Simulator) string {
	if users := s.Users(); len(users) > 0 {
		return users[0].Email
	}
	return ""
}

// A localSimulator is a simulator that listens in this process.
type localSimulator struct {
	*simulator.Simulator
	id     string // of this very simulator: a run is never continued on another
	url    string
	server *http.Server
	failed chan error // what Serve returned
}

// startSimulator listens on an address; port 0 takes a free one.
func startSimulator(address string, options ...simulator.Option) (*localSimulator, error) {
	return serveSimulator(address, nil, options...)
}

// serveSimulator listens on an address, with TLS where a configuration is given.
func serveSimulator(address string, secure *tls.Config, options ...simulator.Option) (*localSimulator, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &localSimulator{Simulator: simulator.New(options...), id: rand.Text(), url: "http://" + listener.Addr().String(), failed: make(chan error, 1)}
	s.server = &http.Server{Handler: s.Simulator, ReadHeaderTimeout: 10 * time.Second}
	if secure != nil {
		s.url, listener = "https://"+listener.Addr().String(), tls.NewListener(listener, secure)
	}
	go func() { s.failed <- s.server.Serve(listener) }()
	return s, nil
}

// close ends the listener and its connections.
func (s *localSimulator) close() {
	s.Close() // requests that hang end first
	_ = s.server.Close()
}

// wait returns when serving has ended for another reason than close.
func (s *localSimulator) wait() error {
	if err := <-s.failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// simulatedSecret returns the text of a declared secret under --simulate. One
// that is not set gets a made-up text, the same each time, in the shape of a
// service key, so that it works wherever a secret does.
func (p *program) simulatedSecret(name string) (string, error) {
	text, err := p.secret(name)
	if err != nil || text != "" {
		return text, err
	}
	sum := sha256.Sum256([]byte("simulated " + name))
	return hex.EncodeToString(sum[:16]), nil
}

// A skippingClock is the time of the machine, except that waiting takes none: a
// run against a simulator does not wait for the rate limits of PagerDuty, or
// between the tries of a call.
type skippingClock struct {
	mu      sync.Mutex
	skipped time.Duration
}

// Now is the time of the machine and all that was waited for.
func (c *skippingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skipped)
}

// Sleep moves the time.
func (c *skippingClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
	return context.Cause(ctx)
}
