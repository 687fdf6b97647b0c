package daemon

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
)

// A movedClock is the clock of the machine, moved by a duration.
type movedClock struct {
	clock.System
	by time.Duration
}

// Now returns the moved time.
func (c movedClock) Now() time.Time { return time.Now().Add(c.by) }

const minutely = `name: page-%d
schedule: "* * * * *"
steps:
  - uses: pagerduty.send_trigger_event
    with: {description: "%d"}
`

// minutelyFolder returns a folder of n workflows that are all due at the same minute.
func minutelyFolder(b *testing.B, n int) string {
	b.Helper()
	folder := b.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("page-%d.yaml", i)), fmt.Appendf(nil, minutely, i, i), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return folder
}

// BenchmarkServeMinute has many workflows that are due at one minute. It reports the time from the scheduled
// time to the last starts and to the last accepted events, with the bounds. Each iteration is a daemon that
// serves one scheduled time.
func BenchmarkServeMinute(b *testing.B) {
	for _, n := range []int{200, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			folder := minutelyFolder(b, n)
			var starts, events []time.Duration
			for b.Loop() {
				s, e := serveMinute(b, folder, n)
				starts, events = append(starts, s...), append(events, e...)
			}
			b.ReportMetric(percentile(starts, 50), "start-p50-ms")
			b.ReportMetric(percentile(starts, 99), "start-p99-ms")
			b.ReportMetric(percentile(events, 99), "event-p99-ms")
			if n == 1000 {
				b.ReportMetric(150, "start-bound-ms")
			} else {
				b.ReportMetric(1000, "event-bound-ms")
			}
		})
	}
}

func percentile(times []time.Duration, p int) float64 {
	slices.Sort(times)
	return float64(times[min(len(times)*p/100, len(times)-1)].Microseconds()) / 1000
}

// serveMinute runs a daemon for one scheduled time. It returns how long after it the runs started and
// PagerDuty accepted their events.
func serveMinute(b *testing.B, folder string, n int) (starts, events []time.Duration) {
	b.Helper()
	due := time.Date(2026, time.March, 27, 9, 0, 0, 0, time.UTC)
	clock := movedClock{by: time.Until(due.Add(-2 * time.Second))}
	account, err := setup.StartSimulator("127.0.0.1:0", simulator.WithServiceKey("Database", daemonServiceKey), simulator.WithClock(clock.Now))
	if err != nil {
		b.Fatal(err)
	}
	defer account.Stop()
	client, err := pagerduty.New(pagerduty.Config{ServiceKey: daemonServiceKey, APIURL: account.URL, EventsURL: account.URL})
	if err != nil {
		b.Fatal(err)
	}
	target, err := setup.WithClient(builtins.Config{PagerDuty: client}, setup.Settings{ServiceKey: daemonServiceKey})
	if err != nil {
		b.Fatal(err)
	}
	env := setup.Standard()
	recorded, err := env.OpenRuns(setup.DataFolder{Flag: b.TempDir()}, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer recorded.Close()
	d := New(env, target, clock, slog.New(slog.DiscardHandler), Options{MaxRuns: 200, Drain: time.Minute})
	d.Record(recorded, recorded.Journal())
	if err := d.Load([]string{folder}); err != nil {
		b.Fatal(err)
	}
	if clock.Now().After(due) {
		b.Fatal("loading took longer than the time before the scheduled time")
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	for account.Settle(); len(account.Incidents()) < n; account.Settle() {
		if clock.Now().After(due.Add(30 * time.Second)) {
			b.Fatalf("%d of %d paged within 30s", len(account.Incidents()), n)
		}
		_ = clock.Sleep(ctx, 20*time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	incidents := account.Incidents()
	if len(incidents) != n {
		b.Fatalf("got %d incidents, want %d", len(incidents), n)
	}
	for _, i := range incidents {
		events = append(events, i.CreatedAt.Sub(due))
	}
	runs, err := recorded.List(context.Background(), journal.Query{})
	if err != nil || len(runs) != n {
		b.Fatalf("got %d runs, %v, want %d", len(runs), err, n)
	}
	for _, run := range runs {
		starts = append(starts, run.StartedAt.Sub(due))
	}
	return starts, events
}

// BenchmarkServeLoaded starts a daemon with 10,000 workflows and reports its memory when it is idle, with the
// bound.
func BenchmarkServeLoaded(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("the memory of a process is read from /proc")
	}
	binary := filepath.Join(b.TempDir(), "pdflow")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "../..").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	folder := b.TempDir()
	for i := range 10_000 {
		text := strings.Replace(fmt.Sprintf(minutely, i, i), "* * * * *", fmt.Sprintf("%d %d 1 1 *", i%60, i/60%24), 1)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("page-%d.yaml", i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		b.ReportMetric(residentMegabytes(b, binary, folder), "resident-MB")
	}
	b.ReportMetric(100, "bound-MB")
}

// residentMegabytes returns the memory of a daemon that has just started to serve, after its scheduler has
// slept once.
func residentMegabytes(b *testing.B, binary, folder string) float64 {
	b.Helper()
	daemon := exec.CommandContext(b.Context(), binary, "serve", folder, "--data-dir", b.TempDir())
	daemon.Env = append(os.Environ(), "PAGERDUTY_SERVICE_KEY="+daemonServiceKey, "PDFLOW_CONFIG=")
	log, err := daemon.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
	}
	_ = clock.System{}.Sleep(b.Context(), 3*time.Second) // the garbage of loading is freed
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", daemon.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_ = daemon.Process.Signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	_ = daemon.Wait()
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		b.Fatalf("no VmRSS in\n%s", text)
	}
	kilobytes, _ := strconv.Atoi(string(m[1]))
	return float64(kilobytes) / 1024
}
