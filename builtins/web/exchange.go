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

	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/builtins/wire"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// maxReason is how many characters a message quotes of why there was no answer: net/http
// quotes a header that it cannot read.
const maxReason = 200

// maxHops bounds the redirects of one call; browsers follow 20, curl 50.
const maxHops = 10

// NewTransport returns the real network, which reaches only what the workflow may reach.
// The timeout of the call bounds the whole exchange.
func NewTransport() http.RoundTripper { return wire.New(wire.Options{Check: reach.Check}) }

func (h module) request(ctx context.Context, method string, in requestInput) (answerOutput, error) {
	x, err := h.newExchange(ctx, method, in)
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
		_ = response.Body.Close() // the body of a redirect is not used
		if err := x.follow(ctx, response.Header.Get("Location"), response.StatusCode); err != nil {
			return answerOutput{}, err
		}
	}
}

// roundTrip sends the request once. sent is false only when the request certainly was not
// sent.
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
	// If the transport reports no connection, the request counts as sent, unless the error
	// says that it was not.
	var operation *net.OpError
	var early *wire.NotSentError
	unsent := errors.As(err, &early) || errors.As(err, &operation) && operation.Op == "dial"
	sent = connected.Load() || !asked.Load() && !unsent
	return response, sent, err
}

// label is how messages name the request: without its query, and without a secret URL.
func (x *exchange) label() string {
	if x.secret != "" && x.hops == 0 {
		return x.method + " " + x.secret
	}
	return x.method + " " + Origin(x.url) + x.url.EscapedPath()
}

// noAnswer returns the error of a request without an answer. The error has no cause,
// since a cause could quote what was sent.
func (x *exchange) noAnswer(ctx, limited context.Context, err error, sent bool) error {
	var failure *action.Error
	switch {
	case ctx.Err() != nil: // first, since net/http returns why the context ended
		ended := *action.AsError(ctx.Err())
		failure = &ended
	case errors.As(err, &failure): // it was refused before it was sent
		refused := *failure
		refused.Ambiguous = refused.Ambiguous || x.writes && x.hops > 0
		return &refused
	case reach.TimedOut(limited), isTimeout(err):
		failure = action.Errorf(action.Timeout, "%s got no answer in time", x.label())
	default:
		failure = action.Errorf(action.Unavailable, "%s got no answer: %s", x.label(), phrase.Clip(x.mask.Redact(reach.ReasonOf(err)), maxReason))
	}
	// A redirect shows that the first request arrived, so it may have been acted on.
	failure.Ambiguous = x.writes && (sent || x.hops > 0)
	return failure
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// answer reads the response. When the response breaks off, the outcome of a write is
// unknown; when it is too large, the outcome is known.
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

// validUTF8 replaces bytes as the journal would, so that a script gets the same text in a
// run and in its replay.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func isRedirect(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return response.Header.Get("Location") != ""
	}
	return false
}

// follow changes the exchange to the request that a redirect asks for, or returns why that
// request must not be sent.
func (x *exchange) follow(ctx context.Context, location string, status int) error {
	refuse := func(kind action.Kind, format string, args ...any) error {
		failure := action.Errorf(kind, "%s was redirected %s", x.label(), x.mask.Redact(fmt.Sprintf(format, args...)))
		failure.Status, failure.Ambiguous = status, x.writes
		return failure
	}
	relative, err := x.url.Parse(location)
	if err != nil {
		return refuse(action.Unavailable, "to something that is not a URL")
	}
	next, err := ParseURL(relative.String())
	if err != nil {
		return refuse(action.Unavailable, "to something that cannot be followed: %v", err)
	}
	if x.hops++; x.hops > maxHops {
		return refuse(action.Unavailable, "more than %d times", maxHops)
	}
	if err := permitHop(ctx, targetOf(x.url), targetOf(next)); err != nil {
		return refuse(action.Permission, "to a host that is not permitted: %v", err)
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

// permitHop checks the target of a redirect against the permissions of the run. Without a
// run, only the first target is permitted.
func permitHop(ctx context.Context, from, to action.Target) error {
	if permit := action.ScopeOf(ctx).Permit; permit != nil {
		return permit(to)
	}
	if from != to {
		return fmt.Errorf("%s is not %s", to, from)
	}
	return nil
}

// change sets the method and body of the request after a redirect, as browsers do: after
// 303 it is a GET, after 301 and 302 a POST becomes a GET, and otherwise the request is
// repeated (RFC 9110 15.4).
func (x *exchange) change(status int) {
	repeat := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
	post := x.method == http.MethodPost || status == http.StatusSeeOther
	if repeat || !post || x.method == http.MethodHead || x.method == http.MethodGet {
		return
	}
	x.method, x.body, x.privateBody = http.MethodGet, nil, false
	x.header.Del("Content-Type")
}
