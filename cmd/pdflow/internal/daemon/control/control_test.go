package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
)

const secret = "hunter2-hunter2"

// daemon is a fake daemon. It records its requests, and answers them.
type daemon struct {
	mu    sync.Mutex
	asked []string
	fails error
}

func (d *daemon) note(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, fmt.Sprintf(format, args...))
	return d.fails
}

var status = control.Status{
	PID: 42, Version: "1.2.3", StartedAt: time.Date(2026, 3, 29, 9, 0, 0, 0, time.UTC), Runs: []string{"01RUN"},
	Workflows: []control.WorkflowStatus{{
		Name: "nightly", File: "nightly.yaml", Problem: "nightly.yaml:3:1: unknown key",
		Schedules: []control.ScheduleStatus{{Schedule: "s1", Cron: "0 2 * * * (UTC)", Pause: &control.PauseStatus{Reason: "a move"}}},
	}},
}

func (d *daemon) Status(context.Context) (control.Status, error) { return status, d.note("status") }

func (d *daemon) Start(_ context.Context, r control.StartRequest) (string, error) {
	return "01NEW", d.note("start %s %v %s", r.Workflow, r.Inputs, r.Schedule)
}

func (d *daemon) Resume(_ context.Context, run string, r control.ResumeRequest) error {
	return d.note("resume %s %v", run, r)
}

func (d *daemon) PauseSchedule(_ context.Context, r control.PauseRequest) error {
	return d.note("pause %s %s %s %s", r.Workflow, r.Schedule, r.Reason, r.Until.Format(time.RFC3339))
}

func (d *daemon) ResumeSchedule(_ context.Context, n control.ScheduleName) error {
	return d.note("resume schedule %s %s", n.Workflow, n.Schedule)
}

// folder makes a data folder whose path is short enough for a socket on every system.
func folder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// serve answers on the socket of a folder until the test ends.
func serve(t *testing.T, folder string, d control.Daemon) *bytes.Buffer {
	t.Helper()
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	listener, err := control.Listen(folder, log)
	if err != nil {
		t.Fatal(err)
	}
	s := control.Server(control.ServerConfig{
		Daemon: d, Log: log, Redact: func(text string) string { return strings.ReplaceAll(text, secret, "***") },
	})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return &text
}

// TestEveryMethodArrives proves that each method of the client reaches the daemon.
func TestEveryMethodArrives(t *testing.T) {
	d, at := &daemon{}, folder(t)
	serve(t, at, d)
	c, ctx := control.New(at), t.Context()
	var got []any
	keep := func(value any, err error) {
		if err != nil {
			t.Error(err)
		}
		got = append(got, value)
	}
	s, err := c.Status(ctx)
	keep(s, err)
	run, err := c.Start(ctx, control.StartRequest{Workflow: "nightly", Inputs: map[string]any{"n": 1.5, "who": "Ann"}, Schedule: "s1"})
	keep(run, err)
	keep(nil, c.Resume(ctx, "01RUN/../x", control.ResumeRequest{Retry: true, Decisions: []control.Decision{{Call: 7, Decision: "done"}}}))
	keep(nil, c.PauseSchedule(ctx, control.PauseRequest{ScheduleName: control.ScheduleName{Workflow: "nightly", Schedule: "s1"}, Reason: "a move", Until: status.StartedAt}))
	keep(nil, c.ResumeSchedule(ctx, control.ScheduleName{Workflow: "nightly"}))
	want := []any{status, "01NEW", nil, nil, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	asked := []string{
		"status", "start nightly map[n:1.5 who:Ann] s1", "resume 01RUN/../x {true [{7 done}]}",
		"pause nightly s1 a move 2026-03-29T09:00:00Z", "resume schedule nightly ",
	}
	if diff := cmp.Diff(asked, d.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// TestErrorsTravel proves that the client returns the daemon's errors, without secrets.
func TestErrorsTravel(t *testing.T) {
	tests := map[string]struct {
		fails error
		want  control.Error
	}{
		"typed":   {&control.Error{Code: control.NotFound, Message: "there is no run 01X", Hint: "see `pdflow runs list`"}, control.Error{Code: control.NotFound, Message: "there is no run 01X", Hint: "see `pdflow runs list`"}},
		"wrapped": {fmt.Errorf("asked: %w", &control.Error{Code: control.Conflict, Message: "it has ended"}), control.Error{Code: control.Conflict, Message: "it has ended"}},
		"other":   {errors.New("disk I/O error"), control.Error{Code: control.Internal, Message: "disk I/O error", Hint: "the daemon's log says more"}},
		"secret":  {errors.New("the key " + secret + " is wrong"), control.Error{Code: control.Internal, Message: "the key *** is wrong", Hint: "the daemon's log says more"}},
		"late":    {context.DeadlineExceeded, control.Error{Code: control.TimedOut, Message: "the daemon did not finish within 30s", Hint: "check before you try again: the daemon may still do it"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			at := folder(t)
			log := serve(t, at, &daemon{fails: test.fails})
			_, err := control.New(at).Start(t.Context(), control.StartRequest{Workflow: "x", Inputs: map[string]any{"token": secret}})
			var got *control.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a *control.Error", err)
			}
			if diff := cmp.Diff(test.want, *got, cmpopts.IgnoreUnexported(control.Error{})); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error()+log.String(), secret) {
				t.Errorf("the secret came back: %v\n%s", err, log)
			}
		})
	}
}

// TestNoDaemon proves that ErrNoDaemon is returned if no daemon is running.
func TestNoDaemon(t *testing.T) {
	stale := folder(t)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(stale, control.SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false) // as if the daemon was killed
	listener.Close()
	tests := map[string]string{
		"no socket":      folder(t),
		"no folder":      filepath.Join(folder(t), "none"),
		"stale socket":   stale,
		"path too long":  filepath.Join(folder(t), strings.Repeat("x", 200)),
		"socket as file": folder(t),
	}
	if err := os.WriteFile(filepath.Join(tests["socket as file"], control.SocketName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, at := range tests {
		t.Run(name, func(t *testing.T) {
			err := control.New(at).Resume(t.Context(), "01RUN", control.ResumeRequest{})
			if !errors.Is(err, control.ErrNoDaemon) {
				t.Fatalf("got %v, want %v", err, control.ErrNoDaemon)
			}
			if !strings.Contains(err.Error(), at) {
				t.Errorf("got %q, want the folder %s in it", err, at)
			}
		})
	}
	for _, other := range []error{&control.Error{Code: control.NotFound}, errors.New("x"), nil} {
		if errors.Is(other, control.ErrNoDaemon) {
			t.Errorf("%v passes as %v", other, control.ErrNoDaemon)
		}
	}
}

// TestListen proves the mode of the socket, its replacement and its removal.
func TestListen(t *testing.T) {
	at, log := folder(t), slog.New(slog.DiscardHandler)
	name := filepath.Join(at, control.SocketName)
	first, err := control.Listen(at, log)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("got mode %v, want 0600", got)
	}
	// The holder of the lock replaces the socket: its daemon must be dead.
	second, err := control.Listen(at, log)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	accepted, err := second.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted.Close()
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the socket to be gone", err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("got %v, want no error for a socket that is gone", err)
	}
	if entries, err := os.ReadDir(at); err != nil || len(entries) > 0 {
		t.Errorf("got %v, %v, want an empty folder", entries, err)
	}
}

func TestListenRefuses(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	taken := folder(t)
	if err := os.WriteFile(filepath.Join(taken, control.SocketName), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ at, says string }{
		"a long path": {filepath.Join(folder(t), strings.Repeat("x", 200)), "choose a shorter --data-dir"},
		"a file":      {taken, "move it away"},
		"no folder":   {filepath.Join(folder(t), "none"), "cannot be made"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			listener, err := control.Listen(test.at, log)
			if err == nil {
				listener.Close()
				t.Fatal("got a listener, want an error")
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %q, want %q in it", err, test.says)
			}
		})
	}
	if text, err := os.ReadFile(filepath.Join(taken, control.SocketName)); err != nil || string(text) != "precious" {
		t.Errorf("got %q, %v, want the file as it was", text, err)
	}
}

