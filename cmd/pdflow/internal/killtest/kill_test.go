//go:build unix

package killtest

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/journal/sqlite"
	"github.com/pdflow/pdflow/engine/run"
)

// The kill test proves that nothing is done twice and nothing is lost, wherever the process of a run is
// killed.
//
// What is killed when: a process works on a run of a scenario, with a real journal. It kills itself with
// SIGKILL at a kill point: when an event was applied or recorded, or before or after a call was recorded,
// answered, or its result was recorded. Another process resumes the run, and may be killed too.
//
// What must hold in the end: the run has the status and the outputs of the scenario. Each write was done
// exactly once. No recorded event has changed or is missing. A person was asked only about calls whose
// outcome is really unknown.
//
// The types:
//
//   - A [scenario] is a workflow of testdata/kill, and what its run must have done (scenario_test.go).
//   - [servers] are the PagerDuty and the service that a run reaches (servers_test.go).
//   - A [job] is what one process is told (job_test.go, process_test.go).
//   - A [killPoint] says when a process is killed; a [defect] breaks a protection (killpoint_test.go).
//   - A [trial] is a run over all its processes (trial_test.go), and a [check] compares it with its
//     scenario (check_test.go).
//
// By default about a hundred processes are killed. The long form kills a given number:
//
//	PDFLOW_KILL_POINTS=1000 go test ./cmd/pdflow/internal/killtest -run '^TestKill$' -v -timeout 30m
//
// It kills at every event of every scenario, and at each moment of every call that writes.
// PDFLOW_KILL_SEED chooses other kill points for later processes, and other lost answers.

// The size of the test.
const (
	shortPoints = 110 // kills by default
	racePoints  = 40  // kills with -short, as for the race detector
	clockFactor = 10  // how much faster the clock is: a second takes 100 ms
	atOnce      = 3   // runs of a scenario at a time
)

// TestKill kills processes at the kill points of every scenario, resumes their runs in other processes, and
// checks what was done.
func TestKill(t *testing.T) {
	points, all := killPoints(t)
	var total tally
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range corpus {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				c := newScenarioTest(t, s, &total)
				c.killProcesses((points+len(corpus)-1)/len(corpus), all)
				c.checkJournal()
			})
		}
	})
	t.Logf("kills and findings, seed %d:\n%s", killSeed(t), total.table())
}

// killPoints returns how many processes to kill, and whether every kill point is used.
func killPoints(t *testing.T) (points int, all bool) {
	text := os.Getenv("PDFLOW_KILL_POINTS")
	if text == "" && testing.Short() {
		return racePoints, false
	}
	if text == "" {
		return shortPoints, false
	}
	points, err := strconv.Atoi(text)
	if err != nil || points < 1 {
		t.Fatalf("PDFLOW_KILL_POINTS is %q, want a number of kills", text)
	}
	return points, true
}

// killSeed returns the seed for the kill points of later processes, and for lost answers.
func killSeed(t *testing.T) uint64 {
	text := os.Getenv("PDFLOW_KILL_SEED")
	if text == "" {
		return 1
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("PDFLOW_KILL_SEED is %q, want a number", text)
	}
	return seed
}

// A scenarioTest is the test of one scenario. Its runs share a journal.
type scenarioTest struct {
	t        *testing.T
	scenario *scenario
	total    *tally
	folder   string
	journal  *sqlite.Journal // for reading
	origin   time.Time       // of the runs' time
	random   *rand.Rand

	mu   sync.Mutex
	runs int // started so far
	died int
}

