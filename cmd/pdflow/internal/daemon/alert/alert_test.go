package alert_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// service is a fake PagerDuty. It stores the open incidents, and may refuse events.
type service struct {
	mu     sync.Mutex
	epoch  time.Time
	open   map[string]string // summaries by key
	size   int               // bytes of the texts of the largest event
	events []string          // the events that arrived, with their times
	// refuse returns the error for an event. Nil accepts every event.
	refuse func(context.Context, string) error
}

func (s *service) event(ctx context.Context, verb, key string) error {
	s.mu.Lock()
	refuse := s.refuse
	s.events = append(s.events, fmt.Sprintf("%s %s %s", time.Since(s.epoch), verb, key))
	s.mu.Unlock()
	if refuse == nil {
		return nil
	}
	return refuse(ctx, verb+" "+key)
}

func (s *service) Trigger(ctx context.Context, key, summary string, details map[string]string) error {
	err := s.event(ctx, "trigger", key)
	size := len(key) + len(summary)
	for name, text := range details {
		size += len(name) + len(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = max(s.size, size)
	if err == nil {
		s.open[key] = summary + " | look: " + details["look"]
	}
	return err
}

func (s *service) Resolve(ctx context.Context, key string) error {
	err := s.event(ctx, "resolve", key)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, key)
	}
	return err
}

func (s *service) answer(refuse func(context.Context, string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

var errDown = errors.New("PagerDuty answered 503")

func down(context.Context, string) error { return errDown }

// daemon is Alerts on a virtual clock.
type daemon struct {
	*alert.Alerts
	*service
	t    *testing.T
	log  bytes.Buffer
	stop func()
}

// start runs alerts that are stored in a file. A second daemon may use the same file.
func start(t *testing.T, s *service, file string) *daemon {
	t.Helper()
	d := prepare(t, s, file)
	d.begin()
	return d
}

// prepare makes alerts without running them.
func prepare(t *testing.T, s *service, file string) *daemon {
	t.Helper()
	d := &daemon{t: t, service: s}
	var err error
	d.Alerts, err = alert.New(alert.Config{
		Sender: s, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&d.log, nil)), File: file,
		Command: func(run string) string { return "pdflow runs show " + run },
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *daemon) begin() {
	ctx, cancel := context.WithCancel(d.t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Run(ctx) }()
	d.stop = func() { cancel(); <-ended }
	d.t.Cleanup(d.stop)
}

// pass lets time pass, and waits until nothing happens any more.
func (d *daemon) pass(length time.Duration) {
	time.Sleep(length)
	synctest.Wait()
}

// got compares the events that arrived since the last call with the expected ones.
func (d *daemon) got(want ...string) {
	d.t.Helper()
	d.pass(0)
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.events); diff != "" {
		d.t.Errorf("events (-want +got):\n%s", diff)
	}
	d.events = nil
}

// inBubble runs a test with a daemon on a virtual clock.
func inBubble(t *testing.T, test func(*daemon, string)) {
	file := filepath.Join(t.TempDir(), "alerts.json")
	synctest.Test(t, func(t *testing.T) {
		s := &service{epoch: time.Now(), open: map[string]string{}}
		test(start(t, s, file), file)
	})
}

var plan = &workflow.Plan{Steps: []workflow.PlanStep{{ID: "check"}, {ID: "tell", Part: workflow.OnFailure}, {ID: "tidy", Part: workflow.Finally}}}

func result(status run.Status, steps ...run.StepResult) *run.Result {
	r := &run.Result{Run: "01RUN", Workflow: "nightly", Status: status, Steps: steps}
	if status != run.Success {
		r.Error = &run.Failure{Kind: action.Unavailable, Step: "check", Message: "PagerDuty answered 503"}
	}
	return r
}

func TestFailureTriggersAndSuccessResolves(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.Ended(plan, result(run.Failed))
		d.got("0s trigger pdflow:nightly:run_failed")
		want := map[string]string{"pdflow:nightly:run_failed": `pdflow: nightly failed, step "check": unavailable: PagerDuty answered 503 | look: pdflow runs show 01RUN`}
		if diff := cmp.Diff(want, d.open); diff != "" {
			t.Errorf("open (-want +got):\n%s", diff)
		}
		d.pass(time.Hour)
		d.got() // an accepted event is not sent again
		d.Ended(plan, result(run.Failed))
		d.got("1h0m0s trigger pdflow:nightly:run_failed") // a person may have resolved the incident
		d.Ended(plan, result(run.Success))
		d.got("1h0m0s resolve pdflow:nightly:run_failed")
		d.Ended(plan, result(run.Success))
		d.got()
	})
}