// TestLongestPath proves that a socket works in the longest folder that Listen permits.
func TestLongestPath(t *testing.T) {
	base := folder(t)
	length := 0
	for n := 1; n < 120; n++ {
		at := filepath.Join(base, strings.Repeat("x", n))
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		listener, err := control.Listen(at, slog.New(slog.DiscardHandler))
		if err != nil {
			if want := "1 characters too long"; !strings.Contains(err.Error(), want) {
				t.Errorf("got %q, want %q in it: the first that is too long is so by one", err, want)
			}
			break
		}
		length = len(at)
		listener.Close()
	}
	if length < 80 {
		t.Errorf("got a longest folder of %d characters, want 80 at least", length)
	}
}

// TestBadRequests proves that malformed requests never reach the daemon.
func TestBadRequests(t *testing.T) {
	d, at := &daemon{}, folder(t)
	serve(t, at, d)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(at, control.SocketName))
	}}}
	tests := map[string]struct {
		method, path, body string
		status             int
		code               control.Code
	}{
		"no JSON":        {"POST", "/v1/runs", "{", 422, control.Invalid},
		"unknown field":  {"POST", "/v1/runs", `{"workflow":"x","secret":1}`, 422, control.Invalid},
		"two values":     {"POST", "/v1/runs", `{"workflow":"x"}{}`, 422, control.Invalid},
		"wrong type":     {"POST", "/v1/runs", `{"workflow":["x"]}`, 422, control.Invalid},
		"no workflow":    {"POST", "/v1/runs", `{}`, 422, control.Invalid},
		"large":          {"POST", "/v1/runs", `{"workflow":"` + strings.Repeat("x", 2<<20) + `"}`, 413, control.TooLarge},
		"unknown path":   {"GET", "/v1/secrets", "", 404, control.NotFound},
		"unknown method": {"DELETE", "/v1/status", "", 404, control.NotFound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(test.method, "http://pdflow"+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != test.status || !bytes.Contains(text, []byte(`"code":"`+string(test.code)+`"`)) {
				t.Errorf("got %d %s, want %d and the code %s", answer.StatusCode, text, test.status, test.code)
			}
		})
	}
	if len(d.asked) > 0 {
		t.Errorf("got %v asked, want nothing", d.asked)
	}
}

// TestAnotherPrograms proves the error if another program listens on the socket.
func TestAnotherPrograms(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP":     "hello\n",
		"other error": "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
		"no JSON":     "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops",
		"cut off":     "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			at := folder(t)
			listener, err := control.Listen(at, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				defer connection.Close()
				_, _ = connection.Read(make([]byte, 4096)) // the request
				_, _ = io.WriteString(connection, answer)
			}()
			_, err = control.New(at).Status(t.Context())
			var got *control.Error
			if !errors.As(err, &got) || got.Code != control.Unexpected {
				t.Errorf("got %v, want an error of code %s", err, control.Unexpected)
			}
		})
	}
}

func TestCancelledQuestion(t *testing.T) {
	at := folder(t)
	serve(t, at, &daemon{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := control.New(at).Resume(ctx, "x", control.ResumeRequest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
