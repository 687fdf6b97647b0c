package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

// fakeNetwork answers with what a test gives it.
type fakeNetwork struct {
	err         error
	addresses   []string
	certificate Certificate
	during      func() // runs while the call waits
}

func (n fakeNetwork) wait() {
	if n.during != nil {
		n.during()
	}
}

func (n fakeNetwork) Connect(context.Context, string, int) error {
	n.wait()
	return n.err
}

func (n fakeNetwork) LookupHost(context.Context, string) ([]string, error) {
	n.wait()
	return n.addresses, n.err
}

func (n fakeNetwork) Certificate(context.Context, string, int, time.Time) (Certificate, error) {
	n.wait()
	return n.certificate, n.err
}

func TestProbesReturnFacts(t *testing.T) {
	clock := actiontest.NewClock()
	took := func() { _ = clock.Sleep(context.Background(), 42*time.Millisecond) }
	for _, test := range []struct {
		err    error
		reason string
	}{
		{nil, ""},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connection refused"},
		{syscall.ECONNRESET, "connection reset"},
		{syscall.EHOSTUNREACH, "unreachable"},
		{os.ErrDeadlineExceeded, "timeout"},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, "host not found"},
		{&net.DNSError{Err: "server misbehaving"}, "the look-up failed: server misbehaving"},
		{&net.OpError{Op: "dial", Err: errors.New("odd")}, "odd"},
		{errors.New("odder"), "odder"},
	} {
		got, err := actiontest.Call(Actions(fakeNetwork{err: test.err, during: took}), action.Scope{Clock: clock}, "net.check_port", object{"host": "db.example.com", "port": 5432.0})
		want := object{"open": test.err == nil, "reason": test.reason, "ms": 42.0}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v: %v (-want +got):\n%s", test.err, err, diff)
		}
	}
	scope := action.Scope{Clock: clock}
	actiontest.Run(t, Actions(fakeNetwork{addresses: []string{"10.0.0.2", "10.0.0.1"}}), scope, []actiontest.Row{
		{Action: "net.lookup", Input: object{"host": "a.example.com"}, Want: object{"found": true, "addresses": []any{"10.0.0.1", "10.0.0.2"}, "reason": ""}},
	})
	actiontest.Run(t, Actions(fakeNetwork{err: &net.DNSError{IsNotFound: true}}), scope, []actiontest.Row{
		{Action: "net.lookup", Input: object{"host": "a.example.com"}, Want: object{"found": false, "addresses": []any{}, "reason": "host not found"}},
		{Action: "net.tls_expiry", Input: object{"host": "a.example.com"}, Want: object{"valid": false, "expires_at": "", "days_left": 0.0, "reason": "host not found"}},
	})
	expired := fakeNetwork{certificate: Certificate{NotAfter: clock.Now().Add(-time.Hour), Problem: "expired"}}
	actiontest.Run(t, Actions(expired), scope, []actiontest.Row{{
		Action: "net.tls_expiry", Input: object{"host": "a.example.com"},
		Want: object{"valid": false, "expires_at": clock.Now().Add(-time.Hour).Format(time.RFC3339), "days_left": -1.0, "reason": "expired"},
	}})
}

func TestProbesEnd(t *testing.T) {
	clock := actiontest.NewClock()
	scope := action.Scope{Clock: clock}
	canceled := fakeNetwork{err: context.Canceled, during: clock.Fire}
	actiontest.Run(t, Actions(canceled), scope, []actiontest.Row{
		{Action: "net.check_port", Input: object{"host": "a", "port": 1.0}, Want: object{"open": false, "reason": "timeout", "ms": 0.0}},
	})
	invocation, err := actiontest.Prepare(Actions(fakeNetwork{err: context.Canceled}), "net.check_port", object{"host": "a", "port": 1.0})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(action.WithScope(context.Background(), scope))
	cancel()
	_, err = invocation.Do(ctx, nil)
	actiontest.CheckError(t, "a cancelled probe", err, action.Cancelled, "")
	refusal := fakeNetwork{err: action.Errorf(action.Permission, "10.0.0.1 is not permitted")}
	actiontest.Run(t, Actions(refusal), scope, []actiontest.Row{
		{Action: "net.check_port", Input: object{"host": "a", "port": 1.0}, Kind: action.Permission, Says: "10.0.0.1"},
		{Action: "net.lookup", Input: object{"host": "a"}, Kind: action.Permission, Says: "10.0.0.1"},
		{Action: "net.tls_expiry", Input: object{"host": "a"}, Kind: action.Permission, Says: "10.0.0.1"},
	})
}

