// Package heartbeat calls a URL of an external monitor while the scheduler runs. The
// monitor can then report a daemon that is dead or that hangs.
//
//   - [Heartbeat] calls one URL at regular intervals. [New] checks the URL.
//   - The watermark is the time of the scheduler's last completed look at what is due. The
//     URL is called only if the watermark has moved since the last call. So a daemon whose
//     scheduler hangs sends no heartbeat.
//   - Failed calls in a row, and intervals in a row without a moved watermark, are logged
//     when they start and when they end, and not in between.
//
// The URL is often a secret: no message shows more of it than its host.
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

	"github.com/pdflow/pdflow/builtins/wire"
	"github.com/pdflow/pdflow/engine/action"
)

const (
	// shortest is the shortest interval. The scheduler rests 30 seconds at most, so its
	// watermark moves in twice that time.
	shortest = time.Minute
	// callTimeout is how long one call may take.
	callTimeout = 10 * time.Second
	// maxRedirects is how many redirects a call follows. They must stay at the host.
	maxRedirects = 3
	// maxAnswer is how many bytes of an answer are read, so that its connection can be
	// used again.
	maxAnswer = 4 << 10
)

// Config is the configuration of a [Heartbeat]. All fields but Transport are
// required.
type Config struct {
	URL       string
	Every     time.Duration
	Watermark func() time.Time // zero: the scheduler has not looked yet
	Clock     action.Clock
	Log       *slog.Logger
	Transport http.RoundTripper // nil: the network of this machine
}

// Heartbeat calls a URL while the scheduler runs.
type Heartbeat struct {
	config Config
	host   string
	client *http.Client

	seen   time.Time // the watermark at the last call
	still  bool      // the watermark did not move in the last interval
	failed int       // failed calls in a row
}

// New checks a configuration and returns a heartbeat. Run starts the calls.
func New(c Config) (*Heartbeat, error) {
	if c.Every < shortest {
		return nil, fmt.Errorf("heartbeat.every is %s; it must be at least %s, because the scheduler may rest for 30s", c.Every, shortest)
	}
	target, err := url.Parse(c.URL)
	if err != nil || target.Host == "" {
		return nil, errors.New("heartbeat.url is not a URL: write it with scheme and host, such as https://heartbeat.example.com/pdflow")
	}
	if target.Scheme != "https" && !(target.Scheme == "http" && loopback(target.Hostname())) {
		return nil, fmt.Errorf("heartbeat.url must begin with https://, got %s://%s: http is allowed only on a loopback address", target.Scheme, target.Host)
	}
	if c.Transport == nil {
		c.Transport = wire.New(wire.Options{})
	}
	h := &Heartbeat{config: c, host: target.Host}
	h.client = &http.Client{Transport: c.Transport, CheckRedirect: staysAt(target)}
	return h, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// staysAt returns a redirect check that permits only other paths of the same host.
func staysAt(target *url.URL) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != target.Host || r.URL.Scheme != target.Scheme {
			return fmt.Errorf("it redirects to %s://%s; redirects to another host are not followed", r.URL.Scheme, r.URL.Host)
		}
		if len(via) > maxRedirects {
			return fmt.Errorf("it redirects more than %d times", maxRedirects)
		}
		return nil
	}
}

// Run calls the URL until the context ends: at once if the scheduler has looked already,
// and then at every interval.
func (h *Heartbeat) Run(ctx context.Context) {
	for ctx.Err() == nil {
		h.beat(ctx)
		if h.config.Clock.Sleep(ctx, h.config.Every) != nil {
			return
		}
	}
}

// beat calls the URL if the watermark has moved. A clock that was set back moves the
// watermark too; only an unchanged watermark means that the scheduler hangs.
func (h *Heartbeat) beat(ctx context.Context) {
	watermark := h.config.Watermark()
	if watermark.IsZero() && h.seen.IsZero() {
		return
	}
	if watermark.Equal(h.seen) {
		if !h.still {
			h.config.Log.Error("the scheduler does not run: no heartbeat is sent", "since", watermark.UTC().Format(time.RFC3339))
		}
		h.still = true
		return
	}
	if h.still {
		h.config.Log.Info("the scheduler runs again: heartbeats are sent")
	}
	h.seen, h.still = watermark, false
	h.account(h.call(ctx))
}

// account logs the first of several failures in a row, and the success after them. A call
// that was cancelled because the daemon stops is not a failure.
func (h *Heartbeat) account(err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		if h.failed++; h.failed == 1 {
			h.config.Log.Warn("the heartbeat failed; it is tried again at every interval", "host", h.host, "every", h.config.Every, "error", err)
		}
	case h.failed > 0:
		h.config.Log.Info("the heartbeat succeeds again", "host", h.host, "failed", h.failed)
		h.failed = 0
	}
}

// call makes one request. Its errors do not contain the URL.
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
	var failed *url.Error
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Canceled
	case err != nil && limited.Err() != nil:
		return context.Cause(limited)
	case errors.As(err, &failed):
		return failed.Err // without the URL
	case err != nil:
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %d", answer.StatusCode)
	}
	return nil
}
