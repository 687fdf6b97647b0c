package client

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"

	"github.com/pdflow/pdflow/engine/redact"
)

// Client makes calls to one PagerDuty account. [New] returns one. It is safe for
// concurrent use.
type Client struct {
	config Config
	known  func() *redact.Redactor // has the keys of config
}

// Format implements [fmt.Formatter]: no verb prints the keys.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "pagerduty.Client{"+c.config.APIURL+"}")
}

// LogValue implements [slog.LogValuer]: logs do not show the keys.
func (c *Client) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// APIURL returns the base URL of the REST API, without a slash at the end.
func (c *Client) APIURL() string { return c.config.APIURL }

// EventsURL returns the base URL of the Events APIs, without a slash at the end.
func (c *Client) EventsURL() string { return c.config.EventsURL }

// EventsVersion returns the version of the Events API that [Client.SendEvent] uses.
func (c *Client) EventsVersion() EventsVersion { return c.config.EventsAPI }

// Region returns the service region of the account.
func (c *Client) Region() Region { return c.config.Region }

// do makes a call: it sends the request until a try succeeds or another try cannot
// help. It decodes the response into out; nil expects an answer without a body. complete
// reports whether out has what the call asked for. The package comment lists the stages.
func (c *Client) do(ctx context.Context, r request, out any, complete func() bool) error {
	if err := r.prepare(); err != nil {
		return err
	}
	t := tries{request: r, config: c.config, ticket: c.config.Pacing.ticket(r, clock{c.config.Now, c.config.Sleep})}
	wire := transport{c.config.HTTPClient, c.config.UserAgent}
	if out != nil { // an answer that is not PagerDuty's may leave something in it
		r.empty = reflect.ValueOf(reflect.ValueOf(out).Elem().Interface())
	}
	t.request = r
	for {
		if err := t.wait(ctx); err != nil {
			return err
		}
		answer := wire.send(ctx, r)
		failure, again := t.judge(ctx, answer, func() *Error { return answer.decode(r, out, complete) })
		switch {
		case failure == nil:
			return nil
		case !again:
			return failure
		}
	}
}
