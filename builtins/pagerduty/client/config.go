package client

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Region is where an account lives.
type Region string

// The regions. An account's keys work in its own region only.
const (
	US Region = "us"
	EU Region = "eu"
)

// An EventsVersion is which Events API events go to.
type EventsVersion string

// The versions of the Events API.
const (
	V1 EventsVersion = "v1"
	V2 EventsVersion = "v2"
)

// Config says whom to talk to. Its zero value talks to the US region without any
// key.
type Config struct {
	APIKey     string `json:"-"` // REST key; needed only by the calls that use it
	ServiceKey string `json:"-"` // integration key of events that have none of their own
	FromEmail  string // From of new users that name none
	Region     Region // US when empty
	// APIURL and EventsURL replace the region's. They are https, or on loopback.
	APIURL, EventsURL string
	EventsAPI         EventsVersion // V1 when empty
	// HTTPClient sends the requests; nil makes one with timeouts, that uses the
	// proxy of the environment (HTTPS_PROXY) and always verifies TLS. Redirects are
	// never followed, whatever it says: that would carry keys elsewhere.
	HTTPClient *http.Client
	// Wrap returns what carries the requests, given what would; nil leaves it.
	Wrap func(http.RoundTripper) http.RoundTripper
	// CACertificates are trusted beside the system's, in PEM. They are for nil
	// HTTPClient only.
	CACertificates []byte
	// Pacing is what clients share that use the same keys; nil is one of its own.
	Pacing    *Pacing
	UserAgent string // "pdflow" when empty
	// Sleep waits between tries, and for rate limits; nil waits for real.
	Sleep func(context.Context, time.Duration) error
	// Jitter returns numbers in [0,1) that spread the tries of many clients.
	Jitter func() float64
	// Now is the time that RetryBudget and Pacing go by.
	Now func() time.Time
	// RetryBudget bounds the tries of one call, from its first on: none begins after
	// it. Waiting for a rate limit that is known does not count, beyond what the
	// call itself was told to wait: the context bounds that. 0 is two minutes.
	RetryBudget time.Duration
}

// Format keeps the keys out of every verb of fmt. URLs are left out too: before
// [New] has checked them they may hold a password.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.Config{APIKey: %s, ServiceKey: %s, Region: %q, EventsAPI: %q}",
		concealed(c.APIKey), concealed(c.ServiceKey), c.Region, c.EventsAPI)
}

// LogValue keeps the keys out of structured logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// The hosts of the regions (PagerDuty's developer documentation, "Service
// Regions").
var hosts = map[Region]struct{ api, events string }{
	US: {"https://api.pagerduty.com", "https://events.pagerduty.com"},
	EU: {"https://api.eu.pagerduty.com", "https://events.eu.pagerduty.com"},
}

// New checks a configuration and returns a client for it.
func New(c Config) (*Client, error) {
	if c.Region == "" {
		c.Region = US
	}
	host, ok := hosts[c.Region]
	if !ok {
		return nil, fmt.Errorf("the region must be us or eu, not %q (PAGERDUTY_SERVICE_REGION)", c.Region)
	}
	if c.EventsAPI == "" {
		c.EventsAPI = V1
	}
	if c.EventsAPI != V1 && c.EventsAPI != V2 {
		return nil, fmt.Errorf("the Events API must be v1 or v2, not %q (PAGERDUTY_EVENTS_API)", c.EventsAPI)
	}
	var err error
	if c.APIURL, err = baseURL("API URL", c.APIURL, host.api); err != nil {
		return nil, err
	}
	if c.EventsURL, err = baseURL("events URL", c.EventsURL, host.events); err != nil {
		return nil, err
	}
	if err := c.checkTexts(); err != nil {
		return nil, err
	}
	if c.HTTPClient, err = c.httpClient(); err != nil {
		return nil, err
	}
	return &Client{config: c.withDefaults()}, nil
}

// checkTexts refuses what no header can hold. It names the setting and never
// shows the text, which may be a key.
func (c Config) checkTexts() error {
	for _, setting := range []struct{ name, text string }{
		{"the API key (PAGERDUTY_API_KEY)", c.APIKey},
		{"the service key (PAGERDUTY_SERVICE_KEY)", c.ServiceKey},
		{"the From address (PAGERDUTY_FROM_EMAIL)", c.FromEmail},
	} {
		if strings.ContainsFunc(setting.text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return fmt.Errorf("%s must be visible ASCII characters only; it has others, such as a space or a line break: copy it again", setting.name)
		}
	}
	if strings.ContainsFunc(c.UserAgent, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return fmt.Errorf("the user agent %q must be ASCII on one line", c.UserAgent)
	}
	return nil
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.RetryBudget == 0 {
		c.RetryBudget = 2 * time.Minute
	}
	if c.UserAgent == "" {
		c.UserAgent = "pdflow"
	}
	if c.Pacing == nil {
		c.Pacing = new(Pacing)
	}
	return c
}

// sleep waits for real, and not longer than the context lasts.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// baseURL checks a base URL; keys travel over it, so plain http is for loopback.
// Its errors show scheme and host only: the rest may hold a password.
func baseURL(what, text, otherwise string) (string, error) {
	if text == "" {
		return otherwise, nil
	}
	u, err := url.Parse(text)
	// A bare "?" or "#" parses to nothing, and still swallows the path added later.
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(text, "?#") {
		return "", fmt.Errorf("the %s must be like https://api.pagerduty.com, without user, query and fragment", what)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return "", fmt.Errorf("the %s must be https (http is for loopback addresses only), got %s://%s", what, u.Scheme, u.Host)
	}
	return strings.TrimRight(text, "/"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
