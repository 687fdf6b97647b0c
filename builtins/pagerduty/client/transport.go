package client

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/builtins/wire"
)

// maxResponse is the largest response body in bytes. A page of 100 users has about
// 150 KB.
const maxResponse = 4 << 20

// transport sends requests with an HTTP client.
type transport struct {
	client    *http.Client
	userAgent string
}

// send sends a request once and reads the whole response.
func (t transport) send(ctx context.Context, r request) response {
	var wrote atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// The headers are enough: a server may act before it has the whole body.
		WroteHeaders: func() { wrote.Store(true) },
	})
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(traced, r.method, r.url, body)
	if err != nil {
		return response{err: err}
	}
	req.GetBody = nil // net/http must not repeat a write
	req.Header = r.header.Clone()
	req.Header.Set("User-Agent", t.userAgent)
	got, err := t.client.Do(req)
	if err != nil {
		var located *url.Error
		if errors.As(err, &located) {
			err = located.Err // without the URL, which may contain an e-mail address
		}
		return response{sent: wrote.Load(), err: err}
	}
	defer got.Body.Close()
	// A connection can be used again only after its response was read to the end.
	text, err := io.ReadAll(io.LimitReader(got.Body, maxResponse+1))
	if err == nil && len(text) > maxResponse {
		return response{status: got.StatusCode, header: got.Header, sent: true, large: true}
	}
	// The status of a failure is enough without its text, unless the caller has
	// cancelled the call.
	if err != nil && (got.StatusCode < 300 || ctx.Err() != nil) {
		return response{sent: true, err: fmt.Errorf("the answer was cut off: %w", err)}
	}
	return response{status: got.StatusCode, header: got.Header, body: text, sent: true}
}

// httpClient returns the HTTP client of a configuration. It returns a redirect as
// the response. A caller's own client is copied, not changed.
func (c Config) httpClient() (*http.Client, error) {
	client := c.HTTPClient
	switch {
	case client == nil:
		authorities, err := certificates(c.CACertificates)
		if err != nil {
			return nil, err
		}
		client = newHTTPClient(wire.Options{Certificates: authorities})
	case c.CACertificates != nil:
		return nil, errors.New("give either CACertificates or an HTTPClient that trusts them")
	}
	copied := *client
	if c.Wrap != nil {
		copied.Transport = c.Wrap(copied.Transport)
	}
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied, nil
}

// certificates reads certificates in PEM. It returns none for nil.
func certificates(text []byte) (found []*x509.Certificate, _ error) {
	for rest := text; rest != nil; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		// A bundle may have a certificate that package x509 does not read.
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, certificate)
		}
	}
	if text != nil && found == nil {
		return nil, errors.New("the CA certificates contain no certificate; they must be PEM, with -----BEGIN CERTIFICATE----- lines")
	}
	return found, nil
}

// newHTTPClient bounds every phase of a try, so that a silent server costs one try
// and not the whole call.
func newHTTPClient(o wire.Options) *http.Client {
	o.Headers = 20 * time.Second
	return &http.Client{
		Timeout:   30 * time.Second, // of one try with its body; the context bounds the call
		Transport: wire.New(o),
	}
}
