// Package heartbeat calls a URL regularly while the scheduler works, so that a service elsewhere notices
// when the daemon has died or has stalled.
//
//   - A [Heartbeat] calls one URL. [New] checks the URL.
//   - The watermark is the time up to which the scheduler has handled all scheduled times. The URL is
//     called only if the watermark has moved since the last call, so a stalled scheduler is noticed.
//   - A series of failed calls, or of intervals in which the watermark has not moved, is logged when it
//     begins and when it ends.
//
// The URL is often a secret, so messages show only its host.
package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

const (
	// DefaultEvery is the default interval between calls.
	DefaultEvery = time.Minute
	// shortest is the shortest interval. The scheduler may sleep for 30 seconds, so its watermark
	// moves within twice that time.
	shortest = time.Minute
	// callTimeout is how long one call may take.
	callTimeout = 10 * time.Second
	// maxRedirects is how many redirects to other paths of the host are followed.
	maxRedirects = 3
	// maxAnswer is how many bytes of an answer are read, so that its connection can be reused.
	maxAnswer = 4 << 10
)

// A Config is the configuration of a heartbeat. URL, Watermark, Clock and Log are required.
type Config struct {
	URL       string
	Every     time.Duration    // 0: DefaultEvery
	Watermark func() time.Time // zero before the scheduler has started
	Clock     action.Clock
	Log       *slog.Logger
	Transport http.RoundTripper // nil: a copy of http.DefaultTransport
}

// A Heartbeat calls a URL while the scheduler works.
type Heartbeat struct {
	config Config
	host   string
	client *http.Client

	seen   time.Time // the watermark of the last call
	still  bool      // the watermark has not moved
	failed int       // how many calls in a row have failed
}

// New returns a heartbeat. It is an error if the URL or the interval is not allowed.
func New(c Config) (*Heartbeat, error) {
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if c.Every < shortest {
		return nil, fmt.Errorf("heartbeat.every is %s and must be at least %s, because the scheduler may sleep for 30s", c.Every, shortest)
	}
	target, err := url.Parse(c.URL)
	if err != nil || target.Host == "" {
		return nil, errors.New("heartbeat.url is not a URL: write it with scheme and host, such as https://heartbeat.example.com/pdflow")
	}
	if target.Scheme != "https" && !(target.Scheme == "http" && loopback(target.Hostname())) {
		return nil, fmt.Errorf("heartbeat.url must begin with https://, got %s://%s: http is allowed only for a loopback address", target.Scheme, target.Host)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	h := &Heartbeat{config: c, host: target.Host}
	h.client = &http.Client{Transport: c.Transport, CheckRedirect: staysAt(target)}
	return h, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// staysAt returns a policy that permits redirects only to other paths of a host.
func staysAt(target *url.URL) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != target.Host || r.URL.Scheme != target.Scheme {
			return fmt.Errorf("it redirects to %s://%s; another host is never called", r.URL.Scheme, r.URL.Host)
		}
		if len(via) > maxRedirects {
			return fmt.Errorf("it redirects more than %d times", maxRedirects)
		}
		return nil
	}
}

// Run calls the URL at once, if the scheduler has started, and then at every interval, until the context
// ends.
func (h *Heartbeat) Run(ctx context.Context) {
	for ctx.Err() == nil {
		h.beat(ctx)
		if h.config.Clock.Sleep(ctx, h.config.Every) != nil {
			return
		}
	}
}

// beat calls the URL if the watermark has moved, in either direction, because a clock can be set back.
func (h *Heartbeat) beat(ctx context.Context) {
	watermark := h.config.Watermark()
	if watermark.IsZero() && h.seen.IsZero() {
		return
	}
	if watermark.Equal(h.seen) {
		if !h.still {
			h.config.Log.Error("the scheduler has stalled: no heartbeat is sent", "since", watermark.UTC().Format(time.RFC3339))
		}
		h.still = true
		return
	}
	if h.still {
		h.config.Log.Info("the scheduler works again: heartbeats are sent again")
	}
	h.seen, h.still = watermark, false
	h.account(h.call(ctx))
}

// account logs when a series of failures begins and ends. A call that the stop of the daemon has ended is
// not a failure.
func (h *Heartbeat) account(err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		if h.failed++; h.failed == 1 {
			h.config.Log.Warn("the heartbeat fails; it is tried again at every interval", "host", h.host, "every", h.config.Every, "error", err)
		}
	case h.failed > 0:
		h.config.Log.Info("the heartbeat arrives again", "host", h.host, "failed", h.failed)
		h.failed = 0
	}
}

// call makes one request. Its errors do not show the URL.
func (h *Heartbeat) call(ctx context.Context) error {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := h.config.Clock.AfterFunc(callTimeout, func() { cancel(fmt.Errorf("no answer within %s", callTimeout)) })
	defer stop()
	r, err := http.NewRequestWithContext(limited, http.MethodGet, h.config.URL, nil)
	if err != nil {
		return errors.New("the request cannot be made")
	}
	r.Header.Set("User-Agent", "pdflow")
	answer, err := h.client.Do(r)
	if err != nil {
		return h.cause(ctx, limited, err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %d", answer.StatusCode)
	}
	return nil
}

// cause returns why a request failed, without the URL that net/http puts before it.
func (h *Heartbeat) cause(ctx, limited context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Canceled
	}
	if limited.Err() != nil {
		return context.Cause(limited)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