func TestWhatTriggers(t *testing.T) {
	suspended := result(run.Status(""))
	suspended.Suspended = true
	said := run.StepResult{ID: "tell", Status: run.Success}
	occurrence := func(reason string) func(*daemon) {
		return func(d *daemon) {
			d.Missed(alert.Occurrence{Workflow: "nightly", Schedule: "s1", Run: "01MISSED", At: time.Date(2026, 3, 29, 2, 0, 0, 0, time.UTC), Reason: reason})
		}
	}
	ended := func(r *run.Result) func(*daemon) { return func(d *daemon) { d.Ended(plan, r) } }
	tests := map[string]struct {
		happens func(*daemon)
		cause   alert.Cause // empty: nothing is sent
	}{
		"failure":                   {ended(result(run.Failed)), alert.RunFailed},
		"time-out":                  {ended(result(run.TimedOut)), alert.RunFailed},
		"success":                   {ended(result(run.Success)), ""},
		"cancelled":                 {ended(result(run.Cancelled)), ""},
		"skipped":                   {ended(result(run.Skipped)), ""},
		"needs attention":           {ended(result(run.NeedsAttention)), alert.NeedsAttention},
		"needs attention, handled":  {ended(result(run.NeedsAttention, said)), alert.NeedsAttention},
		"suspended":                 {ended(suspended), alert.NeedsAttention},
		"handled":                   {ended(result(run.Failed, run.StepResult{ID: "check", Status: run.Failed}, said)), ""},
		"time-out, handled":         {ended(result(run.TimedOut, said)), ""},
		"on_failure failed":         {ended(result(run.Failed, run.StepResult{ID: "tell", Status: run.Failed})), alert.RunFailed},
		"on_failure did not happen": {ended(result(run.Failed, run.StepResult{ID: "tell", Status: run.Skipped})), alert.RunFailed},
		"on_failure never began":    {ended(result(run.Failed, run.StepResult{ID: "tell"})), alert.RunFailed},
		"finally is no handling":    {ended(result(run.Failed, run.StepResult{ID: "tidy", Status: run.Success})), alert.RunFailed},
		"down":                      {occurrence("down"), alert.Missed},
		"window":                    {occurrence("window: 12 occurrences"), alert.Missed},
		"queue full":                {occurrence("queue_full"), alert.Missed},
		"cannot run":                {occurrence("cannot_run: a secret is missing"), alert.Missed},
		"overlap":                   {occurrence("overlap"), ""},
		"paused":                    {occurrence("paused"), ""},
		"broken":                    {func(d *daemon) { d.Broken("nightly", "nightly.yaml", "nightly.yaml:3:1: unknown key") }, alert.BrokenFile},
		"mended without an alert":   {func(d *daemon) { d.Mended("nightly.yaml") }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(d *daemon, _ string) {
				test.happens(d)
				if test.cause == "" {
					d.got()
					return
				}
				key := alert.Key("nightly", test.cause)
				if test.cause == alert.BrokenFile {
					key = alert.FileKey("nightly", "nightly.yaml")
				}
				d.got("0s trigger " + key)
				d.Mended("nightly.yaml")
				d.Ended(plan, result(run.Success))
				d.got("0s resolve " + key)
			})
		})
	}
}

func TestSuccessDoesNotResolveABrokenFile(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.Broken("nightly", "nightly.yaml", "nightly.yaml:3:1: unknown key")
		d.got("0s trigger " + alert.FileKey("nightly", "nightly.yaml"))
		d.Ended(plan, result(run.Success))
		d.got()
		d.Mended("nightly.yaml")
		d.got("0s resolve " + alert.FileKey("nightly", "nightly.yaml"))
	})
}

