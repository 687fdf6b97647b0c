package killtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/run"
)

// A flaw is a way in which a run can be wrong.
type flaw int

const (
	lost   flaw = iota // something recorded is gone
	stuck              // it does not end
	double             // something was done twice
	wrong              // anything else is not as it must be
)

var flawNames = [...]string{"lost", "stuck", "double", "wrong"}

// A finding is something wrong with a run.
type finding struct {
	flaw flaw
	text string
}

// String returns the flaw and the details.
func (f finding) String() string { return flawNames[f.flaw] + ": " + f.text }

func findings(kind flaw, format string, args ...any) []finding {
	return []finding{{kind, fmt.Sprintf(format, args...)}}
}

// check compares a run that has ended, and what it did to its servers, with the scenario.
func (f *trial) check() []finding {
	v := &check{trial: f, want: f.scenario}
	v.pages, v.created, v.deleted = f.servers.record()
	v.ending()
	v.incidents()
	v.keys()
	v.counts("users created", v.created, v.want.users)
	v.counts("users deleted", v.deleted, v.want.deleted)
	v.requests()
	if v.want.check != nil {
		if err := v.want.check(f.events); err != nil {
			v.add(wrong, "%v", err)
		}
	}
	return v.found
}

// A check is the comparison of a run with its scenario.
type check struct {
	*trial
	want             *scenario
	pages            map[string][]string // the keys of each, by description
	created, deleted map[string]int
	found            []finding
}

func (v *check) add(kind flaw, format string, args ...any) {
	v.found = append(v.found, findings(kind, format, args...)...)
}

// ending checks the status and the outputs of the run.
func (v *check) ending() {
	last := v.events[len(v.events)-1]
	if last.Kind != run.EventFinished || last.Status != v.want.wanted() {
		v.add(wrong, "it ended with %s %s (%v), want %s", last.Kind, last.Status, last.Error, v.want.wanted())
		return
	}
	if open := uncertainCalls(v.events); len(open) > 0 {
		v.add(wrong, "it ended as %s although the outcome of the call %d is unknown", last.Status, open[0].Sequence)
	}
	described, ok := last.Outputs["described"].(string)
	if ok && len(v.pages[described]) == 0 {
		v.add(wrong, "the outputs have the description %q, and no page has it", described)
	}
	outputs := maps.Clone(last.Outputs)
	if ok {
		outputs["described"] = v.want.neutral(described)
	}
	if len(outputs)+len(v.want.outputs) > 0 && !reflect.DeepEqual(outputs, v.want.outputs) {
		v.add(wrong, "got the outputs %v, want %v", outputs, v.want.outputs)
	}
}

// incidents checks the incidents. A second incident with the same key, or one too many with a description, is
// a double.
func (v *check) incidents() {
	var got []string
	opened, keys := map[string]int{}, map[string]int{}
	for _, i := range v.servers.Incidents() {
		description := v.want.neutral(i.Description)
		got = append(got, fmt.Sprintf("%s: %s", description, i.Status))
		opened[description]++
		if keys[i.Key]++; keys[i.Key] > 1 {
			v.add(double, "%d incidents have the key %s", keys[i.Key], i.Key)
		}
	}
	v.compare("incidents", opened, v.descriptions())
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(v.want.incidents)); len(got) == len(want) && !slices.Equal(got, want) {
		v.add(wrong, "got the incidents %q, want %q", got, want)
	}
}

// descriptions returns how many incidents each description must have.
func (v *check) descriptions() map[string]int {
	wanted := map[string]int{}
	for _, text := range v.want.incidents {
		wanted[text[:strings.LastIndex(text, ": ")]]++
	}
	return wanted
}

// keys checks that every page kept its key when it was sent again.
func (v *check) keys() {
	sent := map[string]int{}
	for description, keys := range v.pages {
		sent[v.want.neutral(description)] += len(keys)
	}
	v.compare("keys of pages", sent, v.descriptions())
}

// requests checks the requests to the service.
func (v *check) requests() {
	orders := map[string]int{}
	for _, place := range v.want.orders {
		if n := v.servers.count("POST", place); n > 0 {
			orders[place] = n
		}
	}
	v.counts("orders", orders, v.want.orders)
	for _, place := range v.want.notes {
		if v.servers.count("PUT", place) == 0 {
			v.add(wrong, "nothing was put to %s", place)
		}
	}
}

// counts checks that each name was counted once.
func (v *check) counts(what string, got map[string]int, names []string) {
	wanted := map[string]int{}
	for _, name := range names {
		wanted[name]++
	}
	v.compare(what, got, wanted)
}

func (v *check) compare(what string, got, wanted map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] > wanted[name] {
			v.add(double, "%s: %d of %q, want %d", what, got[name], name, wanted[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if got[name] < wanted[name] {
			v.add(wrong, "%s: %d of %q, want %d", what, got[name], name, wanted[name])
		}
	}
}
