package daemon

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// aYear is how far the clocks of these tests are wrong.
const aYear = 365 * 24 * time.Hour

// write writes a workflow file.
func (w *servedWorld) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// begun starts a daemon that has begun to serve.
func (w *servedWorld) begun() (*Daemon, func()) {
	w.t.Helper()
	d, gone := w.daemon()
	if err := d.begin(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return d, gone
}

// TestT2RecallInOrder: a daemon that starts sends no alert about a run that failed while the
// clock was a year ahead, when a later run has succeeded; and it sends the alert about the last
// run, although an earlier one succeeded in the future.
func TestT2RecallInOrder(t *testing.T) {
	for name, test := range map[string]struct {
		fails []bool
		ahead int // the run that is recorded a year ahead
		want  int // alerts
	}{
		"failed ahead, then succeeded": {[]bool{true, false}, 0, 0},
		"succeeded ahead, then failed": {[]bool{false, true}, 0, 1},
		"failed, then succeeded":       {[]bool{true, false}, -1, 0},
		"failed last, ahead":           {[]bool{false, true}, 1, 1},
	} {
		w := newServedWorld(t, 0, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
		w.write("w.yaml", "name: w\ninputs: {fail: {type: boolean, default: false}}\nschedule: \"0 0 1 1 *\"\nsteps:\n- lua: |\n    if inputs.fail then error(\"no\") end\n")
		d, gone := w.begun()
		sent := &sentAlerts{}
		d.alerting.sender = sent
		if err := d.alerting.open(); err != nil { // the first daemon with alerts recalls nothing
			t.Fatal(err)
		}
		stopped, stop := context.WithCancel(context.Background())
		stop()
		d.alerting.Run(stopped)
		for i, fails := range test.fails {
			if i == test.ahead {
				w.clock.Set(aYear)
			}
			plan := d.files.library.Snapshot().Plans()[0]
			request, err := d.target.Request(plan, action.Object{"fail": fails})
			if err != nil {
				t.Fatal(err)
			}
			request.Occurrence = &run.Occurrence{Workflow: "w", Schedule: "s", At: w.clock.Now().Add(time.Duration(i) * time.Second)}
			local, leave := d.runs.local(plan)
			if _, err := local.Run(context.Background(), plan, request); err != nil { // and the daemon dies before it stores the alert
				t.Fatal(err)
			}
			leave()
			if i == test.ahead {
				w.clock.Set(-aYear)
			}
			w.clock.Advance(time.Minute)
		}
		gone()
		d, gone = w.daemon()
		d.alerting.sender = sent
		if err := d.begin(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := d.alerting.alerts.Load().Open(); len(got) != test.want {
			t.Errorf("%s: the open alerts are %q, want %d", name, got, test.want)
		}
		gone()
	}
}

// sentAlerts keeps what is sent.
type sentAlerts struct{ triggered, resolved []string }

func (s *sentAlerts) Trigger(_ context.Context, key, summary string, _ map[string]string) error {
	s.triggered = append(s.triggered, key+" "+summary)
	return nil
}

func (s *sentAlerts) Resolve(_ context.Context, key string) error {
	s.resolved = append(s.resolved, key)
	return nil
}

// count returns how often the log has a text.
func (w *servedWorld) count(text string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.log.String(), text)
}

// TestT6FirstOwner: the file that has a workflow name first is served, also by the next
// daemon, and the other file is the broken one. A journal that cannot be written for a while
// is logged once, and the name is saved later.
func TestT6FirstOwner(t *testing.T) {
	w := newServedWorld(t, 0, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	text := func(minute string) string {
		return "name: x\nschedule: \"" + minute + " * * * *\"\nsteps: [{uses: log.info, with: {message: hello}}]\n"
	}
	served := func(d *Daemon, want string) {
		t.Helper()
		status := d.scheduler.Status()
		if len(status) != 1 || status[0].Spec.Cron() != want {
			t.Errorf("serving %v, want %s", status, want)
		}
	}
	w.write("z.yaml", text("1"))
	w.full = []outage{{w.clock.Now(), w.clock.Now().Add(time.Hour)}}
	d, gone := w.daemon()
	d.records.(*fullDisk).left.Store(1) // the schedules are saved, the names are not
	if err := d.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d.files.saveNames(context.Background())
	}
	if n := w.count("it cannot be recorded which file each workflow name belongs to"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	w.clock.Advance(2 * time.Hour)
	d.files.saveNames(context.Background())
	w.write("a.yaml", text("2"))
	d.files.library.Check()
	served(d, "1 * * * *")
	gone()

	w.full = nil
	d, gone = w.begun()
	served(d, "1 * * * *")
	if w.count(`two files have the name \"x\"`) != 2 { // by each daemon
		t.Errorf("got the log\n%s", w.log)
	}
	if err := os.Remove(filepath.Join(w.folder, "z.yaml")); err != nil {
		t.Fatal(err)
	}
	d.files.library.Check()
	served(d, "2 * * * *")
	w.write("z.yaml", text("3"))
	gone()
	d, gone = w.begun()
	served(d, "2 * * * *")
	gone()
}
