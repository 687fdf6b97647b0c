//go:build unix

package killtest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// TestKillSharedProcess kills processes that each work on one run of every scenario at the same time. These
// runs share the commits of the journal, and one kill interrupts all of them. Then another process resumes
// all of them. In the end every run has ended, and the check of each scenario finds nothing.
func TestKillSharedProcess(t *testing.T) {
	const kills = 4
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	random := rand.New(rand.NewPCG(killSeed(t), 0))
	for range rounds {
		c := newScenarioTest(t, corpus[0], &tally{})
		trials := c.oneOfEach()
		died := 0
		for len(trials) > 0 {
			at := killPoint{}
			if died < kills {
				at = killPoint{moments[random.IntN(len(moments))], 1 + random.IntN(len(trials))}
			}
			var diedNow bool
			if trials, diedNow = advance(t, trials, at); diedNow {
				died++
			}
		}
		if died == 0 {
			t.Error("no process was killed")
		}
		if runs, err := c.journal.Runs(context.Background(), journal.Query{Statuses: []run.Status{run.Running, run.Interrupted}}); err != nil || len(runs) > 0 {
			t.Errorf("got %v, %v, want every run to have ended", runs, err)
		}
	}
}

// oneOfEach returns a trial of every scenario. The trials share a journal.
func (c *scenarioTest) oneOfEach() []*trial {
	var trials []*trial
	for _, s := range corpus {
		c.scenario = s
		trials = append(trials, c.trial(delivered))
	}
	return trials
}

// advance works on all trials in one process, and returns the trials whose runs have not ended.
func advance(t *testing.T, trials []*trial, at killPoint) (left []*trial, died bool) {
	var jobs []job
	for _, f := range trials {
		j, found, over := f.next()
		if !over {
			j.KillPoint = at
			jobs, left = append(jobs, j), append(left, f)
		} else if len(found) > 0 {
			t.Errorf("%s: %v\n%s", f.scenario.name, found, f.describe())
		}
	}
	if len(jobs) == 0 {
		return nil, false
	}
	died, err := together(jobs)
	var going []*trial
	for i, f := range left {
		jobs[i].KillPoint = killPoint{} // it counts the moments of all runs, not of this run
		if found := f.processEnded(jobs[i], died, err); len(found) > 0 {
			t.Errorf("%s: %v\n%s", f.scenario.name, found, f.describe())
		} else {
			going = append(going, f)
		}
	}
	return going, died
}
