// Package health serves /healthz, /readyz and /metrics of the daemon to monitoring
// systems, on a loopback address only.
//
//   - [Listen] opens the address. It refuses an address that other machines can reach.
//   - [Server] returns the HTTP server. [Config] has the sources of its answers.
//   - [Readiness] decides the answer of /readyz: whether the files are loaded, whether
//     this daemon holds the scheduler's lock, and when the scheduler last looked at what
//     is due.
//
// There is no login, so web pages must not reach the server through a browser. The server
// refuses a request whose Host is not a loopback name (DNS rebinding). No answer permits
// other origins to read it, and no request changes anything.
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
	// staleAfter is how long ago the scheduler may have looked: three times its longest
	// rest.
	staleAfter = 90 * time.Second

	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// Readiness is the state of the daemon that /readyz reports.
type Readiness struct {
	Loaded   bool      // the workflow files were read
	Active   bool      // the daemon holds the scheduler's lock; else it is on standby
	Stopping bool      // the daemon is stopping
	LastWake time.Time // when the scheduler last looked at what is due; zero: not yet
}

// Config is the configuration of [Server]. All fields are required.
type Config struct {
	Readiness func() Readiness
	Now       func() time.Time // the daemon's clock
	Metrics   http.Handler
	Log       *slog.Logger // for errors of clients
}

// Listen opens a loopback address such as 127.0.0.1:9300, [::1]:9300 or localhost:9300.
// Port 0 means a free port.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %q is not an address: write host and port, such as 127.0.0.1:9300", address)
	}
	if host == "localhost" {
		host = "127.0.0.1" // a resolver could return another address
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--listen: other machines can reach %s: use a loopback address such as 127.0.0.1:%s, "+
			"because there is no login", address, port)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--listen: %s cannot be opened: %w; use another port, or 0 for a free port", address, cause(err))
	}
	return listener, nil
}

// cause returns the reason without the address, which the message has already.
func cause(err error) error {
	var failed *net.OpError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// Server returns the server for a listener of [Listen].
func Server(c Config) *http.Server {
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
	return &http.Server{
		Handler: guarded(mux), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
}

// guarded refuses requests for other hosts. It forbids browsers to guess the type of an
// answer, and to store it.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if !loopbackHost(r.Host) {
			answer(w, http.StatusMisdirectedRequest, "this is a loopback address: use 127.0.0.1, [::1] or localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackHost reports whether the Host of a request is a loopback address or localhost.
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

// problem returns why the daemon is not ready, or an empty text. After the clock was set
// back the last look is in the future, which counts as recent.
func (r Readiness) problem(now time.Time) string {
	switch {
	case r.Stopping:
		return "the daemon is stopping"
	case !r.Loaded:
		return "the workflow files are not loaded"
	case !r.Active:
		return "on standby: another daemon serves this data folder"
	case r.LastWake.IsZero():
		return "the scheduler has not started"
	case now.Sub(r.LastWake) > staleAfter:
		return fmt.Sprintf("the scheduler does not run: it last looked %s ago, at %s",
			now.Sub(r.LastWake).Round(time.Second), r.LastWake.UTC().Format(time.RFC3339))
	}
	return ""
}
