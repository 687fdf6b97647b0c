package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
	"github.com/pdflow/pdflow/engine/clock"
)

// A lineWatch is a writer that closes a channel when a text is written.
type lineWatch struct {
	*servedWorld
	text string
	seen chan struct{}
}

// Write passes the text on.
func (l *lineWatch) Write(text []byte) (int, error) {
	n, err := l.servedWorld.Write(text)
	if l.text != "" && strings.Contains(string(text), l.text) {
		l.text = ""
		close(l.seen)
	}
	return n, err
}

// serving runs a daemon with the clock of the machine until stop is called.
func (w *servedWorld) serving() (d *Daemon, stop func()) {
	w.t.Helper()
	watch := &lineWatch{w, "msg=serving", make(chan struct{})}
	d, gone := w.daemonWith(Options{MaxRuns: 50}, clock.System{}, logger(watch, "text"))
	d.alerting.sender = &eventSender{w.client}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	select {
	case <-watch.seen:
	case err := <-ended:
		w.t.Fatal(err, w.log)
	}
	return d, func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
		gone()
	}
}

// pdflow runs a command line in this process and writes both streams to one writer.
// TestMain sets it, because the package of the commands imports this one.
var pdflow func(to io.Writer, args ...string) int

// SetCommandLine sets how the tests run a command line.
func SetCommandLine(run func(to io.Writer, args ...string) int) { pdflow = run }

// ask runs a command against the data folder of the daemon.
func (w *servedWorld) ask(code int, args ...string) string {
	w.t.Helper()
	out := &bytes.Buffer{}
	if got := pdflow(out, append(args, "--data-dir", w.data)...); got != code {
		w.t.Errorf("pdflow %s: got exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	return out.String()
}

const askedWorkflow = `name: probe
inputs: {port: {type: integer, default: 1}}
schedule: {id: yearly, cron: "0 0 1 1 *", inputs: {port: 2}}
steps:
  - id: fail
    if: inputs.port == 13
    lua: |
      error("bad luck")
outputs: {port: "${{ inputs.port }}"}
`

// oddWorkflow makes a call that must not be repeated and is never answered.
const oddWorkflow = `name: odd
permissions: {http: ["http://HOST"]}
steps:
  - id: order
    uses: http.request
    with: {method: POST, url: "http://HOST/order"}
`

// TestCommandsUseTheDaemon: commands send requests to the daemon of their data folder, and the daemon opens
// and resolves incidents about its runs.
func TestCommandsUseTheDaemon(t *testing.T) {
	w := newServedWorld(t, 0, clock.System{}.Now())
	if err := os.WriteFile(filepath.Join(w.folder, "probe.yaml"), []byte(askedWorkflow), 0o600); err != nil {
		t.Fatal(err)
	}
	odd := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer odd.Close()
	if err := os.WriteFile(filepath.Join(w.folder, "odd.yaml"), []byte(strings.ReplaceAll(oddWorkflow, "HOST", strings.TrimPrefix(odd.URL, "http://"))), 0o600); err != nil {
		t.Fatal(err)
	}
	d, stop := w.serving()
	has := func(got string, want ...string) {
		t.Helper()
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("got\n%s\nwant %q in it", got, text)
			}
		}
	}
	has(w.ask(0, "schedule", "list"), "probe     yearly    0 0 1 1 * UTC")
	has(w.ask(0, "schedule", "pause", "probe", "--reason", "release", "--until", "2h"), "probe is paused until 2")
	has(w.ask(0, "schedule", "list"), "paused until", ": release")
	has(w.ask(0, "schedule", "resume", "probe", "--schedule", "yearly"), "probe yearly is not paused any more")
	has(w.ask(2, "schedule", "pause", "prob"), "the daemon serves no such schedule")
	has(w.ask(2, "schedule", "run-now", "prob"), `no workflow "prob"`, `did you mean "probe"?`)
	has(w.ask(2, "schedule", "run-now", "probe", "-i", "port=x"), `the input port: "x" is not a number`)
	has(w.ask(2, "schedule", "run-now", "probe", "-i", "prot=3"), `prot`, `did you mean "port"?`)

	w.ends(d, "port = 5", "schedule", "run-now", "probe", "-i", "port=5")
	w.ends(d, "port = 2", "schedule", "run-now", "probe", "--schedule", "yearly")
	w.ends(d, "bad luck", "schedule", "run-now", "probe", "-i", "port=13")
	w.alerted("pdflow:probe:run_failed", account.Triggered)
	w.ends(d, "port = 1", "schedule", "run-now", "probe")
	w.alerted("pdflow:probe:run_failed", account.Resolved)
	has(w.ask(2, "runs", "resume", "last"), "the daemon refuses")
	w.ends(d, "needs_attention", "schedule", "run-now", "odd")
	w.alerted("pdflow:odd:needs_attention", account.Triggered)
	show := w.ask(0, "runs", "show", "last")
	number := regexp.MustCompile(`#(\d+) http`).FindStringSubmatch(show)
	if number == nil {
		t.Fatal(show)
	}
	has(w.ask(2, "runs", "retry", "last", "--call", "9999=done"), "the daemon refuses")
	var refused *control.Error
	err := control.New(w.data).Resume(t.Context(), "last", control.ResumeRequest{Retry: true, Decisions: []control.Decision{{Call: 7, Decision: "maybe"}}})
	if !errors.As(err, &refused) || refused.Code != control.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
	has(w.ask(0, "runs", "retry", "last", "--call", number[1]+"=done"), "the daemon works on the run", "odd", "success")
	w.alerted("pdflow:odd:needs_attention", account.Resolved)
	stop()
	has(w.ask(2, "schedule", "list"), "no daemon serves")
	has(w.ask(2, "schedule", "pause", "prob"), `did you mean "probe"?`)
	if text := w.log.String(); strings.Contains(text, "the run cannot be resumed") {
		t.Errorf("a refused request was reported as a stuck run:\n%s", text)
	}
	if text := w.log.String(); strings.Contains(text, daemonServiceKey) {
		t.Error("the key is in the log")
	}
}

