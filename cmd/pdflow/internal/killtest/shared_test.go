//go:build unix

package killtest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/pdflow/pdflow/engine"
)

// TestKillCrowd kills processes in which many runs of all scenarios live at once:
// they share the journal's commits, and one death interrupts them all. Another
// process goes on with all of them.
func TestKillCrowd(t *testing.T) {
	const deaths = 4
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	random := rand.New(rand.NewPCG(killSeed(t), 0))
	for range rounds {
		c := newCampaign(t, corpus[0], &score{})
		crowd := c.crowd()
		died := 0
		for len(crowd) > 0 {
			at := trap{}
			if died < deaths {
				at = trap{moments[random.IntN(len(moments))], 1 + random.IntN(len(crowd))}
			}
			var diedNow bool
			if crowd, diedNow = advance(t, crowd, at); diedNow {
				died++
			}
		}
		if died == 0 {
			t.Error("no process died")
		}
		if runs, err := c.journal.Runs(context.Background(), engine.RunQuery{Statuses: []engine.Status{engine.Running, engine.Interrupted}}); err != nil || len(runs) > 0 {
			t.Errorf("got %v, %v, want every run to have ended", runs, err)
		}
	}
}

// crowd returns a fate of every scenario, in a journal that they share.
func (c *campaign) crowd() []*fate {
	var crowd []*fate
	for _, s := range corpus {
		c.scenario = s
		crowd = append(crowd, c.fate(delivered))
	}
	return crowd
}

// advance has a crowd live once, and returns those whose runs go on.
func advance(t *testing.T, crowd []*fate, at trap) (left []*fate, died bool) {
	var orders []order
	for _, f := range crowd {
		o, found, over := f.next()
		if !over {
			o.Trap = at
			orders, left = append(orders, o), append(left, f)
		} else if len(found) > 0 {
			t.Errorf("%s: %v\n%s", f.scenario.name, found, f.story())
		}
	}
	if len(orders) == 0 {
		return nil, false
	}
	died, err := together(orders)
	var going []*fate
	for i, f := range left {
		orders[i].Trap = trap{} // it counts the moments of all, not of this run
		if found := f.lived(orders[i], died, err); len(found) > 0 {
			t.Errorf("%s: %v\n%s", f.scenario.name, found, f.story())
		} else {
			going = append(going, f)
		}
	}
	return going, died
}
