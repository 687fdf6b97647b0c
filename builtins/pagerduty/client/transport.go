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
)

// maxResponse bounds a response body: a page of 100 users has about 150 KB.
const maxResponse = 8 << 20

// A response is an answer whose body was read.
type response struct {
	status int
	header http.Header
	body   []byte
}

// httpClient returns the client that sends the requests: it hands redirects back as
// answers. A caller's own client is copied, not changed.
func (c Config) httpClient() (*http.Client, error) {
	client := c.HTTPClient
	switch {
	case client == nil:
		roots, err := trusted(c.CACertificates)
		if err != nil {
			return nil, err
		}
		client = newHTTPClient(roots)
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

// trusted adds certificates to those that the system trusts; without any, nil
// stands for the system's.
func trusted(certificates []byte) (*x509.CertPool, error) {
	if certificates == nil {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without any: then only these
	}
	if !roots.AppendCertsFromPEM(certificates) {
		return nil, errors.New("the CA certificates hold no certificate; they must be PEM, with -----BEGIN CERTIFICATE----- lines")
	}
	return roots, nil
}

// newHTTPClient bounds every phase of a try, so that a silent server costs one try
// and not the whole call.
func newHTTPClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second, // of one try with its body; the context bounds all of them
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  20 * time.Second,
			MaxResponseHeaderBytes: 256 << 10,
			MaxIdleConnsPerHost:    50,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}
}

// try sends the request once. sent says that it was written to the network, and
// so may have been acted on.
func (c *Client) try(ctx context.Context, r request) (answer response, sent bool, err error) {
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
		return response{}, false, err
	}
	req.GetBody = nil // the transport must not repeat a write by itself
	req.Header = r.header.Clone()
	req.Header.Set("User-Agent", c.config.UserAgent)
	got, err := c.config.HTTPClient.Do(req)
	if err != nil {
		var located *url.Error
		if errors.As(err, &located) {
			err = located.Err // without the URL, which may hold an address
		}
		return response{}, wrote.Load(), err
	}
	defer got.Body.Close()
	// Read to its end, so that the connection can be used again.
	text, err := io.ReadAll(io.LimitReader(got.Body, maxResponse+1))
	if err == nil && len(text) > maxResponse {
		err = fmt.Errorf("the answer has more than %d bytes", maxResponse)
	}
	// The status of a failure says enough without its text, unless the caller gave
	// up meanwhile.
	if err != nil && (got.StatusCode < 300 || ctx.Err() != nil) {
		return response{}, true, fmt.Errorf("the answer broke off: %w", err)
	}
	return response{got.StatusCode, got.Header, text}, true, nil
}
