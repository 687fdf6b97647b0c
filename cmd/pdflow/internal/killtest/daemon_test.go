//go:build unix

package killtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/event"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/journal/sqlite"
	"github.com/pdflow/pdflow/engine/run"
)

// servedServiceKey is the key with which the daemons page.
const servedServiceKey = "0123456789abcdef0123456789abcdef"

// A fastClock is a clock that is some thousand times too fast. It shows the same time in every process.
type fastClock struct {
	Real   time.Time // of the machine
	Start  time.Time // what it shows then
	Factor int
}

// Now returns the time that it shows.
func (c fastClock) Now() time.Time {
	return c.Start.Add(time.Since(c.Real) * time.Duration(c.Factor))
}

// Sleep waits, or returns the context's error.
func (c fastClock) Sleep(ctx context.Context, d time.Duration) error {
	return clock.System{}.Sleep(ctx, d/time.Duration(c.Factor))
}

// AfterFunc calls f after d, unless it is stopped before.
func (c fastClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d/time.Duration(c.Factor), f).Stop
}

// A daemonJob is what a daemon process is told.
type daemonJob struct {
	Data, Folder, URL string
	Clock             fastClock
}

// daemonJobVariable has the job of a daemon process.
const daemonJobVariable = "PDFLOW_DAEMON_JOB"

