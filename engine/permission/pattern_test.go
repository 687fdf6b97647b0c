package permission

import (
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// TestA1Entries: an entry has the one form of its host and port, and one that could mean
// something else is refused.
func TestA1Entries(t *testing.T) {
	for text, want := range map[string]string{
		"http://vm:08099": "vm 8099", "http://VM": "vm 80", "https://vm:00443": "vm 443", "http://[0:0::1]:80": "::1 80", "http://[::1]": "::1 80", "vm:*": "vm *",
		"http://[::ffff:127.0.0.1]:8099": "127.0.0.1 8099", "2001:DB8::1": "2001:db8::1 443", "*.Example.com": "*.example.com 443",
		"http://[::1": "", "http://::1]": "", "http://[::1]]": "", "http://[vm]": "", "http://[::1]80": "", "http://[::1]:": "", "http://vm:": "", "http://vm:+80": "",
		"http://vm:0": "", "http://vm:65536": "", "http://vm:80 ": "", "http://v m": "", "http://u@vm": "", "http://vm?x": "", "http://vm.": "", "http://[127.0.0.1]": "",
	} {
		p, err := parsePattern("http", text)
		switch got := p.Host + " " + p.Port; {
		case want == "" && err == nil:
			t.Errorf("%s: got %s, want an error", text, got)
		case want != "" && (err != nil || got != want):
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"db:05432", "[::1]:5432", "db"} {
		if _, err := parsePattern("net", text); err != nil {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// TestA1ResolvedEntries: an input gives an entry its canonical host or port. A host that looks
// like a port stays a host.
func TestA1ResolvedEntries(t *testing.T) {
	for _, test := range []struct{ entry, host, port, want string }{
		{"inputs.host:inputs.port", "VM.", "08099", "vm 8099"},
		{"inputs.host:80", "0080", "", "0080 80"},
		{"inputs.host:80", "0:0::1", "", "::1 80"},
		{"vm:inputs.port", "", "+80", "vm +80"}, // matches no port
	} {
		p, err := parsePattern("net", test.entry)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := p.resolve(action.Object{"host": test.host, "port": test.port})
		if got := p.Host + " " + p.Port; !ok || got != test.want {
			t.Errorf("%s with %q and %q: got %s, %t, want %s", test.entry, test.host, test.port, got, ok, test.want)
		}
	}
}

// TestA1CanonicalHosts: each host has one canonical form, which is its own canonical form.
func TestA1CanonicalHosts(t *testing.T) {
	for host, want := range map[string]string{
		"VM": "vm", "vm.": "vm", "::FFFF:127.0.0.1.": "127.0.0.1", "127.0.0.1.": "127.0.0.1", "0:0::1": "::1", "FE80::1%eth0": "fe80::1%eth0",
	} {
		if got := action.CanonicalHost(host); got != want || action.CanonicalHost(got) != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}
