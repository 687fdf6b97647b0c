// Package health is the daemon's listener for machines that watch it: /healthz,
// /readyz and /metrics, on this machine's loopback only.
//
//   - [Listen] opens the address and refuses one that others could reach.
//   - [Server] is the HTTP server for it: [Config] says what it asks.
//   - A [Readiness] is what /readyz judges: whether the files are loaded, whether this
//     daemon holds the scheduler's lock, and when the scheduler last looked.
//
// There is no login, so a browser must not be led here: a request whose Host is no
// name of the loopback is refused (DNS rebinding), no answer permits other origins to
// read it, and nothing can be changed.
package health

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// staleAfter is how old the scheduler's last look may be: three times the longest
	// time that it rests.
	staleAfter = 90 * time.Second

	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// A Readiness is how far the daemon has come.
type Readiness struct {
	Loaded   bool      // the workflow files were read
	Active   bool      // it holds the scheduler's lock; else it stands by
	Stopping bool      // it was asked to stop
	LastWake time.Time // when the scheduler last looked at what is due; zero: not yet
}

// A Config says what the server answers with. All but Log are needed.
type Config struct {
	Readiness func() Readiness
	Now       func() time.Time // the daemon's clock
	Metrics   http.Handler
	Log       *slog.Logger // for what clients do wrong; nil: nowhere
}

// Listen opens a loopback address such as 127.0.0.1:9300, [::1]:9300 or
// localhost:9300; port 0 takes a free one.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %q is no address: write host and port, such as 127.0.0.1:9300", address)
	}
	if host == "localhost" {
		host = "127.0.0.1" // what the name means elsewhere, a resolver decides
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--listen: %s can be reached from elsewhere: only loopback is possible, such as 127.0.0.1:%s, "+
			"since nobody is asked who they are; an address for others comes with tokens, in a later version", address, port)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--listen: %s cannot be opened: %w; use another port, or 0 for a free one", address, cause(err))
	}
	return listener, nil
}

// cause leaves out what net puts before the reason: the address is said already.
func cause(err error) error {
	var failed *net.OpError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// Server returns the server for a listener of [Listen].
func Server(c Config) *http.Server {
	s := &http.Server{
		Handler: handler(c), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	return s
}

func handler(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if problem := c.Readiness().problem(c.Now()); problem != "" {
			answer(w, http.StatusServiceUnavailable, "not ready: "+problem)
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", c.Metrics)
	return guarded(mux)
}

// guarded refuses requests for other hosts, and what a browser would make of answers.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if !loopbackHost(r.Host) {
			answer(w, http.StatusMisdirectedRequest, "this is a loopback address: ask for 127.0.0.1, [::1] or localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackHost reports whether the Host of a request names the loopback itself.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

// problem is why the daemon is not ready; empty when it is. A clock that was set back
// makes the last look one of the future, which is recent.
func (r Readiness) problem(now time.Time) string {
	switch {
	case r.Stopping:
		return "the daemon stops"
	case !r.Loaded:
		return "the workflow files are not loaded"
	case !r.Active:
		return "standing by: another daemon serves this data folder"
	case r.LastWake.IsZero():
		return "the scheduler has not begun"
	case now.Sub(r.LastWake) > staleAfter:
		return fmt.Sprintf("the scheduler stands still: it last looked %s ago, at %s",
			now.Sub(r.LastWake).Round(time.Second), r.LastWake.UTC().Format(time.RFC3339))
	}
	return ""
}
