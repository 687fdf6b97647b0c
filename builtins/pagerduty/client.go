package pagerduty

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"sync/atomic"
)

// maxResponse bounds a response body: a page of 100 users has about 150 KB.
const maxResponse = 8 << 20

// A Client talks to one account. It is safe for concurrent use.
type Client struct{ config Config }

// Format keeps the keys out of every verb of fmt.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "pagerduty.Client{"+c.config.APIURL+"}")
}

// APIURL returns the base URL of the REST API.
func (c *Client) APIURL() string { return c.config.APIURL }

// EventsURL returns the base URL of the Events APIs.
func (c *Client) EventsURL() string { return c.config.EventsURL }

// EventsVersion returns which Events API events go to.
func (c *Client) EventsVersion() EventsVersion { return c.config.EventsAPI }

// Region returns the region of the account.
func (c *Client) Region() Region { return c.config.Region }

// A request is one call, before its tries.
type request struct {
	op     string // what people call it, such as "create user"
	method string
	url    string
	header http.Header
	body   []byte
	policy policy
}

// A response is an answer whose body was read.
type response struct {
	status int
	header http.Header
	body   []byte
}

// tokenPattern is the shape of account and user API keys; everything else is
// taken for an OAuth token (the pd command line decides in the same way).
var tokenPattern = regexp.MustCompile(`^[0-9a-zA-Z_\-+/=]{20}$`)

// rest makes a request of the REST API and decodes its answer into out, which may
// be nil.
func (c *Client) rest(ctx context.Context, op, method, path string, p policy, in, out any, from string) error {
	if c.config.APIKey == "" {
		return &Error{
			Kind: Unauthorized, Op: op, Message: "it needs a PagerDuty API key",
			Hint: "set PAGERDUTY_API_KEY, or add --simulate to run offline",
		}
	}
	r := request{op: op, method: method, url: c.config.APIURL + path, policy: p, header: http.Header{
		"Accept":       {"application/vnd.pagerduty+json;version=2"},
		"Content-Type": {"application/json"},
	}}
	scheme := "Bearer "
	if tokenPattern.MatchString(c.config.APIKey) {
		scheme = "Token token="
	}
	r.header.Set("Authorization", scheme+c.config.APIKey)
	if from != "" {
		r.header.Set("From", from)
	}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return &Error{Kind: InvalidInput, Op: op, Message: "the request cannot be written as JSON", Err: err}
		}
		r.body = body
	}
	return c.exchange(ctx, r, out)
}

// exchange makes the request and decodes a success.
func (c *Client) exchange(ctx context.Context, r request, out any) error {
	answer, err := c.send(ctx, r)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer.body, out); err != nil {
		return &Error{
			Kind: Unavailable, Op: r.op, StatusCode: answer.status, RequestID: answer.header.Get("X-Request-Id"),
			Message: "PagerDuty accepted it, but its answer cannot be read as JSON", Sent: r.policy.writes,
		}
	}
	return nil
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
	text, err := io.ReadAll(io.LimitReader(got.Body, maxResponse+1))
	if err == nil && len(text) > maxResponse {
		err = fmt.Errorf("the answer has more than %d bytes", maxResponse)
	}
	if err != nil && got.StatusCode < 300 {
		return response{}, true, fmt.Errorf("the answer broke off: %w", err)
	}
	return response{got.StatusCode, got.Header, text}, true, nil
}