// TestMendedFileMayHaveAnotherName proves that a mended file resolves the alerts about this
// file, whatever its workflow is called. The broken files have the names of their files,
// because no version of them was read. Another file with a workflow of that name resolves
// nothing.
func TestMendedFileMayHaveAnotherName(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.Broken("onboard", "a/onboard.yaml", "a/onboard.yaml:3:1: unknown key")
		d.Broken("third", "a/third.yaml", "a/third.yaml:3:1: unknown key")
		d.got("0s trigger "+alert.FileKey("onboard", "a/onboard.yaml"), "0s trigger "+alert.FileKey("third", "a/third.yaml"))
		d.Mended("b/onboard.yaml")
		d.got()
		d.Mended("a/onboard.yaml")
		d.got("0s resolve " + alert.FileKey("onboard", "a/onboard.yaml"))
		d.Ended(plan, result(run.Failed))
		d.got("0s trigger pdflow:nightly:run_failed")
		d.stop()

		next := start(d.t, d.service, file)
		next.OnlyBroken([]string{"a/third.yaml"})
		next.got()
		next.OnlyBroken(nil)
		next.got("0s resolve " + alert.FileKey("third", "a/third.yaml"))
		if diff := cmp.Diff([]string{"pdflow:nightly:run_failed"}, next.Open()); diff != "" {
			t.Errorf("open (-want +got):\n%s", diff)
		}
	})
}

// TestT6TwoBrokenFiles: two broken files of one name are two incidents. Each is resolved when
// its own file loads again.
func TestT6TwoBrokenFiles(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.Broken("x", "a/x.yaml", "a/x.yaml:3:1: unknown key")
		d.Broken("x", "b/x.yaml", "b/x.yaml:3:1: unknown key")
		d.got("0s trigger "+alert.FileKey("x", "a/x.yaml"), "0s trigger "+alert.FileKey("x", "b/x.yaml"))
		d.Mended("b/x.yaml")
		d.got("0s resolve " + alert.FileKey("x", "b/x.yaml"))
		d.Broken("x", "a/x.yaml", "a/x.yaml:4:1: unknown key")
		d.got("0s trigger " + alert.FileKey("x", "a/x.yaml"))
		d.Broken("longer", "./a/../a/x.yaml", "x.yaml:4:1: unknown key") // the same file: the name of its workflow was read
		d.got("0s trigger " + alert.FileKey("x", "a/x.yaml"))
		d.stop()

		next := start(d.t, d.service, file)
		next.OnlyBroken([]string{"a/x.yaml", "c/x.yaml"})
		next.Broken("x", "a/x.yaml", "a/x.yaml:4:1: unknown key")
		next.got("0s trigger " + alert.FileKey("x", "a/x.yaml"))
		next.OnlyBroken(nil)
		next.got("0s resolve " + alert.FileKey("x", "a/x.yaml"))
	})
}

// TestT6OlderKey: an open alert of a daemon whose keys had no path is sent again and resolved
// under its own key, so the file does not have two incidents.
func TestT6OlderKey(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.stop()
		const older = `{"version": 1, "alerts": [{"key": "pdflow:x:broken_file", "wish": "triggered", "accepted": true,
			"details": {"cause": "broken_file", "workflow": "x", "file": "a/x.yaml"}}]}`
		if err := os.WriteFile(file, []byte(older), 0o600); err != nil {
			t.Fatal(err)
		}
		next := start(d.t, d.service, file)
		next.OnlyBroken([]string{"a/x.yaml", "b/x.yaml"})
		next.Broken("x", "a/x.yaml", "a/x.yaml:3:1: unknown key")
		next.Broken("x", "b/x.yaml", "b/x.yaml:3:1: unknown key")
		next.got("0s trigger pdflow:x:broken_file", "0s trigger "+alert.FileKey("x", "b/x.yaml"))
		next.Mended("a/x.yaml")
		next.got("0s resolve pdflow:x:broken_file")
		next.Broken("x", "a/x.yaml", "a/x.yaml:3:1: unknown key")
		next.got("0s trigger " + alert.FileKey("x", "a/x.yaml"))
	})
}

