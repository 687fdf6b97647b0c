//go:build unix

package killtest

import (
	"fmt"
	"strings"
	"sync"
	"text/tabwriter"
)

// A score counts deaths and what went wrong, by scenario and by moment.
type score struct {
	mu        sync.Mutex
	scenarios map[string]*scoreLine
	moments   map[string]*scoreLine
}

// A scoreLine is a line of the table.
type scoreLine struct {
	runs, missed, deaths, decisions int // missed: the first trap was never reached
	flaws                           [len(flawNames)]int
}

func (s *score) add(f *fate, found []finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scenarios == nil {
		s.scenarios, s.moments = map[string]*scoreLine{}, map[string]*scoreLine{}
	}
	for _, at := range []struct {
		rows map[string]*scoreLine
		name string
	}{{s.scenarios, f.scenario.name}, {s.moments, string(f.traps[0].At)}} {
		if at.rows[at.name] == nil {
			at.rows[at.name] = &scoreLine{}
		}
		r := at.rows[at.name]
		r.runs++
		if f.deaths == 0 {
			r.missed++
		}
		r.deaths += f.deaths
		r.decisions += f.decisions
		for _, one := range found {
			r.flaws[one.flaw]++
		}
	}
}

// table shows the rows, those of moments by the first trap of a run.
func (s *score) table() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\truns\tmissed\tdeaths\tdecided\t%s\t\n", strings.Join(flawNames[:], "\t"))
	sum := &scoreLine{}
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

func (r *scoreLine) include(other *scoreLine) {
	r.runs, r.missed = r.runs+other.runs, r.missed+other.missed
	r.deaths, r.decisions = r.deaths+other.deaths, r.decisions+other.decisions
	for i, n := range other.flaws {
		r.flaws[i] += n
	}
}

func (r *scoreLine) write(w *tabwriter.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t", name, r.runs, r.missed, r.deaths, r.decisions)
	for _, n := range r.flaws {
		fmt.Fprintf(w, "%d\t", n)
	}
	fmt.Fprintln(w)
}
