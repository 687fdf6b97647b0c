// Package clients tests the simulator with clients of other authors: PagerDuty's client for
// Go, Prometheus Alertmanager, and PagerDuty's client for Node. They find mistakes that the
// simulator and our own client have in common.
//
// It is a separate module, so that these clients are not dependencies of the product.
// `make clients` runs it.
package clients

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

const (
	apiKey     = "u+IndependentClient1"
	serviceKey = "abcdef0123456789abcdef0123456789"
)

// A listening is a simulator that listens.
type listening struct {
	*simulator.Simulator
	address string // host:port
	url     string
	caFile  string // empty without TLS
}

// newAccount serves an account over plain HTTP.
func newAccount(t *testing.T, options ...simulator.Option) *listening {
	t.Helper()
	return serve(t, nil, options...)
}

// newSecureAccount serves an account over TLS, under the names given.
func newSecureAccount(t *testing.T, hosts ...string) *listening {
	t.Helper()
	config, authority, err := simulator.NewTLS(time.Now(), hosts...)
	if err != nil {
		t.Fatal(err)
	}
	a := serve(t, config)
	a.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(a.caFile, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func serve(t *testing.T, secure *tls.Config, options ...simulator.Option) *listening {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &listening{address: listener.Addr().String()}
	a.url = "http://" + a.address
	if secure != nil {
		a.url, listener = "https://"+a.address, tls.NewListener(listener, secure)
	}
	options = append([]simulator.Option{simulator.WithAPIKey(apiKey), simulator.WithServiceKey("Database", serviceKey)}, options...)
	a.Simulator = simulator.New(options...)
	server := &http.Server{Handler: a.Simulator, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		a.Close()
		_ = server.Close()
	})
	return a
}

// only returns the only incident of the account.
func (a *listening) only(t *testing.T) account.IncidentView {
	t.Helper()
	a.Settle()
	incidents := a.Incidents()
	if len(incidents) != 1 {
		t.Fatalf("got %d incidents, want 1", len(incidents))
	}
	return incidents[0]
}
