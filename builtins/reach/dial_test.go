package reach

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

func TestProtectedAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "0.0.0.0": true, "::": true, "::ffff:127.0.0.1": true,
		"169.254.169.254": true, "fe80::1": true, "fe80::1%eth0": true, "fd00:ec2::254": true, "100.100.100.200": true, "192.0.0.192": true,
		"64:ff9b::7f00:1": true, "64:ff9b::a9fe:a9fe": true, "224.0.0.1": true, "ff02::1": true,
		"93.184.216.34": false, "10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "2606:2800::1": false, "fd00::1": false,
		"64:ff9b::5db8:d822": false,
	} {
		if got := protected(netip.MustParseAddr(address)) != ""; got != want {
			t.Errorf("%s: got protected %v, want %v", address, got, want)
		}
	}
}

// permitting is the context of a call that may reach these hosts.
func permitting(hosts ...string) context.Context {
	return action.WithScope(context.Background(), action.Scope{Permit: func(t action.Target) error {
		if slices.Contains(hosts, t.Host) {
			return nil
		}
		return &action.Error{Kind: action.Permission, Message: "the workflow may not reach " + t.String(), Hint: "add it"}
	}})
}

// TestNameOfThisMachineIsRefused dials a name that resolves to the loopback address, as
// the name server of an attacker would answer.
func TestNameOfThisMachineIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	u, _ := url.Parse(server.URL)
	port, _ := strconv.Atoi(u.Port())
	for _, test := range []struct {
		permitted []string
		host      string
		want      string // a part of the refusal; empty where it may connect
	}{
		{[]string{"evil.example.com"}, "evil.example.com", "evil.example.com leads to 127.0.0.1, this machine itself: the workflow may not reach 127.0.0.1"},
		{[]string{"evil.example.com", "127.0.0.1"}, "evil.example.com", ""},
		{[]string{"127.0.0.1"}, "127.0.0.1", ""},
		{[]string{"localhost"}, "localhost", ""},
		{[]string{"app.localhost"}, "app.localhost", ""},
	} {
		target := action.Target{Scheme: "net", Host: test.host, Port: port}
		err := checkAddress(permitting(test.permitted...), target, u.Host)
		checkRefusal(t, test.host, err, test.want)
	}
	if err := checkAddress(context.Background(), action.Target{Host: "evil.example.com"}, u.Host); err != nil {
		t.Errorf("a host's own call: got %v, want none", err)
	}
}

func checkRefusal(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s: got %v, want none", name, err)
		}
		return
	}
	actiontest.CheckError(t, name, err, action.Permission, want)
}

func TestTimeoutIsTheRunsClock(t *testing.T) {
	clock := actiontest.NewClock()
	ctx, stop := WithTimeout(action.WithScope(context.Background(), action.Scope{Clock: clock}), time.Second)
	defer stop()
	if ctx.Err() != nil {
		t.Fatal("the context ended at once")
	}
	clock.Fire()
	if !TimedOut(ctx) {
		t.Errorf("got cause %v, want the timeout", context.Cause(ctx))
	}
	stopped, stop := WithTimeout(context.Background(), time.Hour)
	stop()
	if TimedOut(stopped) {
		t.Error("a context that was stopped timed out")
	}
}