func newScenarioTest(t *testing.T, s *scenario, total *tally) *scenarioTest {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(s.name))
	c := &scenarioTest{
		t: t, scenario: s, total: total, folder: t.TempDir(), origin: time.Now(),
		random: rand.New(rand.NewPCG(killSeed(t), hash.Sum64())),
	}
	var err error
	if c.journal, err = sqlite.Open(sqlite.Config{Dir: c.folder}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// trial returns a trial that has not started. The runs that the scenario needs before it have ended.
func (c *scenarioTest) trial(firstLoss loss) *trial {
	servers := newServers(c.scenario, firstLoss)
	c.t.Cleanup(servers.server.Close)
	for range c.scenario.before {
		f := c.next(servers)
		if died, err := f.work(f.job); died || err != nil {
			c.t.Errorf("a run before the one to be killed: %v", err)
		}
	}
	return c.next(servers)
}

// next returns the trial of another run with the same servers.
func (c *scenarioTest) next(servers *servers) *trial {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	f := newTrial(c.scenario, servers, fmt.Sprintf("R%d", c.runs))
	f.journal, f.work = c.journal, inProcess
	f.job.Data, f.job.Time = c.folder, scaledClock{Origin: c.origin, Factor: clockFactor}
	return f
}

// killProcesses kills a number of processes, and uses every kill point of the scenario if all is true.
func (c *scenarioTest) killProcesses(kills int, all bool) {
	walk := &walk{scenarioTest: c, killPoints: c.killPoints(), kills: kills, all: all}
	var under sync.WaitGroup
	for range atOnce {
		under.Go(func() {
			for killPoints, firstLoss, ok := walk.next(); ok; killPoints, firstLoss, ok = walk.next() {
				c.kill(killPoints, firstLoss)
			}
		})
	}
	under.Wait()
	if c.died < kills {
		c.t.Errorf("%d processes were killed, want %d: most kill points were not reached", c.died, kills)
	}
}

// A walk goes over the kill points of a scenario, repeatedly, until enough processes were killed.
type walk struct {
	*scenarioTest
	killPoints []killPoint
	at         int
	kills      int
	all        bool
}

// next returns the kill points of a run, and how first answers are lost. It returns false if enough processes
// were killed, or if the test has failed.
func (w *walk) next() (killPoints []killPoint, firstLoss loss, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	enough := w.died >= w.kills && (w.at >= len(w.killPoints) || !w.all)
	if enough || w.at > 4*(w.kills+len(w.killPoints)) || w.t.Failed() {
		return nil, delivered, false
	}
	killPoints = []killPoint{w.killPoints[w.at%len(w.killPoints)]}
	w.at++
	for w.random.IntN(3) == 0 && len(killPoints) < maxProcesses-3 {
		killPoints = append(killPoints, killPoint{moments[w.random.IntN(len(moments))], 1 + w.random.IntN(4)})
	}
	if w.scenario.losses == nil {
		firstLoss = loss(w.random.IntN(int(withheld)))
	}
	return killPoints, firstLoss, true
}

// killPoints runs the scenario without a kill and returns all its kill points.
func (c *scenarioTest) killPoints() []killPoint {
	f := c.trial(delivered)
	for _, found := range f.run() {
		c.t.Errorf("without a kill: %v", found)
	}
	if (f.decisions > 0) != c.scenario.attention || c.t.Failed() {
		c.t.Fatalf("without a kill: %d decisions of a person; is one expected: %v\n%s", f.decisions, c.scenario.attention, f.describe())
	}
	events, writes := len(f.events), 0
	for _, e := range f.events {
		if e.Kind == run.EventCallStarted && e.Call.Effect != action.Reads.String() {
			writes++
		}
	}
	return c.interleaved(events, writes)
}

// interleaved returns all kill points in an order in which the moments alternate, so that the beginning of
// the list has some of each.
func (c *scenarioTest) interleaved(events, writes int) []killPoint {
	counts := make([][]int, len(moments))
	for i, m := range moments {
		if m == heard || m == kept {
			counts[i] = c.random.Perm(events)
		} else {
			counts[i] = c.random.Perm(writes)
		}
	}
	var killPoints []killPoint
	turn := c.random.Perm(len(moments))
	for n := range events {
		for _, i := range turn {
			if n < len(counts[i]) {
				killPoints = append(killPoints, killPoint{moments[i], counts[i][n] + 1})
			}
		}
	}
	return killPoints
}

// kill runs one trial and reports what was wrong.
func (c *scenarioTest) kill(killPoints []killPoint, firstLoss loss) {
	f := c.trial(firstLoss)
	f.killPoints = killPoints
	found := f.run()
	c.mu.Lock()
	c.died += f.kills
	c.mu.Unlock()
	c.total.add(f, found)
	if len(found) > 0 {
		c.t.Errorf("kill points %v, first answers %v: %v\n%s", killPoints, firstLoss, found, f.describe())
	}
}

// checkJournal checks the whole journal: no run is missing or has not ended, and no record is damaged.
func (c *scenarioTest) checkJournal() {
	ctx := context.Background()
	runs, err := c.journal.Runs(ctx, journal.Query{})
	if err != nil || len(runs) != c.runs {
		c.t.Errorf("got %d runs in the journal, %v, want %d", len(runs), err, c.runs)
	}
	for _, r := range runs {
		if r.Status != c.scenario.wanted() {
			c.t.Errorf("the run %s is %s, want %s", r.Run, r.Status, c.scenario.wanted())
		}
	}
	if damages, err := c.journal.Verify(ctx); err != nil || len(damages) > 0 {
		c.t.Errorf("the journal is damaged: %v %v", damages, err)
	}
}