func TestKeysAreBounded(t *testing.T) {
	long := strings.Repeat("ü", 400)
	tests := map[string]string{
		"nightly":    "pdflow:nightly:run_failed",
		long[:2*237]: "pdflow:" + long[:2*237] + ":run_failed", // 255 characters
	}
	for name, want := range tests {
		if got := alert.Key(name, alert.RunFailed); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	one, other := alert.Key(long, alert.RunFailed), alert.Key(long+"x", alert.RunFailed)
	if got := utf8.RuneCountInString(one); got > 255 {
		t.Errorf("got a key of %d characters, PagerDuty takes 255", got)
	}
	if one == other {
		t.Errorf("got one key for two workflows: %s", one)
	}
	deep := "/" + strings.Repeat("deep/", 100)
	one, other = alert.FileKey("x", deep+"a.yaml"), alert.FileKey("x", deep+"b.yaml")
	if utf8.RuneCountInString(one) != 255 || one == other {
		t.Errorf("got the keys %s and %s for two files, want two of 255 characters", one, other)
	}
}

func TestRefusalsAreTriedAgainWithBackOff(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.answer(down)
		d.Ended(plan, result(run.Failed))
		d.pass(20 * time.Second)
		d.got("0s trigger pdflow:nightly:run_failed", "1s trigger pdflow:nightly:run_failed", "3s trigger pdflow:nightly:run_failed",
			"7s trigger pdflow:nightly:run_failed", "15s trigger pdflow:nightly:run_failed")
		d.pass(24 * time.Hour)
		d.mu.Lock()
		attempts := len(d.events)
		d.mu.Unlock()
		if least := 24 * 60 / 5; attempts < least || attempts > least+10 {
			t.Errorf("got %d attempts in a day, want one in 5 minutes", attempts)
		}
		d.answer(nil)
		d.pass(5 * time.Minute)
		if got := len(d.open); got != 1 {
			t.Errorf("got %d open, want the one alert that was kept", got)
		}
		for _, want := range []string{"did not accept an alert", "has now accepted the alert"} {
			if got := strings.Count(d.log.String(), want); got != 1 {
				t.Errorf("got %d lines with %q, want 1:\n%s", got, want, &d.log)
			}
		}
	})
}

func TestARefusedAlertDoesNotDelayOthers(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.answer(func(_ context.Context, event string) error {
			if strings.Contains(event, ":nightly:") {
				return errDown
			}
			return nil
		})
		d.Ended(plan, result(run.Failed))
		d.pass(100 * time.Millisecond)
		other := result(run.Failed)
		other.Workflow = "hourly"
		d.Ended(plan, other)
		d.pass(500 * time.Millisecond)
		d.got("0s trigger pdflow:nightly:run_failed", "100ms trigger pdflow:hourly:run_failed")
	})
}

func TestAnAlertThatWasNeverSentIsNotResolved(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		other := prepare(d.t, d.service, "")
		other.Ended(plan, result(run.Failed))
		other.Ended(plan, result(run.Success))
		other.begin()
		other.got()
	})
}

func TestNewestWishWins(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		// PagerDuty may know the alert although it was refused, so it is resolved.
		d.answer(down)
		d.Ended(plan, result(run.Failed))
		d.got("0s trigger pdflow:nightly:run_failed")
		d.Ended(plan, result(run.Success))
		d.answer(nil)
		d.pass(10 * time.Minute)
		if d.mu.Lock(); len(d.open) > 0 {
			t.Errorf("got open %v, want none", d.open)
		}
		d.mu.Unlock()
	})
}

