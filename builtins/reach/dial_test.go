package reach

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
		if got := protected(netip.MustParseAddr(address), nil) != ""; got != want {
			t.Errorf("%s: got protected %v, want %v", address, got, want)
		}
	}
}

// TestA25AddressesOfOthers: a name may not lead to an address that gives away more than the
// name says: of a metadata service, of this machine, or in a form that hides another one.
func TestA25AddressesOfOthers(t *testing.T) {
	own := []net.Addr{
		&net.IPNet{IP: net.ParseIP("192.168.7.9"), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("2001:db8::9"), Mask: net.CIDRMask(64, 128)},
		&net.UnixAddr{Name: "x"},
	}
	for address, want := range map[string]string{
		"fd00:ec2::23": "metadata", "fd00:ec2::254": "metadata", "fd20:ce::254": "metadata", "168.63.129.16": "metadata", "::ffff:168.63.129.16": "metadata",
		"64:ff9b:1::1": "any other", "64:ff9b:1:ffff:ffff::1": "any other", "64:ff9b::a83f:8110": "metadata", "2002:7f00:1::": "this machine", "2002:a9fe:a9fe::1": "link-local",
		"2002:5db8:d822::1": "", "2001:0:1::1": "any other", "::7f00:1": "this machine", "::a9fe:a9fe": "link-local", "0.1.2.3": "any other", "255.255.255.255": "broadcast",
		"fec0::1": "any other", "fd00:c1::a9fe:a9fe": "metadata", "fd00:42::42": "metadata", "fd00:a9fe:a9fe::1": "metadata", "fd00:100::100:200": "metadata",
		"::ffff:0:7f00:1": "this machine", "::ffff:0:a9fe:a9fe": "link-local", "2001:db8::5efe:7f00:1": "this machine", "2001:db8::200:5efe:a9fe:a9fe": "link-local",
		"2001:db8::5efe:5db8:d822": "", "192.168.7.9": "this machine", "::ffff:192.168.7.9": "this machine", "2001:db8::9": "this machine", "64:ff9b::c0a8:709": "this machine",
		"192.168.7.10": "", "2001:db8::10": "", "fd00:ec2::24": "", "64:ff9b:2::1": "",
	} {
		if got := protected(netip.MustParseAddr(address), own); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", address, got, want)
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
		alone, err := Check(Toward(permitting(test.permitted...), target), netip.MustParseAddrPort(u.Host))
		checkRefusal(t, test.host, err, test.want)
		if alone != (test.want == "") {
			t.Errorf("%s: got alone %v, want a connection of its own if it may connect", test.host, alone)
		}
	}
	if _, err := Check(Toward(context.Background(), action.Target{Host: "evil.example.com"}), netip.MustParseAddrPort(u.Host)); err != nil {
		t.Errorf("a host's own call: got %v, want none", err)
	}
	if alone, err := Check(Toward(permitting(), action.Target{Host: "example.com"}), netip.MustParseAddrPort("93.184.216.34:80")); alone || err != nil {
		t.Errorf("an address that a name covers: got alone %v, %v, want a connection that may be kept", alone, err)
	}
	if _, err := Check(permitting("127.0.0.1"), netip.MustParseAddrPort(u.Host)); err == nil {
		t.Error("a request without a target: got no error")
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
