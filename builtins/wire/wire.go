// Package wire sends requests over the network for every client: the http actions, the
// client of PagerDuty and the heartbeat. [Once] prevents two things that package net/http
// does on its own:
//
//   - It sends a write with an Idempotency-Key again when the server closes a connection
//     that was used before, also after the server has acted on it. Whether a write is sent
//     again is the decision of the engine.
//   - After the answer 101 Switching Protocols it gives away the connection. Reading it ends
//     with no timeout and no cancellation.
package wire

import (
	"errors"
	"net/http"
)

// ErrSwitched is the error of a request that was answered with 101.
var ErrSwitched = errors.New("it answered 101 Switching Protocols, which was not asked for")

// Once returns a network that sends a write with an Idempotency-Key at most once over
// HTTP/1, and refuses the answer 101. Package net/http still sends a request again if it
// could not write any of it. Over HTTP/2 it also does so after errors of the connection, some
// of which do not prove that the server did nothing.
func Once(transport *http.Transport) http.RoundTripper {
	fresh := transport.Clone()
	fresh.DisableKeepAlives = true
	return once{transport, fresh}
}

// A once has a transport that keeps connections, and one that makes a connection for each
// request: net/http never repeats what it sent on a new connection.
type once struct{ kept, fresh *http.Transport }

// RoundTrip sends a request.
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := o.kept
	if writes(r) && keyed(r.Header) {
		transport = o.fresh
	}
	response, err := transport.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
		_ = response.Body.Close() // which closes the connection
		return nil, ErrSwitched
	}
	return response, err
}

// writes reports whether the method of a request may change something.
func writes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "":
		return false
	}
	return true
}

// keyed reports whether net/http takes a request for one that may be repeated. It looks
// for these two names.
func keyed(h http.Header) bool {
	_, key := h["Idempotency-Key"]
	_, older := h["X-Idempotency-Key"]
	return key || older
}

// CloseIdleConnections closes the connections that are not in use.
func (o once) CloseIdleConnections() { o.kept.CloseIdleConnections() }
