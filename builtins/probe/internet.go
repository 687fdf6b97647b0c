package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/reach"
)

// Internet is the real network.
type Internet struct {
	roots *x509.CertPool // nil: the machine's
}

var _ Network = Internet{}

// Connect opens a connection and closes it.
func (Internet) Connect(ctx context.Context, host string, port int) error {
	conn, err := connect(ctx, host, port)
	if err != nil {
		return err
	}
	return conn.Close()
}

// LookupHost asks the resolver of the machine.
func (Internet) LookupHost(ctx context.Context, host string) ([]string, error) {
	return net.DefaultResolver.LookupHost(ctx, host)
}

// Certificate accepts any certificate in the handshake and checks it afterwards, so that it
// can return when an expired certificate expired.
func (n Internet) Certificate(ctx context.Context, host string, port int, at time.Time) (Certificate, error) {
	conn, err := connect(ctx, host, port)
	if err != nil {
		return Certificate{}, err
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true}) //nolint:gosec // checked below; nothing is sent
	if err := client.HandshakeContext(ctx); err != nil {
		return Certificate{}, err
	}
	chain := client.ConnectionState().PeerCertificates
	return Certificate{NotAfter: chain[0].NotAfter, Problem: n.problemOf(chain, host, at)}, nil
}

func (n Internet) problemOf(chain []*x509.Certificate, host string, at time.Time) string {
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		DNSName: strings.TrimSuffix(host, "."), Roots: n.roots, Intermediates: intermediates, CurrentTime: at,
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

func connect(ctx context.Context, host string, port int) (net.Conn, error) {
	return reach.Dial(reach.Toward(ctx, reach.NetTarget(host, port)), "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}
