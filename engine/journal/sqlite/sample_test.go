package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A sample is a run of one step. Each piece is the events of one commit.
type sample struct {
	entry  journal.Entry
	pieces [][]run.Event
}

func (s sample) events() []run.Event {
	var all []run.Event
	for _, piece := range s.pieces {
		all = append(all, piece...)
	}
	return all
}

// record records the sample in a journal.
func (s sample) record(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Begin(background, s.entry, s.pieces[0]); err != nil {
		t.Fatal(err)
	}
	for _, piece := range s.pieces[1:] {
		if err := j.Append(background, s.entry.Run, piece); err != nil {
			t.Fatal(err)
		}
	}
}

// runID returns an id that is as long and as hard to compress as an id of the engine.
func runID(n int) string { return fmt.Sprintf("01M83MS670%04X%012d", n*40503%65536, n) }

// oneStep returns a run of one step. The step makes a call when call is true.
func oneStep(n int, call bool) sample {
	id := runID(n)
	target := run.Target{
		Connection: "default", Region: "us", APIURL: "https://api.pagerduty.com", EventsURL: "https://events.pagerduty.com",
		Keys: map[string]string{"api_key": fmt.Sprintf("%016x", n*7919), "service_key": fmt.Sprintf("%016x", n*104729)},
	}
	source := workflow.Source{Name: "port-check.yaml", Text: []byte("name: port-check\nsteps:\n- {id: page, uses: pagerduty.send_trigger_event}\n")}
	at := time.Date(2026, 1, 31, 9, 0, 0, 123_456_789, time.UTC).Add(time.Duration(n) * time.Second)
	var list []run.Event
	add := func(e run.Event) {
		e.Sequence, e.Run, e.Time = len(list)+1, id, at.Add(time.Duration(len(list))*7_654_321)
		list = append(list, e)
	}
	add(run.Event{Kind: run.EventStarted, Started: &run.Start{
		Workflow: "port-check", Source: source.Hash(), Inputs: action.Object{"host": fmt.Sprintf("db-%d.example.com", n), "port": 5432.0},
		Trigger: run.Trigger{Kind: "manual"}, Target: target,
	}})
	add(run.Event{Kind: run.EventAttemptStarted, Step: "page", Attempt: 1})
	cut := []int{len(list)}
	if call {
		add(run.Event{Kind: run.EventCallStarted, Step: "page", Attempt: 1, Call: &run.Call{
			Number: 1, Action: "pagerduty.send_trigger_event", Effect: "keyed", Digest: fmt.Sprintf("%032x", n), Key: fmt.Sprintf("%032x", n*31),
			Input: action.Object{"service_key": action.Secret{Name: "SERVICE_KEY"}, "description": fmt.Sprintf("db-%d.example.com:5432 does not answer", n)},
		}})
		cut = append(cut, len(list))
		add(run.Event{Kind: run.EventCallReturned, Step: "page", Attempt: 1, Call: &run.Call{
			Number: 1, Action: "pagerduty.send_trigger_event", Output: action.Object{"incident_key": fmt.Sprintf("%032x", n*31), "status": "success"},
		}})
	}
	add(run.Event{Kind: run.EventAttemptFinished, Step: "page", Attempt: 1, Outcome: &run.Outcome{
		Status: run.Success, Outputs: action.Object{"open": false, "reason": "connection refused"}, Size: 45,
	}})
	add(run.Event{Kind: run.EventFinished, Status: run.Success, Outputs: action.Object{"open": false}})
	s := sample{entry: journal.Entry{Run: id, Workflow: "port-check", Realm: target.Realm(), Trigger: "manual", Sources: []workflow.Source{source}}}
	first := 0
	for _, end := range append(cut, len(list)) {
		s.pieces = append(s.pieces, list[first:end])
		first = end
	}
	return s
}
