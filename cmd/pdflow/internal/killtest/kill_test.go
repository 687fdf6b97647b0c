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

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/sqlite"
)

// The kill test proves that nothing happens twice. Its nouns:
//
//   - A [scenario] is a workflow of testdata/kill, and what it must have done
//     (kill_corpus_test.go).
//   - A [town] is the world of one run: a simulated PagerDuty and a service, which
//     count what they are asked and can lose their answers (kill_town_test.go).
//   - An [order] is what one life of a run is told (kill_order_test.go).
//   - A [trap] is a moment at which a process kills itself with SIGKILL; a
//     [sabotage] breaks what keeps things from happening twice
//     (kill_trap_test.go).
//   - A [fate] is a run over all its lives, each in a process of its own
//     (kill_fate_test.go, kill_child_test.go).
//   - A [finding] is something wrong with it (kill_verdict_test.go).
//
// By default some hundred processes die. For the long form say how many:
//
//	PDFLOW_KILL_POINTS=1000 go test ./cmd/pdflow -run '^TestKill$' -v -timeout 30m
//
// It then walks every event of every scenario, and each of the named moments of
// every call that writes. PDFLOW_KILL_SEED chooses other second deaths and
// weathers.

// How the test runs.
const (
	shortPoints = 110 // deaths, when nothing else is asked for
	racePoints  = 40  // with -short, which is how the race detector runs
	hurry       = 10  // times as fast as the clock runs: a second waits 100 ms
	atOnce      = 3   // runs of a scenario, which share its journal
)

// TestKill kills processes at every moment of every scenario, lets others go on
// with their runs, and asks the servers what was done.
func TestKill(t *testing.T) {
	points, all := killPoints(t)
	var total score
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range corpus {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				c := newCampaign(t, s, &total)
				c.wage((points+len(corpus)-1)/len(corpus), all)
				c.audit()
			})
		}
	})
	t.Logf("deaths and what went wrong, seed %d:\n%s", killSeed(t), total.table())
}

// killPoints is how many processes shall die, and whether every moment is walked.
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
		t.Fatalf("PDFLOW_KILL_POINTS is %q, want a number of deaths", text)
	}
	return points, true
}

// killSeed chooses where a process dies a second time, and which answers are lost.
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

// A campaign is all that is done to one scenario. Its runs share a journal.
type campaign struct {
	t        *testing.T
	scenario *scenario
	total    *score
	folder   string
	journal  *sqlite.Journal // to look at
	origin   time.Time       // of the runs' time
	random   *rand.Rand

	mu   sync.Mutex
	runs int // begun so far
	died int
}

func newCampaign(t *testing.T, s *scenario, total *score) *campaign {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(s.name))
	c := &campaign{
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

// fate returns one that has not begun, after the runs that the scenario wants
// before it.
func (c *campaign) fate(weather loss) *fate {
	town := newTown(c.scenario, weather)
	c.t.Cleanup(town.server.Close)
	for range c.scenario.before {
		f := c.next(town)
		if died, err := f.live(f.order); died || err != nil {
			c.t.Errorf("a run before the one to be killed: %v", err)
		}
	}
	return c.next(town)
}

// next returns the fate of another run in a town.
func (c *campaign) next(town *town) *fate {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	f := newFate(c.scenario, town, fmt.Sprintf("R%d", c.runs))
	f.journal, f.live = c.journal, inProcess
	f.order.Data, f.order.Time = c.folder, hurriedClock{Origin: c.origin, Factor: hurry}
	return f
}

// wage makes so many processes die, and walks every trap of the scenario if all is
// asked for.
func (c *campaign) wage(deaths int, all bool) {
	walk := &walk{campaign: c, traps: c.traps(), deaths: deaths, all: all}
	var under sync.WaitGroup
	for range atOnce {
		under.Go(func() {
			for traps, weather, ok := walk.next(); ok; traps, weather, ok = walk.next() {
				c.kill(traps, weather)
			}
		})
	}
	under.Wait()
	if c.died < deaths {
		c.t.Errorf("%d processes died, want %d: most traps were never reached", c.died, deaths)
	}
}

// A walk goes over the traps of a scenario, again and again until enough processes
// have died.
type walk struct {
	*campaign
	traps  []trap
	at     int
	deaths int
	all    bool
}

// next returns where a run shall die, once or several times, and the weather that
// it lives in. There is none left when enough has died, or something is wrong.
func (w *walk) next() (traps []trap, weather loss, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	enough := w.died >= w.deaths && (w.at >= len(w.traps) || !w.all)
	if enough || w.at > 4*(w.deaths+len(w.traps)) || w.t.Failed() {
		return nil, delivered, false
	}
	traps = []trap{w.traps[w.at%len(w.traps)]}
	w.at++
	for w.random.IntN(3) == 0 && len(traps) < maxLives-3 {
		traps = append(traps, trap{moments[w.random.IntN(len(moments))], 1 + w.random.IntN(4)})
	}
	if w.scenario.losses == nil {
		weather = loss(w.random.IntN(int(withheld)))
	}
	return traps, weather, true
}

// traps runs the scenario without a death and returns all the traps that it has.
func (c *campaign) traps() []trap {
	f := c.fate(delivered)
	for _, found := range f.play() {
		c.t.Errorf("without a death: %v", found)
	}
	if (f.decisions > 0) != c.scenario.attention || c.t.Failed() {
		c.t.Fatalf("without a death: %d decisions of a person; is one expected: %v\n%s", f.decisions, c.scenario.attention, f.story())
	}
	events, writes := len(f.events), 0
	for _, e := range f.events {
		if e.Kind == engine.CallStarted && e.Call.Effect != action.Reads.String() {
			writes++
		}
	}
	return c.interleaved(events, writes)
}

// interleaved returns all traps, the moments in turn: the beginning of the list has
// some of each.
func (c *campaign) interleaved(events, writes int) []trap {
	counts := make([][]int, len(moments))
	for i, m := range moments {
		if m == heard || m == kept {
			counts[i] = c.random.Perm(events)
		} else {
			counts[i] = c.random.Perm(writes)
		}
	}
	var traps []trap
	turn := c.random.Perm(len(moments))
	for n := range events {
		for _, i := range turn {
			if n < len(counts[i]) {
				traps = append(traps, trap{moments[i], counts[i][n] + 1})
			}
		}
	}
	return traps
}

// kill plays one fate and reports what was wrong with it.
func (c *campaign) kill(traps []trap, weather loss) {
	f := c.fate(weather)
	f.traps = traps
	found := f.play()
	c.mu.Lock()
	c.died += f.deaths
	c.mu.Unlock()
	c.total.add(f, found)
	if len(found) > 0 {
		c.t.Errorf("traps %v, weather %v: %v\n%s", traps, weather, found, f.story())
	}
}

// audit looks at the journal as a whole: no run is missing or under way, and every
// byte is as it was written.
func (c *campaign) audit() {
	ctx := context.Background()
	runs, err := c.journal.Runs(ctx, engine.RunQuery{})
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
