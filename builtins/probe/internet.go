package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/builtins/wire"
)

// Internet is the real network.
type Internet struct {
	trusted []*x509.Certificate // besides the machine's; for tests
}

var _ Network = Internet{}

// Connect opens a connection and closes it.
func (Internet) Connect(ctx context.Context, host string, port int) error {
	conn, err := dial(ctx, host, port)
	if err != nil {
		return err
	}
	return conn.Close()
}

// LookupHost asks the resolver of the machine.
func (Internet) LookupHost(ctx context.Context, host string) ([]string, error) {
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	return addresses, sureOf(err)
}

func dial(ctx context.Context, host string, port int) (net.Conn, error) {
	conn, err := reach.Dial(ctx, host, port)
	return conn, sureOf(err)
}

// sureOf returns the error of a look-up, or that this machine lacks file descriptors. The
// resolver takes a file that it cannot open, such as /etc/hosts, for an empty one, so that a
// name without an address may be one that was not looked up.
func sureOf(err error) error {
	var lookup *net.DNSError
	if !errors.As(err, &lookup) || !lookup.IsNotFound {
		return err
	}
	for range 3 { // the resolver opens no more at once
		file, lack := os.Open(os.DevNull)
		if lack != nil {
			return lack
		}
		defer file.Close()
	}
	return err
}

// Certificate accepts any certificate in the handshake and checks it afterwards, so that it
// can return when an expired certificate expired.
func (n Internet) Certificate(ctx context.Context, host string, port int, at time.Time) (Certificate, error) {
	conn, err := dial(ctx, host, port)
	if err != nil {
		return Certificate{}, err
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // checked below; nothing is sent
	if err := client.HandshakeContext(ctx); err != nil {
		return Certificate{}, err
	}
	chain := client.ConnectionState().PeerCertificates
	roots, err := wire.Roots(n.trusted...)
	if err != nil {
		return Certificate{}, err
	}
	return Certificate{NotAfter: chain[0].NotAfter, Problem: problemOf(chain, roots, host, at)}, nil
}

func problemOf(chain []*x509.Certificate, roots *x509.CertPool, host string, at time.Time) string {
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		DNSName: strings.TrimSuffix(host, "."), Roots: roots, Intermediates: intermediates, CurrentTime: at,
	})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return ""
	case at.After(chain[0].NotAfter):
		return "expired"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && at.Before(chain[0].NotBefore):
		return "not valid yet"
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}
