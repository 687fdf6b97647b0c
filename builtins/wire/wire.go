// Package wire is the way to the network for every client: the http actions, the client of
// PagerDuty and the heartbeat.
//
//   - wire.go sends a request, on a connection that it may use.
//   - proxy.go reads the proxy of the environment.
//   - roots.go loads the certificates that this machine trusts.
//
// A [Network] adds to package net/http what pdflow promises:
//
//   - A write leaves once. net/http sends some requests again on its own: over HTTP/1 when a
//     connection that was used before breaks, over HTTP/2 also after some errors that do not
//     prove that the server did nothing. Whether a write is sent again is the decision of
//     the engine.
//   - No answer outlives its call. After the answer 101 Switching Protocols net/http gives
//     away the connection, and reading it would end with no timeout.
//   - A connection to an address that needs a permission of its own is used by one request
//     only, since the next one may have another permission.
//   - A fault of this machine is an error, and lasts no longer than the fault: a proxy that
//     cannot be read, certificates that could not be loaded.
package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrSwitched is the error of a request that was answered with 101.
var ErrSwitched = errors.New("it answered 101 Switching Protocols, which was not asked for")

// A NotSentError is the error of a request that certainly was not sent.
type NotSentError struct{ Err error }

// Error returns the reason.
func (e *NotSentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *NotSentError) Unwrap() error { return e.Err }

// Options are the settings of a [Network]. The zero value reaches every address.
type Options struct {
	// Headers is how long the headers of an answer may take, once the request is written. 0
	// means as long as the context of the request allows.
	Headers time.Duration
	// Certificates are trusted too, besides what this machine trusts.
	Certificates []*x509.Certificate
	// Check is called with each address right before a connection to it is opened, in the
	// context of the request. It returns an error for an address that must not be reached,
	// and whether no other request may use the connection. It is not called for a proxy,
	// which the operator chose. Nil permits every address.
	Check func(ctx context.Context, address netip.AddrPort) (alone bool, err error)
	// Dial replaces the network of this machine. Check is then not called.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxy returns the proxy of a request, or nil. Nil means the proxy of the environment.
	Proxy func(*url.URL) (*url.URL, error)
}

// A Network sends requests. It is an [http.RoundTripper], and safe for concurrent use.
type Network struct {
	options Options

	mu            sync.Mutex
	plain, secure *transports // without and with TLS; nil until they are needed
}

// transports are a transport that keeps connections for later requests, and one that opens
// a connection for each request. net/http never repeats what it sent on a new connection.
type transports struct{ kept, alone *http.Transport }

// New returns a network. It opens nothing.
func New(o Options) *Network {
	if o.Proxy == nil {
		o.Proxy = environment
	}
	return &Network{options: o}
}

// RoundTrip sends a request once.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := n.send(r)
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
		_ = response.Body.Close() // which closes the connection
		return nil, ErrSwitched
	}
	return response, err
}

func (n *Network) send(r *http.Request) (*http.Response, error) {
	proxy, err := n.options.Proxy(r.URL)
	if err != nil {
		return nil, notSent(r, err)
	}
	using, err := n.transports(r.URL.Scheme == "https" || proxy != nil && proxy.Scheme == "https")
	if err != nil {
		return nil, notSent(r, err)
	}
	w := &way{proxy: proxy}
	r = r.WithContext(context.WithValue(r.Context(), wayKey{}, w))
	if repeatable(r) || n.options.Check != nil && r.Body != nil {
		return using.alone.RoundTrip(r) // a body can be sent only once, and the check may refuse to keep
	}
	response, err := using.kept.RoundTrip(r)
	if err != nil && w.closed.Load() {
		return using.alone.RoundTrip(r)
	}
	return response, err
}

// notSent returns the error of a request that was not sent, and closes its body as a
// RoundTripper must.
func notSent(r *http.Request, err error) error {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &NotSentError{err}
}

// repeatable reports whether a request is a write that net/http could repeat on a connection
// that was used before. It cannot repeat a body that it cannot read again.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "":
		return false
	}
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// A way is how one request gets to its server.
type way struct {
	proxy *url.URL // nil: directly
	// closed is set when the address was not tried because its connection could not be kept.
	closed atomic.Bool
}

type wayKey struct{}

func wayOf(ctx context.Context) *way {
	w, _ := ctx.Value(wayKey{}).(*way)
	return w
}

// errAlone refuses an address to the transport that keeps connections.
var errAlone = errors.New("no other request may use this connection")

// transports returns the transports for requests with or without TLS.
func (n *Network) transports(secure bool) (*transports, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !secure {
		if n.plain == nil {
			n.plain = n.open(nil)
		}
		return n.plain, nil
	}
	if n.secure == nil {
		roots, err := Roots(n.options.Certificates...)
		if err != nil {
			return nil, err
		}
		n.secure = n.open(roots)
	}
	return n.secure, nil
}

func (n *Network) open(roots *x509.CertPool) *transports {
	return &transports{kept: n.transport(roots, true), alone: n.transport(roots, false)}
}

// transport bounds each phase of a request but the answer's body, which the context of the
// request bounds. A connection for one request speaks HTTP/1, since net/http shares HTTP/2
// connections.
func (n *Network) transport(roots *x509.CertPool, keep bool) *http.Transport {
	t := &http.Transport{
		Proxy:                  func(r *http.Request) (*url.URL, error) { return wayOf(r.Context()).proxy, nil },
		DialContext:            n.dial(keep),
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  n.options.Headers,
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    50,
		IdleConnTimeout:        90 * time.Second,
		DisableKeepAlives:      !keep,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(keep)
	return t
}

// dial returns the function that opens connections.
func (n *Network) dial(keep bool) func(ctx context.Context, network, address string) (net.Conn, error) {
	direct := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	checked := *direct
	checked.ControlContext = func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errors.New("the address " + address + " cannot be read")
		}
		alone, err := n.options.Check(ctx, at)
		if err == nil && alone && keep {
			wayOf(ctx).closed.Store(true)
			err = errAlone
		}
		return err
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		switch {
		case n.options.Dial != nil:
			return n.options.Dial(ctx, network, address)
		case n.options.Check == nil || wayOf(ctx).proxy != nil: // net/http then connects to the proxy only
			return direct.DialContext(ctx, network, address)
		}
		return checked.DialContext(ctx, network, address)
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (n *Network) CloseIdleConnections() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range []*transports{n.plain, n.secure} {
		if t != nil {
			t.kept.CloseIdleConnections()
		}
	}
}
