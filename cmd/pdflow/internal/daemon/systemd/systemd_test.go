package systemd_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/systemd"
	"github.com/pdflow/pdflow/engine/clock"
)

// listen makes a socket in place of systemd's. A datagram is in the socket before the
// sender returns, and stays there until it is read.
func listen(t *testing.T) *net.UnixConn {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no systemd")
	}
	folder, err := os.MkdirTemp("", "sd") // t.TempDir is too long for a socket on some systems
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	name := filepath.Join(folder, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return socket
}

func next(t *testing.T, socket *net.UnixConn) string {
	t.Helper()
	buffer := make([]byte, 4096)
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := socket.Read(buffer)
	if err != nil {
		t.Fatalf("nothing arrived: %v", err)
	}
	return string(buffer[:n])
}

func logger() (*slog.Logger, *bytes.Buffer) {
	var text bytes.Buffer
	return slog.New(slog.NewTextHandler(&text, nil)), &text
}

func TestMessages(t *testing.T) {
	socket := listen(t)
	log, text := logger()
	n := systemd.New(log)
	tests := map[string]struct {
		send func()
		want string // a pattern
	}{
		"ready":     {func() { n.Ready("serving 12 workflows") }, `READY=1\nSTATUS=serving 12 workflows`},
		"reloading": {n.Reloading, `RELOADING=1\nMONOTONIC_USEC=[0-9]+`},
		"stopping":  {func() { n.Stopping("3 runs end") }, `STOPPING=1\nSTATUS=3 runs end`},
		"status":    {func() { n.Status("standing by") }, `STATUS=standing by`},
		// A line end in a name must not start another message.
		"two lines": {func() { n.Status("standing by\nREADY=1") }, `STATUS=standing by READY=1`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.send()
			if got := next(t, socket); !regexp.MustCompile("^(" + test.want + ")$").MatchString(got) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if text.Len() > 0 {
		t.Errorf("got log %q, want none", text)
	}
}

func TestWithoutSystemdNothingHappens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	log, text := logger()
	n := systemd.New(log)
	n.Ready("x")
	n.Watch(t.Context(), clock.System{}, func() bool { t.Error("asked without a watchdog"); return true })
	if text.Len() > 0 {
		t.Errorf("got log %q, want none", text)
	}
}

func TestFailedMessagesAreLoggedOnce(t *testing.T) {
	socket := listen(t)
	socket.Close()
	log, text := logger()
	n := systemd.New(log)
	n.Status("one")
	n.Status("two")
	if got := strings.Count(text.String(), "cannot be sent"); got != 1 {
		t.Errorf("got %d lines, want 1:\n%s", got, text)
	}
}

// stepClock is a clock whose sleeps take no time. It cancels the context after some.
type stepClock struct {
	clock.System
	slept []time.Duration
	end   func()
	most  int
}

func (c *stepClock) Sleep(ctx context.Context, d time.Duration) error {
	if c.slept = append(c.slept, d); len(c.slept) == c.most {
		c.end()
	}
	return ctx.Err()
}

func TestWatchdog(t *testing.T) {
	socket := listen(t)
	t.Setenv("WATCHDOG_USEC", "20000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	log, text := logger()
	ctx, cancel := context.WithCancel(t.Context())
	clock := &stepClock{most: 5, end: cancel}
	lives := []bool{true, true, false, false, true}
	n := systemd.New(log)
	n.Watch(ctx, clock, func() bool { return lives[len(clock.slept)] })
	n.Status("the end")
	var got []string
	for message := ""; message != "STATUS=the end"; got = append(got, message) {
		message = next(t, socket)
	}
	if diff := cmp.Diff([]string{"WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STATUS=the end"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	for _, d := range clock.slept {
		if d != 10*time.Second {
			t.Errorf("got %v between messages, want half of 20s", d)
		}
	}
	if got := strings.Count(text.String(), "does not run"); got != 1 {
		t.Errorf("got %d lines, want 1:\n%s", got, text)
	}
}

func TestWatchdogOfAnotherProcess(t *testing.T) {
	listen(t)
	t.Setenv("WATCHDOG_USEC", "20000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()+1))
	log, text := logger()
	systemd.New(log).Watch(t.Context(), clock.System{}, func() bool { t.Error("asked for another process"); return true })
	if text.Len() > 0 {
		t.Errorf("got log %q, want none", text)
	}
}
