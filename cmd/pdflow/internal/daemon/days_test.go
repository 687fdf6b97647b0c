package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/probe"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// The keys of the account that daemons talk to.
const (
	daemonAPIKey     = "u+TestKeyThatIsTwen1"
	daemonServiceKey = "0123456789abcdef0123456789abcdef"
)

// An outage is a time in which a host does not answer, or a disk is full.
type outage struct{ from, to time.Time }

// A flakyNet is a network whose hosts have outages.
type flakyNet struct {
	probe.Network
	clock   *clock.Virtual
	outages map[string][]outage
}

// Connect fails during an outage of the host.
func (n *flakyNet) Connect(_ context.Context, host string, _ int) error {
	now := n.clock.Now()
	for _, o := range n.outages[host] {
		if !now.Before(o.from) && now.Before(o.to) {
			return fmt.Errorf("no answer")
		}
	}
	return nil
}

// healthChecks returns a folder with copies of the shipped port check, each for a host of its own.
func healthChecks(t *testing.T, n int) string {
	t.Helper()
	source, err := os.ReadFile("../../../../workflows/port-check.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The first zone changes to daylight saving time on 29 March 2026, the second one back on 5 April.
	zones := []string{"Europe/Berlin", "Australia/Lord_Howe"}
	folder := t.TempDir()
	for i := range n {
		text := strings.NewReplacer("name: port-check\n", fmt.Sprintf("name: check-%d\n", i), "default: db.example.com", fmt.Sprintf("default: h%d.example.com", i),
			`cron: "*/2 * * * *"`, `cron: "*/30 * * * *"`+"\n  timezone: "+zones[i%len(zones)]).Replace(string(source))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("check-%d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A servedWorld is the data folder, account, network and clock of daemons that run one after the other.
type servedWorld struct {
	t       *testing.T
	clock   *clock.Virtual
	account *setup.Simulator
	client  *pagerduty.Client
	network *flakyNet
	data    string
	folder  string
	full    []outage // when the disk is full
	refused atomic.Int64
	log     *bytes.Buffer
	mu      sync.Mutex
}

// Write keeps the logs of daemons.
func (w *servedWorld) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(text)
}

func newServedWorld(t *testing.T, checks int, start time.Time) *servedWorld {
	t.Helper()
	w := &servedWorld{t: t, clock: clock.NewVirtual(start), data: t.TempDir(), folder: healthChecks(t, checks), log: &bytes.Buffer{}}
	var err error
	w.account, err = setup.StartSimulator("127.0.0.1:0", simulator.WithAPIKey(daemonAPIKey), simulator.WithServiceKey("Database", daemonServiceKey),
		simulator.WithClock(w.clock.Now), simulator.WithFaults(
			fault.Fault{Match: fault.Match{Probability: 0.03}, Do: fault.AnswerStatus, Status: 503},
			fault.Fault{Match: fault.Match{Probability: 0.02}, Do: "reset_after"},
		))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.account.Stop)
	w.client, err = pagerduty.New(pagerduty.Config{
		ServiceKey: daemonServiceKey, APIURL: w.account.URL, EventsURL: w.account.URL, Jitter: func() float64 { return 0.5 },
		Sleep: w.clock.Skip, Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.network = &flakyNet{clock: w.clock, outages: map[string][]outage{}}
	return w
}

// A fullDisk is a journal on a disk that is full at some times.
type fullDisk struct {
	journal.Journal
	world *servedWorld
	left  atomic.Int64 // how many writes go through before it is full
}

// full returns the error of a write; nil if there is space.
func (f *fullDisk) full() error {
	now := f.world.clock.Now()
	for _, o := range f.world.full {
		if !now.Before(o.from) && now.Before(o.to) && f.left.Add(-1) < 0 {
			f.world.refused.Add(1)
			return errors.New("no space left on device")
		}
	}
	return nil
}

func (f *fullDisk) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	if err := f.full(); err != nil {
		return err
	}
	return f.Journal.Begin(ctx, entry, events)
}

func (f *fullDisk) Append(ctx context.Context, run string, events []run.Event) error {
	if err := f.full(); err != nil {
		return err
	}
	return f.Journal.Append(ctx, run, events)
}

func (f *fullDisk) SaveSchedules(ctx context.Context, states []journal.ScheduleState) error {
	if err := f.full(); err != nil {
		return err
	}
	return f.Journal.SaveSchedules(ctx, states)
}

func (f *fullDisk) SaveNames(ctx context.Context, files map[string]string) error {
	if err := f.full(); err != nil {
		return err
	}
	return f.Journal.SaveNames(ctx, files)
}

// records returns a journal on a disk that may be full.
func (w *servedWorld) records(j journal.Journal) journal.Journal {
	f := &fullDisk{Journal: j, world: w}
	f.left.Store(17) // so that the disk is full in the middle of runs
	return f
}

// daemon starts a daemon on the data of the daemons before it.
func (w *servedWorld) daemon() (*Daemon, func()) {
	return w.daemonWith(Options{MaxRuns: 50}, w.clock, slog.New(slog.NewTextHandler(w, nil)))
}

// daemonWith starts a daemon with its own options, clock and log.
func (w *servedWorld) daemonWith(o Options, clock action.Clock, log *slog.Logger) (*Daemon, func()) {
	w.t.Helper()
	target, err := setup.WithClient(builtins.Config{PagerDuty: w.client, Network: w.network}, setup.Settings{ServiceKey: daemonServiceKey})
	if err != nil {
		w.t.Fatal(err)
	}
	env := setup.Standard()
	env.Stderr = w
	recorded, err := env.OpenRuns(setup.DataFolder{Flag: w.data}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	d := New(env, target, clock, log, o)
	d.Record(recorded, w.records(recorded.Journal()))
	if err := d.Load([]string{w.folder}); err != nil {
		w.t.Fatal(err)
	}
	return d, func() { _ = recorded.Close() }
}

// TestServeDays runs daemons that serve health checks for days of virtual time: over a change to daylight
// saving time, with a restart and a downtime every day, with a full disk, and with a PagerDuty that fails a
// twentieth of the requests. Each outage must open exactly one incident, each recovery must resolve it, and
// every scheduled time must have a run or be recorded as skipped.
func TestServeDays(t *testing.T) {
	days, checks := 4, 10
	if text := os.Getenv("PDFLOW_SERVE_DAYS"); text != "" {
		days, _ = strconv.Atoi(text)
		checks = 50
	}
	if testing.Short() {
		days, checks = 2, 4
	}
	start := time.Date(2026, time.March, 27, 12, 10, 0, 0, time.UTC)
	w, random := newServedWorld(t, checks, start), rand.New(rand.NewPCG(7, 7))
	end := start.AddDate(0, 0, days)
	outages := 0
	for i := range checks {
		host := fmt.Sprintf("h%d.example.com", i)
		for at := start.Add(2 * time.Hour); at.Before(end.Add(-8 * time.Hour)); at = at.Add(time.Duration(20+random.IntN(20)) * time.Hour) {
			w.network.outages[host] = append(w.network.outages[host], outage{at, at.Add(4 * time.Hour)}) // longer than any downtime
			outages++
		}
	}
	w.full = append(w.full, outage{start.Add(26*time.Hour + 18*time.Minute), start.Add(26*time.Hour + 25*time.Minute)})
	for day := 0; day < days; day++ {
		w.serveUntil(start.AddDate(0, 0, day+1).Add(-time.Duration(random.IntN(90)) * time.Minute)) // downtime follows
		w.clock.Advance(start.AddDate(0, 0, day+1).Sub(w.clock.Now()))
	}
	w.serveUntil(end.Add(time.Hour))
	w.check(start, outages)
	if n := bytes.Count(w.log.Bytes(), []byte("a scheduled time cannot be recorded")); n > checks {
		t.Errorf("the log says %d times that the disk was full, want at most once for each of the %d schedules", n, checks)
	}
}

// serveUntil runs a daemon until a time.
func (w *servedWorld) serveUntil(end time.Time) {
	w.t.Helper()
	ctx := context.Background()
	d, gone := w.daemon()
	defer gone()
	if err := d.begin(ctx); err != nil {
		w.t.Fatal(err)
	}
	for w.clock.Now().Before(end) {
		d.runs.resumeUnrecorded(ctx)
		d.runs.running.Wait()
		next := d.scheduler.Tick(ctx)
		d.runs.running.Wait()
		if next.IsZero() || next.After(end) {
			next = end
		}
		w.clock.Advance(max(next.Sub(w.clock.Now()), 0))
	}
}

// check compares the account with the outages, and the journal with the scheduled times.
func (w *servedWorld) check(start time.Time, outages int) {
	w.t.Helper()
	w.account.Settle()
	incidents := w.account.Incidents()
	if len(incidents) != outages {
		w.t.Errorf("got %d incidents for %d outages", len(incidents), outages)
	}
	for _, i := range incidents {
		if i.Status != account.Resolved {
			w.t.Errorf("the incident %s of %s is %s, want it resolved", i.Key, i.CreatedAt, i.Status)
		}
	}
	d, gone := w.daemon()
	defer gone()
	missing, runs, skipped := 0, 0, 0
	for _, entry := range d.files.entries() {
		for at := entry.Spec.Next(start); at.Before(w.clock.Now()); at = entry.Spec.Next(at) {
			o := run.Occurrence{Workflow: entry.Workflow, Schedule: entry.Schedule, At: at}
			found, err := d.journal.List(context.Background(), journal.Query{Run: o.RunID()})
			switch {
			case err != nil:
				w.t.Fatal(err)
			case len(found) != 1:
				missing++
			case found[0].Status == run.Skipped:
				skipped++
			default:
				runs++
			}
		}
	}
	if missing > 0 {
		w.t.Errorf("%d scheduled times have no run and are not recorded as skipped", missing)
	}
	if w.refused.Load() == 0 {
		w.t.Error("the disk was never full")
	}
	w.t.Logf("the disk refused %d writes", w.refused.Load())
	w.t.Logf("%d outages, %d incidents; %d scheduled times ran, %d were skipped, %d are missing", outages, len(incidents), runs, skipped, missing)
}

// TestServeTakesTurns: of two daemons one serves, and the other takes over when the first ends.
func TestServeTakesTurns(t *testing.T) {
	w := newServedWorld(t, 1, time.Now())
	first, firstGone := w.daemon()
	second, secondGone := w.daemon()
	defer secondGone()
	lock, err := first.takeLock(context.Background())
	if err != nil || lock == nil {
		t.Fatal(lock, err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if turn, err := second.takeLock(stopped); turn != nil || err != nil {
		t.Errorf("got %v, %v while the other serves, want standby", turn, err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	firstGone()
	turn, err := second.takeLock(context.Background())
	if err != nil || turn == nil {
		t.Fatalf("got %v, %v, want the lock", turn, err)
	}
	_ = turn.Close()
}

// TestServeOwnsFirst: a daemon owns the interrupted runs of the daemon before it before it looks for
// scheduled times. Otherwise a run of the same concurrency group could start at the same time.
func TestServeOwnsFirst(t *testing.T) {
	w := newServedWorld(t, 0, time.Now())
	w.clock.Begin() // the time stands still until the test has looked, or the run would time out
	const sleeping = "name: sleeping\nconcurrency: skip\nschedule: \"0 0 1 1 *\"\nsteps: [{uses: time.sleep, with: {duration: 1h}}]\n"
	if err := os.WriteFile(filepath.Join(w.folder, "sleeping.yaml"), []byte(sleeping), 0o600); err != nil {
		t.Fatal(err)
	}
	first, gone := w.daemon()
	plan := first.files.library.Snapshot().Plans()[0]
	request, err := first.target.Request(plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	runID, err := first.runs.start(plan, request)
	if err != nil {
		t.Fatal(err)
	}
	gone() // as if the process was killed
	second, secondGone := w.daemon()
	defer secondGone()
	if err := second.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	open, err := second.journal.List(context.Background(), journal.Query{Run: runID})
	if err != nil || len(open) != 1 || open[0].Status != run.Running {
		t.Errorf("got %v, %v, want the run to be owned and running", open, err)
	}
	w.clock.End(1)
	w.clock.Advance(2 * time.Hour)
	second.runs.running.Wait()
}

// TestServedFiles: after an invalid edit the last good version stays loaded, a new file is served, and a
// removed file is not.
func TestServedFiles(t *testing.T) {
	w := newServedWorld(t, 2, time.Now())
	d, gone := w.daemon()
	defer gone()
	file := filepath.Join(w.folder, "check-0.yaml")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reload := func(text string, serving int) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.files.library.Check()
		if got := len(d.scheduler.Status()); got != serving {
			t.Fatalf("got %d schedules, want %d", got, serving)
		}
	}
	if err := d.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	reload(strings.Replace(string(source), "steps:", "stpes:", 1), 2)
	if !strings.Contains(w.log.String(), "its last good version stays loaded") || !strings.Contains(w.log.String(), "stpes") {
		t.Errorf("got the log\n%s\nwant that the file is broken, and how", w.log)
	}
	reload(string(source), 2)
	reload("name: other\nsteps: [{uses: log.info, with: {message: hello}}]\n", 1)
	reload(string(source), 2)
}

// TestT1SameTimesTwice: a file that has the same times twice is the broken file, from the
// start of a daemon or after an edit. The other files are served, and can be edited.
func TestT1SameTimesTwice(t *testing.T) {
	write := func(w *servedWorld, name, schedules string) {
		t.Helper()
		text := "name: " + name + "\nschedule: " + schedules + "\nsteps: [{uses: log.info, with: {message: hello}}]\n"
		if err := os.WriteFile(filepath.Join(w.folder, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	served := func(d *Daemon, want ...string) {
		t.Helper()
		var got []string
		for _, s := range d.scheduler.Status() {
			got = append(got, s.Workflow+" "+s.Spec.Cron())
		}
		if !slices.Equal(got, want) {
			t.Errorf("serving %q, want %q", got, want)
		}
	}
	for _, twice := range []string{
		`["@yearly", "0 0 1 1 *"]`, `["* * * * *", "*/1 * * * *"]`, `["0 0 * * 0", "0 0 * * 7"]`,
		`["5 5 * * *", {cron: "5 5 * * *", timezone: UTC}]`, `[{id: a, cron: "5 5 * * *"}, {id: b, cron: "05 05 * * *"}]`,
	} {
		w := newServedWorld(t, 0, time.Now())
		write(w, "a", `"1 1 * * *"`)
		write(w, "m", twice)
		write(w, "z", `"2 2 * * *"`)
		d, gone := w.daemon()
		if err := d.begin(context.Background()); err != nil {
			t.Fatal(err)
		}
		served(d, "a 1 1 * * *", "z 2 2 * * *")
		d.files.report()
		if want := "m.yaml:2:"; !strings.Contains(w.log.String(), want) || !strings.Contains(w.log.String(), "same times") {
			t.Errorf("got the log\n%s\nwant %s and what is wrong", w.log, want)
		}
		write(w, "m", `"3 3 * * *"`)
		d.files.library.Check()
		served(d, "a 1 1 * * *", "m 3 3 * * *", "z 2 2 * * *")
		write(w, "m", twice)
		d.files.library.Check()
		write(w, "z", `"4 4 * * *"`)
		d.files.library.Check()
		served(d, "a 1 1 * * *", "m 3 3 * * *", "z 4 4 * * *") // m in its last good version
		gone()
	}
}

// TestServedWorlds: with --simulate each workflow uses the world file next to it, and a workflow with an
// invalid world file is not served.
func TestServedWorlds(t *testing.T) {
	w := newServedWorld(t, 0, time.Now())
	for name, port := range map[string]string{"one": "open", "two": "closed", "three": "[oepn]"} {
		for file, text := range map[string]string{
			name + ".yaml":       "name: " + name + "\npermissions: {net: [\"db.example.com:1\"]}\nschedule: \"0 0 1 1 *\"\nsteps: [{id: probe, uses: net.check_port, with: {host: db.example.com, port: 1}}]\noutputs: {open: \"${{ steps.probe.outputs.open }}\"}\n",
			name + ".world.yaml": "net: {\"db.example.com:1\": " + port + "}\n",
		} {
			if err := os.WriteFile(filepath.Join(w.folder, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	d, gone := w.daemonWith(Options{MaxRuns: 50, Simulate: true}, w.clock, slog.New(slog.NewTextHandler(w, nil)))
	defer gone()
	open := map[string]any{}
	for _, plan := range d.files.library.Snapshot().Plans() {
		request, err := d.target.Request(plan, nil)
		if err != nil {
			t.Fatal(err)
		}
		local, leave := d.runs.local(plan)
		result, err := local.Run(context.Background(), plan, request)
		leave()
		if err != nil || result.Status != run.Success {
			t.Fatal(plan.Workflow.Name, result, err)
		}
		open[plan.Workflow.Name] = result.Outputs["open"]
	}
	if want := map[string]any{"one": true, "two": false}; !maps.Equal(open, want) {
		t.Errorf("got %v, want %v", open, want)
	}
	if d.files.report(); !strings.Contains(w.log.String(), "three.world.yaml") {
		t.Errorf("got the log\n%s\nwant that the world of three is broken", w.log)
	}
}

// TestScheduledTimes: `runs list --schedule` lists scheduled times with their runs, or why there is none.
func TestScheduledTimes(t *testing.T) {
	w := newServedWorld(t, 2, time.Date(2026, time.March, 29, 9, 10, 0, 0, time.UTC))
	w.serveUntil(w.clock.Now().Add(time.Hour))
	w.clock.Advance(3 * time.Hour)
	w.serveUntil(w.clock.Now().Add(time.Minute))
	for output, want := range map[string][]string{
		"text": {"^DUE +WORKFLOW +SCHEDULE +STATUS +RUN\n", `\n\S+ \S+ +check-1 +\S.* +success +01\w{24}\n`, `skipped +01\w{24} +window\n`},
		"json": {`"scheduled_at": "2026-03-29T09:30:00Z"`, `"reason": "window"`, `"schedule": "[0-9a-f]{8}"`},
	} {
		stdout := &bytes.Buffer{}
		if code := pdflow(stdout, "runs", "list", "--schedule", "-o", output, "--data-dir", w.data); code != 0 {
			t.Fatalf("got exit code %d:\n%s", code, stdout)
		}
		for _, pattern := range want {
			if !regexp.MustCompile(pattern).MatchString(stdout.String()) {
				t.Errorf("%s: got\n%s\nwant it to match %s", output, stdout, pattern)
			}
		}
	}
}
