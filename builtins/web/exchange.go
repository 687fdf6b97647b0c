package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/engine/action"
)

// maxHops bounds the redirects of one call; browsers follow 20, curl 50.
const maxHops = 10

// NewTransport returns the network for the http module. Its own timeouts are for
// a connection; that of the call bounds the whole exchange.
func NewTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            reach.Dial,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    10,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

func (h httpModule) request(ctx context.Context, method string, in requestInput) (answerOutput, error) {
	x, err := newExchange(ctx, method, in)
	if err != nil {
		return answerOutput{}, err
	}
	limited, stop := reach.WithTimeout(ctx, in.Timeout)
	defer stop()
	for {
		response, sent, err := x.roundTrip(limited, h.transport)
		if err != nil {
			return answerOutput{}, x.noAnswer(ctx, limited, err, sent)
		}
		if !in.FollowRedirects || !isRedirect(response) {
			return x.answer(ctx, limited, response)
		}
		_ = response.Body.Close() // what a redirect says besides is of no use
		if err := x.follow(ctx, response.Header.Get("Location"), response.StatusCode); err != nil {
			return answerOutput{}, err
		}
	}
}

// roundTrip sends the request once. sent is false when it certainly did not
// leave.
func (x *exchange) roundTrip(ctx context.Context, transport http.RoundTripper) (_ *http.Response, sent bool, _ error) {
	var asked, connected atomic.Bool
	ctx = httptrace.WithClientTrace(reach.Toward(ctx, targetOf(x.url)), &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := http.NewRequestWithContext(ctx, x.method, x.url.String(), bytes.NewReader(x.body))
	if err != nil {
		return nil, false, action.Errorf(action.InvalidInput, "the request cannot be made") // err may quote the query
	}
	request.Header = x.header.Clone()
	response, err := transport.RoundTrip(request)
	// A transport that reports no connections is taken to have sent it, unless it
	// says that it could not connect.
	var operation *net.OpError
	dialled := errors.As(err, &operation) && operation.Op == "dial"
	sent = connected.Load() || !asked.Load() && !dialled
	return response, sent, err
}

// label names the request for people, without its query.
func (x *exchange) label() string {
	return x.method + " " + Origin(x.url) + x.url.EscapedPath()
}

// noAnswer returns the error of a request whose answer did not come. It has no
// cause: the cause could quote what was sent.
func (x *exchange) noAnswer(ctx, limited context.Context, err error, sent bool) error {
	var failure *action.Error
	switch {
	case ctx.Err() != nil: // before all else: net/http returns why the context ended
		ended := *action.AsError(ctx.Err())
		failure = &ended
	case errors.As(err, &failure): // it was refused before anything was sent
		refused := *failure
		refused.Ambiguous = refused.Ambiguous || x.writes && x.hops > 0
		return &refused
	case reach.TimedOut(limited), isTimeout(err):
		failure = action.Errorf(action.Timeout, "%s got no answer in time", x.label())
	default:
		failure = action.Errorf(action.Unavailable, "%s got no answer: %s", x.label(), x.mask.Redact(reach.ReasonOf(err)))
	}
	// After a redirect the first request was acted on, whatever became of this one.
	failure.Ambiguous = x.writes && (sent || x.hops > 0)
	return failure
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// answer reads the response. One that breaks off leaves the outcome of a write
// unknown; one that is too large does not.
func (x *exchange) answer(ctx, limited context.Context, response *http.Response) (answerOutput, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return answerOutput{}, x.noAnswer(ctx, limited, fmt.Errorf("it broke off: %w", err), true)
	}
	if len(body) > maxBody {
		failure := errBodyTooLarge("the answer to " + x.label())
		failure.Status = response.StatusCode
		return answerOutput{}, failure
	}
	headers := make(action.Object, len(response.Header))
	for name, values := range response.Header {
		headers[strings.ToLower(name)] = validUTF8(strings.Join(values, ", "))
	}
	return answerOutput{
		Status:  response.StatusCode,
		OK:      response.StatusCode >= 200 && response.StatusCode <= 299,
		Headers: headers,
		Body:    validUTF8(string(body)),
	}, nil
}

// validUTF8 does what recording would do, so that a script sees the same text in
// a run and in its replay.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func isRedirect(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return response.Header.Get("Location") != ""
	}
	return false
}

// follow points the exchange at the place that a redirect names, if it may go
// there.
func (x *exchange) follow(ctx context.Context, location string, status int) error {
	refuse := func(kind action.Kind, format string, args ...any) error {
		failure := action.Errorf(kind, "%s was redirected %s", x.label(), x.mask.Redact(fmt.Sprintf(format, args...)))
		failure.Status, failure.Ambiguous = status, x.writes
		return failure
	}
	relative, err := x.url.Parse(location)
	if err != nil {
		return refuse(action.Unavailable, "to something that is no URL")
	}
	next, err := ParseURL(relative.String())
	if err != nil {
		return refuse(action.Unavailable, "to something that cannot be followed: %v", err)
	}
	if x.hops++; x.hops > maxHops {
		return refuse(action.Unavailable, "more than %d times", maxHops)
	}
	if err := permitHop(ctx, targetOf(x.url), targetOf(next)); err != nil {
		return refuse(action.Permission, "to a place that is not permitted: %v", err)
	}
	x.change(status)
	if targetOf(next) != targetOf(x.url) {
		if x.privateBody || x.mask.Redact(next.String()) != next.String() {
			return refuse(action.Permission, "to %s, which would get a secret", Origin(next))
		}
		for name := range x.private {
			x.header.Del(name)
		}
	}
	x.url = next
	return nil
}

// permitHop asks the run for a target. A call from Go without any run stays
// where it was sent.
func permitHop(ctx context.Context, from, to action.Target) error {
	if permit := action.ScopeOf(ctx).Permit; permit != nil {
		return permit(to)
	}
	if from != to {
		return fmt.Errorf("%s is not %s", to, from)
	}
	return nil
}

// change turns the request into what comes next, as browsers do: 303 asks with
// GET, 301 and 302 turn a POST into one, and everything else repeats the request
// (RFC 9110 15.4).
func (x *exchange) change(status int) {
	repeat := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
	post := x.method == http.MethodPost || status == http.StatusSeeOther
	if repeat || !post || x.method == http.MethodHead || x.method == http.MethodGet {
		return
	}
	x.method, x.body, x.privateBody = http.MethodGet, nil, false
	x.header.Del("Content-Type")
}