// ends starts a run in the daemon and waits until it ends.
func (w *servedWorld) ends(d *Daemon, want string, args ...string) {
	w.t.Helper()
	run := strings.TrimSpace(w.ask(0, args...))
	d.runs.running.Wait()
	if got := w.ask(0, "runs", "show", run); !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " ")) {
		w.t.Errorf("got\n%s\nwant %q in it", got, want)
	}
}

// alerted waits until an alert has a status.
func (w *servedWorld) alerted(key string, want account.Status) {
	w.t.Helper()
	got := account.Status("unknown")
	for range 500 {
		w.account.Settle()
		for _, i := range w.account.Incidents() {
			if i.Key == key {
				got = i.Status
			}
		}
		if got == want {
			return
		}
		_ = clock.System{}.Sleep(context.Background(), 10e6)
	}
	w.t.Errorf("the alert %s is %s, want %s", key, got, want)
}

// TestProbesAnswerWhileDraining: a daemon that was asked to stop answers probes and commands until its
// runs have ended, and then has no socket and no lock.
func TestProbesAnswerWhileDraining(t *testing.T) {
	w := newServedWorld(t, 0, clock.System{}.Now())
	called, answer := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(called)
		<-answer
	}))
	defer slow.Close()
	source := "schedule: \"0 0 1 1 *\"\n" + strings.ReplaceAll(oddWorkflow, "HOST", strings.TrimPrefix(slow.URL, "http://"))
	if err := os.WriteFile(filepath.Join(w.folder, "odd.yaml"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	watch := &lineWatch{w, "msg=serving", make(chan struct{})}
	d, gone := w.daemonWith(Options{MaxRuns: 1, Drain: time.Minute}, clock.System{}, logger(watch, "text"))
	defer gone()
	var err error
	if d.listener, err = health.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-watch.seen
	w.ask(0, "schedule", "run-now", "odd")
	<-called
	stop()
	<-d.stopping
	probe, err := http.Get("http://" + d.listener.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Body.Close()
	if text, _ := io.ReadAll(probe.Body); probe.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "the daemon is stopping") {
		t.Errorf("got %d %s, want 503 and that the daemon is stopping", probe.StatusCode, text)
	}
	w.ask(0, "schedule", "list")
	close(answer)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := w.ask(2, "schedule", "list"); !strings.Contains(got, "no daemon serves") {
		t.Errorf("got %s, want that no daemon serves", got)
	}
	lock, err := d.takeLock(context.Background())
	if err != nil || lock == nil {
		t.Fatalf("got %v, %v, want the lock to be free", lock, err)
	}
	_ = lock.Close()
}
