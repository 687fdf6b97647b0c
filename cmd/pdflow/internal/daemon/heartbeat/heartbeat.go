// Package heartbeat tells a watcher outside that the scheduler goes on, so that a
// daemon that is dead, or that stands still, is noticed by somebody else.
//
//   - A [Heartbeat] is the call of one URL, again and again. [New] checks the URL.
//   - The watermark is the time of the scheduler's last completed look at what is due.
//     A call is made only when it has moved since the last one: a process that answers
//     and begins nothing is silent.
//   - A streak is a row of calls that failed, or of times when the watermark stood
//     still. It is logged when it begins and when it ends, and not in between.
//
// The URL is often a secret by itself: no message shows more of it than its host.
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
	// DefaultEvery is how often the URL is called when nothing else is asked for.
	DefaultEvery = time.Minute
	// shortest is how often it may be called at most: the scheduler may rest for 30
	// seconds, so that its watermark surely moves in twice that.
	shortest = time.Minute
	// callTimeout is how long one call may take.
	callTimeout = 10 * time.Second
	// maxRedirects is how often an answer may lead to another path of the host.
	maxRedirects = 3
	// maxAnswer is how much of an answer is read, so that its connection can be used
	// again.
	maxAnswer = 4 << 10
)

// A Config says what is called and when. URL, Watermark, Clock and Log are needed.
type Config struct {
	URL       string
	Every     time.Duration    // 0: DefaultEvery
	Watermark func() time.Time // zero before the scheduler's first look
	Clock     action.Clock
	Log       *slog.Logger
	Transport http.RoundTripper // nil: a copy of http.DefaultTransport
}

// A Heartbeat calls a URL as long as the scheduler goes on.
type Heartbeat struct {
	config Config
	host   string
	client *http.Client

	seen   time.Time // the watermark of the last call
	still  bool      // the watermark stands still
	failed int       // how many calls in a row
}

// New checks what is asked for.
func New(c Config) (*Heartbeat, error) {
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if c.Every < shortest {
		return nil, fmt.Errorf("heartbeat.every is %s, at least %s is possible: the scheduler itself may rest for 30s", c.Every, shortest)
	}
	target, err := url.Parse(c.URL)
	if err != nil || target.Host == "" {
		return nil, errors.New("heartbeat.url is no URL: write it with scheme and host, such as https://heartbeat.example.com/pdflow")
	}
	if target.Scheme != "https" && !(target.Scheme == "http" && loopback(target.Hostname())) {
		return nil, fmt.Errorf("heartbeat.url must begin with https://, got %s://%s: http is possible on this machine's own loopback only", target.Scheme, target.Host)
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

// staysAt permits redirects to other paths of one host.
func staysAt(target *url.URL) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != target.Host || r.URL.Scheme != target.Scheme {
			return fmt.Errorf("it redirects to %s://%s, and another host is never called", r.URL.Scheme, r.URL.Host)
		}
		if len(via) > maxRedirects {
			return fmt.Errorf("it redirects more than %d times", maxRedirects)
		}
		return nil
	}
}

// Run calls the URL until the context ends: at once if the scheduler has looked, then
// at every interval.
func (h *Heartbeat) Run(ctx context.Context) {
	for ctx.Err() == nil {
		h.beat(ctx)
		if h.config.Clock.Sleep(ctx, h.config.Every) != nil {
			return
		}
	}
}

// beat calls the URL if the watermark has moved. A clock that was set back moves it
// too: only one that stands still is a scheduler that does.
func (h *Heartbeat) beat(ctx context.Context) {
	watermark := h.config.Watermark()
	if watermark.IsZero() && h.seen.IsZero() {
		return
	}
	if watermark.Equal(h.seen) {
		if !h.still {
			h.config.Log.Error("the scheduler stands still: no heartbeat is sent", "since", watermark.UTC().Format(time.RFC3339))
		}
		h.still = true
		return
	}
	if h.still {
		h.config.Log.Info("the scheduler goes on: heartbeats are sent again")
	}
	h.seen, h.still = watermark, false
	h.account(h.call(ctx))
}

// account logs where a streak of failures begins and ends. What the end of the daemon
// cut off is none.
func (h *Heartbeat) account(err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		if h.failed++; h.failed == 1 {
			h.config.Log.Warn("the heartbeat fails, and is tried at every interval", "host", h.host, "every", h.config.Every, "error", err)
		}
	case h.failed > 0:
		h.config.Log.Info("the heartbeat arrives again", "host", h.host, "failed", h.failed)
		h.failed = 0
	}
}

// call makes one request. Its errors leave the URL out.
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

// cause is why a request failed, without the URL that net/http puts before it.
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
