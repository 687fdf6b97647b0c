package pagerduty

import (
	"context"
	"fmt"
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
	APIKey     string // REST key; needed only by the calls that use it
	ServiceKey string // integration key of events that have none of their own
	FromEmail  string // From of new users that name none
	Region     Region // US when empty
	// APIURL and EventsURL replace the region's. They are https, or on loopback.
	APIURL, EventsURL string
	EventsAPI         EventsVersion // V1 when empty
	// HTTPClient sends the requests; nil makes one with timeouts. It must not
	// follow redirects: that would carry keys elsewhere.
	HTTPClient *http.Client
	UserAgent  string
	// Sleep waits between tries; nil waits for real.
	Sleep func(context.Context, time.Duration) error
	// Jitter returns numbers in [0,1) that spread the tries of many clients.
	Jitter func() float64
	// Now is the time that RetryBudget goes by.
	Now func() time.Time
	// RetryBudget bounds the tries of one call; 0 is two minutes.
	RetryBudget time.Duration
}

// Format keeps the keys out of every verb of fmt.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.Config{APIURL: %q, EventsURL: %q, Region: %q, EventsAPI: %q}", c.APIURL, c.EventsURL, c.Region, c.EventsAPI)
}

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
	for name, key := range map[string]string{"API key": c.APIKey, "service key": c.ServiceKey, "From address": c.FromEmail} {
		if !headerText(key) {
			return nil, fmt.Errorf("the %s has characters that no header can hold, such as a line break", name)
		}
	}
	return &Client{config: c.withDefaults()}, nil
}

func (c Config) withDefaults() Config {
	if c.HTTPClient == nil {
		c.HTTPClient = newHTTPClient()
	}
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
	return c
}

func newHTTPClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second, // of one try; the context bounds all of them
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 20 * time.Second,
			MaxIdleConnsPerHost:   50,
			IdleConnTimeout:       90 * time.Second,
			ForceAttemptHTTP2:     true,
		},
	}
}

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
func baseURL(what, text, otherwise string) (string, error) {
	if text == "" {
		return otherwise, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
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

func headerText(s string) bool {
	for _, r := range s {
		if r < ' ' || r >= 0x7f {
			return false
		}
	}
	return true
}
