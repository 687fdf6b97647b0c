//go:build unix

package killtest

import (
	"fmt"
	"strings"
	"sync"
	"text/tabwriter"
)

// A tally counts kills and findings, by scenario and by moment.
type tally struct {
	mu        sync.Mutex
	scenarios map[string]*tallyLine
	moments   map[string]*tallyLine
}

// A tallyLine is a line of the table.
type tallyLine struct {
	runs, missed, kills, decisions int // missed: the first kill point was not reached
	flaws                          [len(flawNames)]int
}

func (s *tally) add(f *trial, found []finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scenarios == nil {
		s.scenarios, s.moments = map[string]*tallyLine{}, map[string]*tallyLine{}
	}
	for _, at := range []struct {
		rows map[string]*tallyLine
		name string
	}{{s.scenarios, f.scenario.name}, {s.moments, string(f.killPoints[0].At)}} {
		if at.rows[at.name] == nil {
			at.rows[at.name] = &tallyLine{}
		}
		r := at.rows[at.name]
		r.runs++
		if f.kills == 0 {
			r.missed++
		}
		r.kills += f.kills
		r.decisions += f.decisions
		for _, one := range found {
			r.flaws[one.flaw]++
		}
	}
}

// table returns the counts as a table. The rows of moments count by the first kill point of a run.
func (s *tally) table() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\truns\tmissed\tkills\tdecided\t%s\t\n", strings.Join(flawNames[:], "\t"))
	sum := &tallyLine{}
	for _, scenario := range corpus {
		if r := s.scenarios[scenario.name]; r != nil {
			r.write(w, scenario.name)
			sum.include(r)
		}
	}
	sum.write(w, "all")
	for _, m := range moments {
		if r := s.moments[string(m)]; r != nil {
			r.write(w, string(m))
		}
	}
	_ = w.Flush()
	return b.String()
}

func (r *tallyLine) include(other *tallyLine) {
	r.runs, r.missed = r.runs+other.runs, r.missed+other.missed
	r.kills, r.decisions = r.kills+other.kills, r.decisions+other.decisions
	for i, n := range other.flaws {
		r.flaws[i] += n
	}
}

func (r *tallyLine) write(w *tabwriter.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t", name, r.runs, r.missed, r.kills, r.decisions)
	for _, n := range r.flaws {
		fmt.Fprintf(w, "%d\t", n)
	}
	fmt.Fprintln(w)
}
