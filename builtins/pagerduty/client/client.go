package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
)

// A Client talks to one account. It is safe for concurrent use.
type Client struct{ config Config }

// Format keeps the keys out of every verb of fmt.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "pagerduty.Client{"+c.config.APIURL+"}")
}

// LogValue keeps the keys out of structured logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

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
	keys   redactor // what its errors must not show
	// host and credential say whose rate limit it counts against, and class how
	// urgent it is.
	host, credential string
	class            class
}

// tokenPattern is the shape of account and user API keys; everything else is
// taken for an OAuth token (the pd command line decides in the same way).
var tokenPattern = regexp.MustCompile(`^[0-9a-zA-Z_\-+/=]{20}$`)

// rest makes a request of the REST API and decodes its answer into out, which may
// be nil.
func (c *Client) rest(ctx context.Context, op, method, path string, p policy, in, out any, from string) error {
	if c.config.APIKey == "" {
		return &Error{
			Kind: Unauthorized, Op: op, Message: "this call needs a PagerDuty API key: set PAGERDUTY_API_KEY",
			Hint: "add --simulate to run offline, without a key",
		}
	}
	r := request{
		op: op, method: method, url: c.config.APIURL + path, policy: p,
		header: c.restHeader(from), keys: c.keys(),
		host: c.config.APIURL, credential: c.config.APIKey, class: lookups,
	}
	if p.writes {
		r.class = writes
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

// keys are what no text of an answer may show.
func (c *Client) keys() redactor { return redactor{c.config.APIKey, c.config.ServiceKey} }

// restHeader are the headers that the REST API declares as required. From is for
// the calls that act on somebody's behalf.
func (c *Client) restHeader(from string) http.Header {
	scheme := "Bearer "
	if tokenPattern.MatchString(c.config.APIKey) {
		scheme = "Token token="
	}
	header := http.Header{
		"Accept":        {"application/vnd.pagerduty+json;version=2"},
		"Content-Type":  {"application/json"},
		"Authorization": {scheme + c.config.APIKey},
	}
	if from != "" {
		header.Set("From", from)
	}
	return header
}

// A checked answer knows whether it has what was asked for: JSON of another shape
// decodes without an error, and would pass for an empty result.
type checked interface{ complete() bool }

// exchange makes the request and decodes a success.
func (c *Client) exchange(ctx context.Context, r request, out any) error {
	answer, err := c.send(ctx, r)
	if err != nil || out == nil {
		return err
	}
	err = json.Unmarshal(answer.body, out)
	if shape, ok := out.(checked); err == nil && (!ok || shape.complete()) {
		return nil
	}
	message := "PagerDuty's answer says success, but does not hold what was asked for"
	if err != nil {
		message = "PagerDuty's answer says success, but cannot be read as JSON"
	}
	return &Error{
		Kind: Unavailable, Op: r.op, StatusCode: answer.status, RequestID: r.keys.line(answer.header.Get("X-Request-Id")),
		Message: message, Hint: "check the base URL: a proxy may answer in PagerDuty's place", Sent: r.policy.writes,
	}
}