func TestAWishDuringADeliveryIsNotLost(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		release := make(chan struct{})
		d.answer(func(_ context.Context, event string) error {
			if strings.HasPrefix(event, "trigger") {
				<-release
			}
			return nil
		})
		d.Ended(plan, result(run.Failed))
		d.pass(time.Second)
		d.Ended(plan, result(run.Success)) // while the trigger is being sent
		d.pass(time.Second)
		close(release)
		d.got("0s trigger pdflow:nightly:run_failed", "2s resolve pdflow:nightly:run_failed")
		if got := d.Open(); len(got) > 0 {
			t.Errorf("got open %v, want none", got)
		}
	})
}

func TestSendingTimesOut(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.answer(func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() })
		d.Ended(plan, result(run.Failed))
		d.pass(40 * time.Second)
		d.got("0s trigger pdflow:nightly:run_failed", "31s trigger pdflow:nightly:run_failed")
		if want := "no answer within 30s"; !strings.Contains(d.log.String(), want) {
			t.Errorf("got log %q, want %q in it", &d.log, want)
		}
	})
}

func TestRestartResolvesAlertsOfTheDaemonBefore(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.Ended(plan, result(run.Failed))
		d.got("0s trigger pdflow:nightly:run_failed")
		d.stop()
		next := start(d.t, d.service, file)
		if diff := cmp.Diff([]string{"pdflow:nightly:run_failed"}, next.Open()); diff != "" {
			t.Errorf("open (-want +got):\n%s", diff)
		}
		next.got() // it was accepted
		next.Ended(plan, result(run.Success))
		next.got("0s resolve pdflow:nightly:run_failed")
		next.stop()
		if third := start(d.t, d.service, file); len(third.Open()) > 0 {
			t.Errorf("got open %v, want none", third.Open())
		}
	})
}

func TestRestartSendsWhatWasNotAccepted(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.answer(down)
		d.Ended(plan, result(run.Failed))
		d.got("0s trigger pdflow:nightly:run_failed")
		d.stop()
		d.answer(nil)
		start(d.t, d.service, file).got("0s trigger pdflow:nightly:run_failed")
	})
}

// TestNothingIsSentBeforeItIsStored proves that an alert is in the file before PagerDuty
// receives it. So the next daemon can resolve it, whenever the daemon is killed.
func TestNothingIsSentBeforeItIsStored(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.answer(func(_ context.Context, event string) error {
			_, key, _ := strings.Cut(event, " ")
			text, err := os.ReadFile(file)
			if err != nil || !bytes.Contains(text, []byte(key)) {
				t.Errorf("%s was sent before the file had it (%v):\n%s", event, err, text)
			}
			return nil
		})
		for i := range 50 {
			r := result(run.Failed)
			r.Workflow = fmt.Sprintf("w%d", i)
			go d.Ended(plan, r)
		}
		d.pass(time.Second)
		if got := len(d.Open()); got != 50 {
			t.Errorf("got %d open, want 50", got)
		}
	})
}

func TestFullDiskDoesNotStopAlerts(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "alerts.json")
	synctest.Test(t, func(t *testing.T) {
		d := start(t, &service{epoch: time.Now(), open: map[string]string{}}, file)
		d.pass(0)
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		d.Ended(plan, result(run.Failed))
		d.got("0s trigger pdflow:nightly:run_failed")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		d.pass(2 * time.Second)
		if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte("pdflow:nightly:run_failed")) {
			t.Errorf("got %q, %v, want the alert in the file once it can be written", text, err)
		}
	})
}

func TestFileOfAnotherKindIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts.json")
	for _, text := range []string{"", "{", `{"version": 99}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := alert.New(alert.Config{
			Sender: &service{}, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), File: file, Command: func(string) string { return "" },
		})
		if err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%q: got %v, want an error that says what to do", text, err)
		}
	}
}

func TestOnlyTheOwnerCanReadTheFile(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.Ended(plan, result(run.Failed))
		d.pass(0)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got&0o077 != 0 {
			t.Errorf("got mode %v, want nothing for others", got)
		}
		entries, err := os.ReadDir(filepath.Dir(file))
		if err != nil || len(entries) != 1 {
			t.Errorf("got %v, %v, want alerts.json alone", entries, err)
		}
	})
}

func TestSummariesAreBounded(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		r := result(run.Failed)
		r.Error.Message = strings.Repeat("ü\n", 5000)
		d.Ended(plan, r)
		d.pass(0)
		summary, _, _ := strings.Cut(d.open["pdflow:nightly:run_failed"], " | look:")
		if got := len([]rune(summary)); got != 1000 {
			t.Errorf("got %d characters, want 1000", got)
		}
		if strings.Contains(summary, "\n") {
			t.Errorf("got a line end in %q", summary)
		}
	})
}

// TestA24LargeAlert: an alert about an error of megabytes is an event that PagerDuty accepts,
// also when an older daemon has stored it.
func TestA24LargeAlert(t *testing.T) {
	large := strings.Repeat("ü", 3<<20)
	check := func(d *daemon, events int) {
		t.Helper()
		d.pass(0)
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.events) != events || d.size > 200<<10 {
			t.Errorf("got %d events of at most %d bytes, want %d of at most 200 KB", len(d.events), d.size, events)
		}
	}
	inBubble(t, func(d *daemon, file string) {
		r := result(run.Failed)
		r.Error.Message, r.Error.Step = large, large
		d.Ended(plan, r)
		d.Stuck("other", "id", large)
		d.Broken("third", "x.yaml", large)
		d.Missed(alert.Occurrence{Workflow: "fourth", Run: "id", Reason: "cannot_run: " + large})
		check(d, 4)
		d.stop()
		if text, err := os.ReadFile(file); err != nil || len(text) > 500<<10 {
			t.Errorf("the file has %d bytes, %v", len(text), err)
		}
	})
	file := filepath.Join(t.TempDir(), "alerts.json")
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `"z%d": "x", `, i)
	}
	stored := `{"version": 1, "alerts": [{"key": "pdflow:w:run_failed", "wish": "triggered", "summary": "` + large +
		`", "details": {` + many.String() + `"` + large + `": "x", "message": "` + large + `", "cause": "run_failed", "workflow": "w"}}]}`
	if err := os.WriteFile(file, []byte(stored), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		check(start(t, &service{epoch: time.Now(), open: map[string]string{}}, file), 1)
	})
}

// TestRecalled proves that the next daemon sends, once, an alert that the last one could not
// store. It sends none about runs from before the first daemon with alerts.
func TestRecalled(t *testing.T) {
	inBubble(t, func(d *daemon, file string) {
		d.Recalled(plan, result(run.Failed))
		d.got()
		d.stop()
		next := start(d.t, d.service, file)
		next.Recalled(plan, result(run.Failed))
		next.got("0s trigger pdflow:nightly:run_failed")
		next.stop()
		last := start(d.t, d.service, file)
		last.Recalled(plan, result(run.Failed))
		last.got()
	})
}

// TestRemoved proves that the alerts of a removed workflow are resolved, except for the
// alert about a decision.
func TestRemoved(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.Ended(plan, result(run.Failed))
		d.Ended(plan, result(run.NeedsAttention))
		d.got("0s trigger pdflow:nightly:needs_attention", "0s trigger pdflow:nightly:run_failed")
		d.OnlyServed([]string{"another"})
		d.got("0s resolve pdflow:nightly:run_failed")
	})
}

// TestManyFailuresWhileRefused proves that a refused alert keeps its pauses, also if its
// workflow fails many times.
func TestManyFailuresWhileRefused(t *testing.T) {
	inBubble(t, func(d *daemon, _ string) {
		d.answer(down)
		for range 600 {
			d.Ended(plan, result(run.Failed))
			d.pass(time.Second)
		}
		if n := len(d.events); n > 12 {
			t.Errorf("got %d attempts in 10 minutes, want at most 12 with longer and longer pauses", n)
		}
		if n := bytes.Count(d.log.Bytes(), []byte("did not accept")); n != 1 {
			t.Errorf("got %d lines about it, want 1:\n%s", n, &d.log)
		}
	})
}

// redacted starts alerts that mask texts, for a daemon that knows them.
func redacted(t *testing.T, s *service, file string, secrets ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, service: s}
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, "‹redacted›")
	}
	var err error
	d.Alerts, err = alert.New(alert.Config{
		Sender: s, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&d.log, nil)), File: file,
		Command: func(run string) string { return "pdflow runs show " + run + " --data-dir /data/hunter22" }, Redact: strings.NewReplacer(pairs...).Replace,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.begin()
	return d
}

