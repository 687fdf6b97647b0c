package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"time"
)

// certificateLifetime is how long the certificates hold: longer than any test,
// shorter than anybody could come to rely on.
const certificateLifetime = 7 * 24 * time.Hour

// NewTLS makes a certificate authority and a certificate of it for hosts: names
// and IP addresses; localhost, 127.0.0.1 and ::1 when there are none. It returns
// the configuration of a server and, in PEM, the authority's certificate, which
// clients must be told to trust (PAGERDUTY_CA_FILE, NODE_EXTRA_CA_CERTS,
// SSL_CERT_FILE).
//
// The authority can vouch for these hosts only, and its key is thrown away: who
// trusts it by mistake, and forgets, is in no danger. The keys are the one thing
// here that is random.
func NewTLS(now time.Time, hosts ...string) (*tls.Config, []byte, error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	names, addresses := splitHosts(hosts)
	authority := authorityTemplate(now, names, addresses)
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the key of the simulator's certificate authority: %w", err)
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making the simulator's certificate authority: %w", err)
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the key of the simulator's certificate: %w", err)
	}
	server := serverTemplate(now, names, addresses)
	serverDER, err := x509.CreateCertificate(rand.Reader, server, authority, &serverKey.PublicKey, authorityKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making the simulator's certificate: %w", err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{serverDER, authorityDER}, PrivateKey: serverKey}},
	}
	return config, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER}), nil
}

// splitHosts tells names from IP addresses.
func splitHosts(hosts []string) (names []string, addresses []net.IP) {
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			addresses = append(addresses, ip)
			continue
		}
		names = append(names, host)
	}
	return names, addresses
}

func authorityTemplate(now time.Time, names []string, addresses []net.IP) *x509.Certificate {
	template := validFrom(now, "pdflow simulator CA")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.MaxPathLenZero = true
	template.KeyUsage = x509.KeyUsageCertSign
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = names
	for _, ip := range addresses {
		bits := 8 * len(shortest(ip))
		template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: shortest(ip), Mask: net.CIDRMask(bits, bits)})
	}
	// Without a name of a kind, every name of that kind would be permitted.
	if len(names) == 0 {
		template.ExcludedDNSDomains = []string{""}
	}
	if len(addresses) == 0 {
		template.ExcludedIPRanges = []*net.IPNet{
			{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
			{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
		}
	}
	return template
}

func serverTemplate(now time.Time, names []string, addresses []net.IP) *x509.Certificate {
	template := validFrom(now, "pdflow simulator")
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = names
	template.IPAddresses = addresses
	return template
}

// validFrom begins a certificate. An hour before now makes up for clocks that
// differ. The serial number is made by x509.
func validFrom(now time.Time, name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.Add(certificateLifetime),
	}
}

// shortest is an address in 4 bytes where it fits, as certificates have it.
func shortest(ip net.IP) net.IP {
	if four := ip.To4(); four != nil {
		return four
	}
	return ip
}