func TestProbesCheckInputAndTargets(t *testing.T) {
	actiontest.Run(t, Actions(Internet{}), action.Scope{}, []actiontest.Row{
		{Action: "net.check_port", Input: object{"host": "https://a/", "port": 1.0}, Kind: action.InvalidInput, Says: "without scheme and path"},
		{Action: "net.check_port", Input: object{"host": "a:80", "port": 80.0}, Kind: action.InvalidInput, Says: "give the port in its own input"},
		{Action: "net.check_port", Input: object{"host": "a", "port": 0.0}, Kind: action.InvalidInput, Says: "from 1 to 65535"},
		{Action: "net.check_port", Input: object{"host": "a", "port": 1.0, "timeout": "1h"}, Kind: action.InvalidInput, Says: "at most 5m0s"},
		{Action: "net.lookup", Input: object{"host": "a b"}, Kind: action.InvalidInput, Says: "neither a host name nor"},
		{Action: "net.tls_expiry", Input: object{"host": "a", "port": 70000.0}, Kind: action.InvalidInput, Says: "from 1 to 65535"},
		{Action: "net.tls_expiry", Input: object{"host": "a"}, Kind: action.Permission, Says: "no clock"},
	})
	for name, want := range map[string]action.Target{
		"net.check_port": {Scheme: "net", Host: "db.example.com", Port: 5432},
		"net.tls_expiry": {Scheme: "net", Host: "db.example.com", Port: 5432},
		"net.lookup":     {Scheme: "net", Host: "db.example.com"},
	} {
		input := object{"host": "DB.example.com.", "port": 5432.0}
		if name == "net.lookup" {
			delete(input, "port")
		}
		invocation, err := actiontest.Prepare(Actions(Internet{}), name, input)
		if err != nil {
			t.Fatal(err)
		}
		targets, err := invocation.Targets()
		if diff := cmp.Diff([]action.Target{want}, targets); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestInternet(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs every probe that sends nothing
	server.StartTLS()
	defer server.Close()
	host, portText, _ := net.SplitHostPort(server.Listener.Addr().String())
	port, _ := strconv.Atoi(portText)
	ctx := context.Background()
	trusting := Internet{trusted: []*x509.Certificate{server.Certificate()}}
	notAfter := server.Certificate().NotAfter

	if err := trusting.Connect(ctx, host, port); err != nil {
		t.Errorf("an open port: %v", err)
	}
	if addresses, err := trusting.LookupHost(ctx, "127.0.0.1"); err != nil || len(addresses) != 1 {
		t.Errorf("got %v, %v", addresses, err)
	}
	for _, test := range []struct {
		network Internet
		at      time.Time
		problem string
	}{
		{trusting, actiontest.Start, ""},
		{trusting, notAfter.Add(time.Second), "expired"},
		{trusting, server.Certificate().NotBefore.Add(-time.Second), "not valid yet"},
		{Internet{}, actiontest.Start, "certificate signed by unknown authority"},
	} {
		got, err := test.network.Certificate(ctx, host, port, test.at)
		if want := (Certificate{NotAfter: notAfter, Problem: test.problem}); err != nil || got != want {
			t.Errorf("at %v: got %v, %v, want %v", test.at, got, err, want)
		}
	}
	server.Close()
	if err := trusting.Connect(ctx, host, port); reach.ReasonOf(err) != "connection refused" {
		t.Errorf("a closed port: got %v", err)
	}
	if _, err := trusting.Certificate(ctx, host, port, actiontest.Start); reach.ReasonOf(err) != "connection refused" {
		t.Errorf("a closed port: got %v", err)
	}
}
