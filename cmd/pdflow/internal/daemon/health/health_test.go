package health_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
)

var now = time.Date(2026, 3, 29, 9, 0, 0, 0, time.UTC)

// healthy is the state of a daemon that is ready.
var healthy = health.Readiness{Loaded: true, Active: true, LastWake: now.Add(-time.Second)}

func server(r health.Readiness) *http.Server {
	return health.Server(health.Config{
		Readiness: func() health.Readiness { return r }, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pdflow_runs 1\n") }),
	})
}

// ask makes a request without a network.
func ask(r health.Readiness, method, path, host string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	request.Host = host
	w := httptest.NewRecorder()
	server(r).Handler.ServeHTTP(w, request)
	return w
}

func TestReady(t *testing.T) {
	tests := map[string]struct {
		change func(*health.Readiness)
		code   int
		body   string
	}{
		"ready":       {func(*health.Readiness) {}, 200, "ready\n"},
		"not loaded":  {func(r *health.Readiness) { r.Loaded = false }, 503, "not ready: the workflow files are not loaded\n"},
		"standby":     {func(r *health.Readiness) { r.Active = false }, 503, "not ready: on standby: another daemon serves this data folder\n"},
		"not begun":   {func(r *health.Readiness) { r.LastWake = time.Time{} }, 503, "not ready: the scheduler has not started\n"},
		"stopping":    {func(r *health.Readiness) { r.Stopping = true }, 503, "not ready: the daemon is stopping\n"},
		"just fresh":  {func(r *health.Readiness) { r.LastWake = now.Add(-90 * time.Second) }, 200, "ready\n"},
		"stale":       {func(r *health.Readiness) { r.LastWake = now.Add(-91 * time.Second) }, 503, "not ready: the scheduler does not run: it last looked 1m31s ago, at 2026-03-29T08:58:29Z\n"},
		"a set clock": {func(r *health.Readiness) { r.LastWake = now.Add(time.Hour) }, 200, "ready\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy
			test.change(&r)
			w := ask(r, "GET", "/readyz", "127.0.0.1:9300")
			if diff := cmp.Diff(fmt.Sprint(test.code, " ", test.body), fmt.Sprint(w.Code, " ", w.Body)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			// /healthz answers 200 whatever the scheduler does.
			if w := ask(r, "GET", "/healthz", "127.0.0.1:9300"); w.Code != 200 {
				t.Errorf("/healthz: got %d, want 200", w.Code)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	tests := []struct {
		method, path, host string
		code               int
	}{
		{"GET", "/metrics", "localhost:9300", 200},
		{"HEAD", "/healthz", "LOCALHOST", 200},
		{"GET", "/healthz", "[::1]:9300", 200},
		{"GET", "/healthz", "[::1]", 200},
		{"GET", "/healthz", "127.8.9.1", 200},
		{"POST", "/healthz", "localhost", 405},
		{"DELETE", "/metrics", "localhost", 405},
		{"GET", "/", "localhost", 404},
		{"GET", "/metrics/", "localhost", 404},
		{"GET", "/metrics", "rebound.example.com:9300", 421},
		{"GET", "/metrics", "localhost.example.com", 421},
		{"GET", "/metrics", "127.0.0.1.example.com", 421},
		{"GET", "/metrics", "192.0.2.1:9300", 421},
		{"GET", "/metrics", "", 421},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path+" "+test.host, func(t *testing.T) {
			w := ask(healthy, test.method, test.path, test.host)
			if w.Code != test.code {
				t.Errorf("got %d, want %d", w.Code, test.code)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("got header %s, want no permission for other origins", name)
				}
			}
		})
	}
}

func TestListenRefuses(t *testing.T) {
	tests := map[string]string{
		"0.0.0.0:9300":          "use a loopback address such as 127.0.0.1:9300",
		"[::]:9300":             "use a loopback address",
		":9300":                 "use a loopback address",
		"192.0.2.1:9300":        "use a loopback address",
		"pdflow.example.com:80": "use a loopback address",
		"9300":                  "is not an address",
		"":                      "is not an address",
	}
	for address, want := range tests {
		t.Run(address, func(t *testing.T) {
			listener, err := health.Listen(address)
			if err == nil {
				listener.Close()
				t.Fatalf("got a listener, want an error")
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %q, want %q in it", err, want)
			}
		})
	}
}

func TestListenOnAPortThatIsTaken(t *testing.T) {
	first, err := health.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := health.Listen(first.Addr().String())
	if err == nil {
		second.Close()
		t.Fatal("got a second listener, want an error")
	}
	if want := "cannot be opened"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want %q in it", err, want)
	}
}

// TestOverTheNetwork uses a real listener, with the Host of a monitoring system and with
// the Host of a browser after DNS rebinding.
func TestOverTheNetwork(t *testing.T) {
	listener, err := health.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	s := server(healthy)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	for host, want := range map[string]string{"localhost": "HTTP/1.1 200 OK", "evil.example.com": "HTTP/1.1 421 Misdirected Request"} {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(connection, "GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
		got, err := bufio.NewReader(connection).ReadString('\r')
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("host %s: got %q, want %q", host, got, want)
		}
		connection.Close()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("got %v, want %v", err, http.ErrServerClosed)
	}
}

func TestTimeoutsAreSet(t *testing.T) {
	s := server(healthy)
	for name, d := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if d <= 0 || d > time.Minute {
			t.Errorf("%s: got %v, want a limit of at most a minute", name, d)
		}
	}
}
