package simulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

func TestTLSServer(t *testing.T) {
	config, authority, err := simulator.NewTLS(start)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(newAccount())
	server.TLS = config
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("got %q, want a certificate in PEM", authority)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: func() time.Time { return start }}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Token token="+accountKey)
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("got %d, want 200", answer.StatusCode)
	}
}

// TestCertificateValidity verifies names and times as a client does.
func TestCertificateValidity(t *testing.T) {
	tests := []struct {
		name  string
		hosts []string
		host  string
		at    time.Duration
		want  bool
	}{
		{"address", nil, "127.0.0.1", 0, true},
		{"IPv6", nil, "::1", 0, true},
		{"name", nil, "localhost", 0, true},
		{"another name", nil, "example.com", 0, false},
		{"another address", nil, "127.0.0.2", 0, false},
		{"a clock behind", nil, "localhost", -59 * time.Minute, true},
		{"too early", nil, "localhost", -61 * time.Minute, false},
		{"last hour", nil, "localhost", 167 * time.Hour, true},
		{"too late", nil, "localhost", 169 * time.Hour, false},
		{"given name", []string{"api.pagerduty.com"}, "api.pagerduty.com", 0, true},
		{"given address", []string{"10.0.0.1"}, "10.0.0.1", 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config, authority, err := simulator.NewTLS(start, test.hosts...)
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(authority)
			leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			_, err = leaf.Verify(x509.VerifyOptions{DNSName: test.host, Roots: roots, CurrentTime: start.Add(test.at)})
			if (err == nil) != test.want {
				t.Errorf("got %v, want it to be valid: %v", err, test.want)
			}
		})
	}
}

// TestAuthorityIsValidForItsHostsOnly checks the constraints of the certificate: a client
// that trusts the authority trusts it for these hosts only.
func TestAuthorityIsValidForItsHostsOnly(t *testing.T) {
	for _, hosts := range [][]string{nil, {"localhost"}, {"127.0.0.1"}} {
		_, authority, err := simulator.NewTLS(start, hosts...)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(authority)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !certificate.IsCA || !certificate.MaxPathLenZero || !certificate.PermittedDNSDomainsCritical {
			t.Errorf("%v: got an authority without limits", hosts)
		}
		if len(certificate.PermittedDNSDomains)+len(certificate.ExcludedDNSDomains) == 0 ||
			len(certificate.PermittedIPRanges)+len(certificate.ExcludedIPRanges) == 0 {
			t.Errorf("%v: got no limit for names or none for addresses", hosts)
		}
	}
}
