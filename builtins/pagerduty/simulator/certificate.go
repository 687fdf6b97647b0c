package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

// certificateLifetime is longer than any test, and too short for use in production.
const certificateLifetime = 7 * 24 * time.Hour

// NewTLS makes a certificate authority and a certificate for hosts: names and IP addresses;
// localhost, 127.0.0.1 and ::1 when there are none. It returns the configuration of a server
// and, in PEM, the certificate of the authority, which clients must trust
// (PAGERDUTY_CA_FILE, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE).
//
// The authority is valid for these hosts only, and its key is not kept. Trusting it longer
// than needed is harmless. The keys are the only random values of the simulator.
func NewTLS(now time.Time, hosts ...string) (*tls.Config, []byte, error) {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	names, addresses := splitHosts(hosts)
	authorityKey, authorityErr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	serverKey, serverErr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(authorityErr, serverErr); err != nil {
		return nil, nil, fmt.Errorf("making the keys of the simulator's certificates: %w", err)
	}
	authority := authorityTemplate(now, names, addresses)
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making the simulator's certificate authority: %w", err)
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

// splitHosts separates names and IP addresses.
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
	// Without a permitted name or address, all of them would be permitted.
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

// validFrom returns a template with a name and the time of validity, which begins an hour
// before now because clocks differ. x509 adds the serial number.
func validFrom(now time.Time, name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.Add(certificateLifetime),
	}
}

// shortest returns an IPv4 address in 4 bytes, the form that certificates need.
func shortest(ip net.IP) net.IP {
	if four := ip.To4(); four != nil {
		return four
	}
	return ip
}