// TestA23Masked: what an alert sends and stores has no secret. Workflows, and files, whose masked names are the
// same have alerts of their own, which the next daemon resolves one by one.
func TestA23Masked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts.json")
	synctest.Test(t, func(t *testing.T) {
		s := &service{epoch: time.Now(), open: map[string]string{}}
		secrets := []string{"hunter22", "hunter33"}
		d := redacted(t, s, file, secrets...)
		failed := func(workflow string) *run.Result {
			r := result(run.Failed)
			r.Workflow, r.Error.Message = workflow, "401 for hunter22"
			return r
		}
		for _, secret := range secrets {
			d.Ended(plan, failed("deploy-"+secret))
			d.Broken(secret, "/"+secret+"/broken.yaml", "/"+secret+"/broken.yaml:1:1: there is no "+secret)
			d.Missed(alert.Occurrence{Workflow: "late-" + secret, Schedule: secret, Run: "01RUN", Reason: "cannot_run: " + secret})
		}
		d.Stuck(strings.Repeat("long", 100)+"hunter22", "01RUN", "hunter33")
		d.pass(0)
		if len(s.open) != 7 {
			t.Errorf("got %d incidents, want 7: %v", len(s.open), s.open)
		}
		shown := fmt.Sprint(s.open, s.events)
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(shown, secret) || strings.Contains(string(stored), secret) || strings.Contains(d.log.String(), secret) {
				t.Errorf("%s is in\n%s\n%s\n%s", secret, shown, stored, &d.log)
			}
		}
		d.stop()

		next := redacted(t, s, file, secrets...)
		next.OnlyServed([]string{"deploy-hunter22", "late-hunter22", "late-hunter33"})
		next.OnlyBroken([]string{"/hunter33/broken.yaml"})
		next.pass(0)
		if len(s.open) != 5 {
			t.Errorf("got %d incidents, want 5 after a workflow and a file are gone: %v", len(s.open), s.open)
		}
		next.Mended("/hunter33/broken.yaml")
		success := result(run.Success)
		for _, workflow := range []string{"deploy-hunter22", "late-hunter33", "late-hunter22", strings.Repeat("long", 100) + "hunter22"} {
			success.Workflow = workflow
			next.Ended(plan, success)
		}
		next.pass(0)
		if len(s.open) != 0 {
			t.Errorf("got %v, want no open incident", s.open)
		}
	})
}

// TestA23KnownLater: an incident that was opened before a secret was known keeps its key, and is resolved. What is
// stored and sent later is masked.
func TestA23KnownLater(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alerts.json")
	synctest.Test(t, func(t *testing.T) {
		s := &service{epoch: time.Now(), open: map[string]string{}}
		d := redacted(t, s, file)
		failed := result(run.Failed)
		failed.Workflow, failed.Error.Message = "deploy-hunter22", "401 for hunter22"
		d.Ended(plan, failed)
		d.Broken("nightly", "/hunter22/nightly.yaml", "no hunter22")
		d.pass(0)
		d.stop()
		s.events = nil

		next := redacted(t, s, file, "hunter22")
		next.pass(0)
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(stored), "hunter22"); n != 2 {
			t.Errorf("got the secret %d times, want it in the two keys only:\n%s", n, stored)
		}
		next.Ended(plan, failed)
		next.pass(0)
		if got := s.open["pdflow:deploy-hunter22:run_failed"]; strings.Contains(got, "hunter22") || len(s.open) != 2 {
			t.Errorf("got %v, want the same incidents with masked texts", s.open)
		}
		next.OnlyServed([]string{"deploy-hunter22"})
		next.OnlyBroken(nil)
		failed.Status, failed.Error = run.Success, nil
		next.Ended(plan, failed)
		next.pass(0)
		if len(s.open) != 0 {
			t.Errorf("got %v, want no open incident", s.open)
		}
	})
}
