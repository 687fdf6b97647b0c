package setup

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

// Settings are those of a connection to this simulator, in the time of a clock.
func (s *Simulator) Settings(clock Clock) Settings {
	return Settings{APIKey: s.APIKey(), ServiceKey: s.ServiceKey(), APIURL: s.URL, eventsURL: s.URL, fromEmail: simulatedFrom(s.Simulator), Clock: clock}
}

// simulatedFrom is who acts under --simulate when nothing else says: the first
// user of the account.
func simulatedFrom(s *simulator.Simulator) string {
	if users := s.Users(); len(users) > 0 {
		return users[0].Email
	}
	return ""
}

// A Simulator is a simulator that listens in this process.
type Simulator struct {
	*simulator.Simulator
	ID     string // of this very simulator: a run is never continued on another
	URL    string
	server *http.Server
	failed chan error // what Serve returned
}

// StartSimulator listens on an address; port 0 takes a free one.
func StartSimulator(address string, options ...simulator.Option) (*Simulator, error) {
	return ServeSimulator(address, nil, options...)
}

// ServeSimulator listens on an address, with TLS where a configuration is given.
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

// Stop ends the listener and its connections.
func (s *Simulator) Stop() {
	s.Close() // requests that hang end first
	_ = s.server.Close()
}

// Wait returns when serving has ended for another reason than close.
func (s *Simulator) Wait() error {
	if err := <-s.failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A SkippingClock is the time of the machine, except that waiting takes none: a
// run against a simulator does not wait for the rate limits of PagerDuty, or
// between the tries of a call.
type SkippingClock struct {
	mu      sync.Mutex
	skipped time.Duration
}

// Now is the time of the machine and all that was waited for.
func (c *SkippingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skipped)
}

// Sleep moves the time.
func (c *SkippingClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
	return context.Cause(ctx)
}
