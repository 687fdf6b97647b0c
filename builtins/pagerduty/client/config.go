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

// Region is a service region of PagerDuty. The keys of an account work only in its
// region.
type Region string

// The regions.
const (
	US Region = "us"
	EU Region = "eu"
)

// EventsVersion is a version of the Events API.
type EventsVersion string

// The versions of the Events API.
const (
	V1 EventsVersion = "v1"
	V2 EventsVersion = "v2"
)

// Config is the configuration of a [Client]. Its zero value is the US region without
// keys.
type Config struct {
	APIKey     string `json:"-"` // REST API key; needed only by calls of the REST API
	ServiceKey string `json:"-"` // integration key of events that have no key of their own
	FromEmail  string // From address of calls that name none
	Region     Region // empty: US
	// APIURL and EventsURL replace the base URLs of the region. They must be https, or
	// http on a loopback address.
	APIURL, EventsURL string
	EventsAPI         EventsVersion // empty: V1
	// HTTPClient sends the requests. Nil means a client with timeouts that uses the
	// proxy of the environment (HTTPS_PROXY) and always verifies TLS. Redirects are
	// never followed, because that could carry a key to another server.
	HTTPClient *http.Client
	// Wrap replaces the RoundTripper that carries the requests. It receives the present
	// one, which may be nil. Nil replaces nothing.
	Wrap func(http.RoundTripper) http.RoundTripper
	// CACertificates, in PEM, are trusted in addition to the system's. They cannot be
	// given together with HTTPClient.
	CACertificates []byte
	// Pacing is shared by the clients that use the same keys. Nil means a Pacing of the
	// client's own.
	Pacing    *Pacing
	UserAgent string // empty: "pdflow"
	// Sleep waits between tries and for rate limits. It returns early, with an error,
	// when the context ends. Nil sleeps on the machine's clock.
	Sleep func(context.Context, time.Duration) error
	// Jitter returns random numbers in [0,1), which spread the tries of many clients.
	// Nil uses math/rand.
	Jitter func() float64
	// Now returns the time for RetryBudget and Pacing. Nil uses the machine's clock.
	Now func() time.Time
	// RetryBudget bounds the tries of one call: no try starts later than this after the
	// first. Time spent waiting for a known rate limit does not count, except for the
	// wait that an answer asked this call for. The context still bounds the call. 0
	// means two minutes.
	RetryBudget time.Duration
}

// Format implements [fmt.Formatter]: no verb prints the keys. It leaves out the URLs,
// too: they may contain a password until [New] has checked them.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.Config{APIKey: %s, ServiceKey: %s, Region: %q, EventsAPI: %q}",
		concealed(c.APIKey), concealed(c.ServiceKey), c.Region, c.EventsAPI)
}

// LogValue implements [slog.LogValuer]: logs do not show the keys.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// hosts are the base URLs of the regions (PagerDuty's developer documentation,
// "Service Regions").
var hosts = map[Region]struct{ api, events string }{
	US: {"https://api.pagerduty.com", "https://events.pagerduty.com"},
	EU: {"https://api.eu.pagerduty.com", "https://events.eu.pagerduty.com"},
}

// New checks a configuration and returns a client for it. The error never shows a key.
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
	c = c.withDefaults()
	return &Client{c, newRedactor(c.keys()...).known}, nil
}

// checkTexts returns an error for a text that a header cannot carry. The error names the
// setting and does not show the text, which may be a key.
func (c Config) checkTexts() error {
	for _, setting := range []struct{ name, text string }{
		{"the API key (PAGERDUTY_API_KEY)", c.APIKey},
		{"the service key (PAGERDUTY_SERVICE_KEY)", c.ServiceKey},
		{"the From address (PAGERDUTY_FROM_EMAIL)", c.FromEmail},
	} {
		if strings.ContainsFunc(setting.text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return fmt.Errorf("%s must be visible ASCII characters only; it contains others, such as a space or a line break: copy it again", setting.name)
		}
	}
	if strings.ContainsFunc(c.UserAgent, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return fmt.Errorf("the user agent %q must be ASCII on one line", c.UserAgent)
	}
	return nil
}

// withDefaults sets the fields that are empty.
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

// sleep waits on the machine's clock. It returns early when the context ends.
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

// baseURL checks a base URL. Requests carry keys, so http is allowed only on loopback.
// Its errors show only scheme and host: the rest may contain a password. An empty text
// means the URL of the region.
func baseURL(what, text, ofRegion string) (string, error) {
	if text == "" {
		return ofRegion, nil
	}
	u, err := url.Parse(text)
	// url.Parse accepts "?" and "#" at the end, but the path that is added later would
	// become a part of the query or the fragment.
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
