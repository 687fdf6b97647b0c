package wire

import (
	"crypto/x509"
	"fmt"
)

// Roots returns the certificates that this machine trusts, together with more. Package x509
// loads them once in the life of a process, and keeps a failure, such as a lack of file
// descriptors, for as long. So a failure here is an error, and the next call tries again.
func Roots(more ...*x509.Certificate) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool() // loads them itself after a failure
	if err != nil {
		return nil, fmt.Errorf("the certificates that this machine trusts cannot be read: %w", err)
	}
	for _, certificate := range more {
		roots.AddCert(certificate)
	}
	return roots, nil
}