// TestServeProcess is not a test. It is the daemon that is killed.
func TestServeProcess(t *testing.T) {
	text := os.Getenv(daemonJobVariable)
	if text == "" {
		t.Skip("TestServeKills starts this")
	}
	var o daemonJob
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	client, err := pagerduty.New(pagerduty.Config{
		ServiceKey: servedServiceKey, APIURL: o.URL, EventsURL: o.URL, Sleep: o.Clock.Sleep, Now: o.Clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	target, err := setup.WithClient(builtins.Config{PagerDuty: client}, setup.Settings{ServiceKey: servedServiceKey})
	if err != nil {
		t.Fatal(err)
	}
	p := setup.Standard()
	j, err := p.OpenRuns(setup.DataFolder{Flag: o.Data}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := p.WithSignals(context.Background())
	defer stop()
	d := daemon.New(p, target, o.Clock, slog.New(slog.NewTextHandler(os.Stderr, nil)), daemon.Options{MaxRuns: 1000, Drain: 30 * 24 * time.Hour})
	d.Record(j, j.Journal())
	if err := d.Load([]string{o.Folder}); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// servedPage is a workflow that opens and resolves an incident. The key of the incident derives from the run.
const servedPage = `name: page-%d
resume_within: 90d
timeout: 90d
concurrency: allow
limits: {time: 60s}
schedule: {id: half, cron: "*/30 * * * *", catch_up: {mode: all, window: 90d}}
steps:
  - id: page
    timeout: 60d
    retry: {max_attempts: 50, delay: 1s}
    uses: pagerduty.send_trigger_event
    with: {description: "${{ run.workflow }} at ${{ run.trigger.scheduled_at }}"}
  - id: resolve
    timeout: 60d
    retry: {max_attempts: 50, delay: 1s}
    uses: pagerduty.send_resolve_event
    with: {incident_key: "${{ steps.page.outputs.incident_key }}"}
`

// daemons are several daemons with one data folder.
type daemons struct {
	t       *testing.T
	job     daemonJob
	account *setup.Simulator
	running []*exec.Cmd
	said    map[*exec.Cmd]*bytes.Buffer
	random  *rand.Rand
}

// start starts another daemon.
func (c *daemons) start() {
	c.t.Helper()
	text, err := json.Marshal(c.job)
	if err != nil {
		c.t.Fatal(err)
	}
	child := exec.CommandContext(c.t.Context(), os.Args[0], "-test.run=^TestServeProcess$")
	child.Env = append(os.Environ(), daemonJobVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	said := &bytes.Buffer{}
	child.Stdout, child.Stderr = said, said
	if err := child.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.running = append(c.running, child)
	c.said[child] = said
}

// end ends a daemon by a signal.
func (c *daemons) end(i int, with syscall.Signal) {
	c.t.Helper()
	child := c.running[i]
	c.running = append(c.running[:i], c.running[i+1:]...)
	_ = child.Process.Signal(with)
	if err := child.Wait(); err != nil && with == syscall.SIGTERM || bytes.Contains(c.said[child].Bytes(), []byte("DATA RACE")) {
		c.t.Errorf("a daemon ended with %v and said\n%s", err, c.said[child])
	}
}

// killOne kills a daemon and starts another. It may suspend the daemon for a while first.
func (c *daemons) killOne() {
	i := c.random.IntN(len(c.running))
	if c.random.IntN(3) == 0 {
		pid := c.running[i].Process.Pid
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		c.rest(100)
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	c.end(i, syscall.SIGKILL)
	c.start()
}

// rest waits for a random number of milliseconds, at most most.
func (c *daemons) rest(most int) {
	_ = clock.System{}.Sleep(context.Background(), time.Duration(c.random.IntN(most))*time.Millisecond)
}

// settled waits until no run is interrupted, and each schedule has decided a time: on a slow
// machine all daemons but the last may be killed before they decide one.
func (c *daemons) settled(j *sqlite.Journal, start time.Time) {
	c.t.Helper()
	for range 3000 {
		open, err := j.Runs(context.Background(), journal.Query{Statuses: []run.Status{run.Interrupted}})
		states, unread := j.Schedules(context.Background())
		waits := slices.ContainsFunc(states, func(s journal.ScheduleState) bool { return !s.Watermark.After(start) })
		if err == nil && unread == nil && len(open) == 0 && !waits {
			return
		}
		_ = clock.System{}.Sleep(context.Background(), 10*time.Millisecond)
	}
	c.t.Error("some runs are still interrupted")
}

// TestServeKills kills daemons at random times. The test simulates some days in seconds: three daemons share
// a data folder, and some are suspended for a while before they are killed. In the end every scheduled time
// must have exactly one run: either it succeeded and opened exactly one incident, which is resolved, or it
// was skipped and opened none. The account has no other incidents. PDFLOW_SERVE_KILLS=200 takes a simulated
// week; with PDFLOW_SERVE_WORKFLOWS=1000, an hour with 1,000 runs at a time.
func TestServeKills(t *testing.T) {
	workflows, kills := 6, 14
	if text := os.Getenv("PDFLOW_SERVE_WORKFLOWS"); text != "" {
		workflows, _ = strconv.Atoi(text)
	}
	if testing.Short() {
		kills = 5
	}
	if text := os.Getenv("PDFLOW_SERVE_KILLS"); text != "" {
		kills, _ = strconv.Atoi(text)
	}
	start := time.Date(2026, time.March, 26, 0, 10, 0, 0, time.UTC)
	clock := fastClock{Real: time.Now(), Start: start, Factor: 72_000 / workflows}
	account, err := setup.StartSimulator("127.0.0.1:0", simulator.WithServiceKey("Database", servedServiceKey), simulator.WithClock(clock.Now), simulator.WithFaults(
		fault.Fault{Match: fault.Match{Probability: 0.03}, Do: fault.AnswerStatus, Status: 503},
		fault.Fault{Match: fault.Match{Probability: 0.03}, Do: "reset_after"},
	))
	if err != nil {
		t.Fatal(err)
	}
	defer account.Stop()
	folder, data := t.TempDir(), t.TempDir()
	for i := range workflows {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("page-%d.yaml", i)), fmt.Appendf(nil, servedPage, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j, err := sqlite.Open(sqlite.Config{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	// All times after start are due, however late the first daemon starts.
	var known []journal.ScheduleState
	for i := range workflows {
		known = append(known, journal.ScheduleState{Workflow: fmt.Sprintf("page-%d", i), Schedule: "half", Watermark: start})
	}
	if err := j.SaveSchedules(context.Background(), known); err != nil {
		t.Fatal(err)
	}
	c := &daemons{
		t: t, job: daemonJob{data, folder, account.URL, clock}, account: account,
		said: map[*exec.Cmd]*bytes.Buffer{}, random: rand.New(rand.NewPCG(11, 13)),
	}
	for range 3 {
		c.start()
	}
	for range kills {
		c.rest(500)
		c.killOne()
	}
	c.rest(500)
	for len(c.running) > 1 { // the last one takes over
		c.end(0, syscall.SIGKILL)
	}
	c.settled(j, start)
	c.end(0, syscall.SIGTERM)
	paged, skipped, problems := c.compare(j, start)
	for _, p := range problems {
		t.Error(p)
	}
	if paged == 0 {
		t.Error("no incident was ever opened")
	}
	t.Logf("%d workflows, %d kills over %s; %d scheduled times opened one incident, %d of them in several processes; %d were skipped", workflows, kills, clock.Now().Sub(start).Round(time.Minute), paged, c.resumed(j), skipped)
	c.noticesSecondPage(j, start)
}

// noticesSecondPage opens a second incident for a scheduled time and proves that compare notices it.
func (c *daemons) noticesSecondPage(j *sqlite.Journal, start time.Time) {
	c.t.Helper()
	client, err := pagerduty.New(pagerduty.Config{ServiceKey: servedServiceKey, APIURL: c.account.URL, EventsURL: c.account.URL})
	if err != nil {
		c.t.Fatal(err)
	}
	again := c.account.Incidents()[0].Description
	page := event.Alert{Action: event.Trigger, IncidentKey: "another", Description: again}
	if _, err := client.SendEvent(c.t.Context(), page); err != nil {
		c.t.Fatal(err)
	}
	if _, _, problems := c.compare(j, start); len(problems) == 0 {
		c.t.Errorf("a second page for %q was not noticed", again)
	}
}

// resumed returns how many runs were started by one daemon and resumed by another.
func (c *daemons) resumed(j *sqlite.Journal) int {
	c.t.Helper()
	runs, err := j.Runs(context.Background(), journal.Query{})
	if err != nil {
		c.t.Fatal(err)
	}
	n := 0
	for i := range runs {
		events, err := j.Events(context.Background(), runs[i].Run)
		if err != nil {
			c.t.Fatal(err)
		}
		if slices.ContainsFunc(events, func(e run.Event) bool { return e.Kind == run.EventResumed }) {
			n++
		}
	}
	return n
}

// compare compares the journal with the account. It returns how many scheduled times opened an incident, how
// many were skipped, and what does not match.
func (c *daemons) compare(j *sqlite.Journal, start time.Time) (paged, skipped int, problems []string) {
	c.t.Helper()
	c.account.Settle()
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	pages := map[string]int{} // by description
	for _, i := range c.account.Incidents() {
		pages[i.Description]++
		if i.Status != account.Resolved {
			wrong("the incident %q is %s, want it resolved", i.Description, i.Status)
		}
	}
	states, err := j.Schedules(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range states {
		for at := start.Truncate(30 * time.Minute).Add(30 * time.Minute); !at.After(s.Watermark); at = at.Add(30 * time.Minute) {
			o := run.Occurrence{Workflow: s.Workflow, Schedule: s.Schedule, At: at}
			title := fmt.Sprintf("%s at %s", s.Workflow, at.Format("2006-01-02T15:04:05Z"))
			runs, err := j.Runs(context.Background(), journal.Query{Run: o.RunID()})
			if err != nil {
				c.t.Fatal(err)
			}
			status := run.Status("missing")
			if len(runs) == 1 {
				status = runs[0].Status
			}
			switch want := map[run.Status]int{run.Success: 1, run.Skipped: 0}; {
			case status != run.Success && status != run.Skipped:
				wrong("%s is %s", title, status)
			case pages[title] != want[status]:
				wrong("%s is %s and opened %d incidents", title, status, pages[title])
			case status == run.Success:
				paged++
			default:
				skipped++
			}
			delete(pages, title)
		}
	}
	for title, n := range pages {
		if !c.begunLater(j, title) {
			wrong("%d incidents %q belong to no scheduled time", n, title)
		}
	}
	return paged, skipped, problems
}

// begunLater reports whether an incident belongs to a run that started after the last watermark was saved.
func (c *daemons) begunLater(j *sqlite.Journal, title string) bool {
	name, text, _ := strings.Cut(title, " at ")
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return false
	}
	runs, err := j.Runs(context.Background(), journal.Query{Run: run.Occurrence{Workflow: name, Schedule: "half", At: at}.RunID()})
	return err == nil && len(runs) == 1 && runs[0].Status == run.Success
}
