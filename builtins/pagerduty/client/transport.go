package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/builtins/wire"
)

// maxResponse is the largest response body in bytes. A page of 100 users has about
// 150 KB.
const maxResponse = 8 << 20

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
		err = fmt.Errorf("the answer has more than %d bytes", maxResponse)
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
		roots, err := trusted(c.CACertificates)
		if err != nil {
			return nil, err
		}
		client = newHTTPClient(newTransport(roots))
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

// trusted returns the system's certificates together with the given ones. It returns
// nil, which means the system's certificates, if none are given.
func trusted(certificates []byte) (*x509.CertPool, error) {
	if certificates == nil {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // the system has none: trust only the given ones
	}
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, errors.New("the CA certificates contain no certificate; they must be PEM, with -----BEGIN CERTIFICATE----- lines")
	}
	return roots, nil
}

// newHTTPClient bounds every phase of a try, so that a silent server costs one try
// and not the whole call.
func newHTTPClient(transport *http.Transport) *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second, // of one try with its body; the context bounds the call
		Transport: wire.Once(transport),
	}
}

func newTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConnsPerHost:    50,
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
	}
}
