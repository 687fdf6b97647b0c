package journaltest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// testSchedules: every owner sees the states of all schedules. The state that was saved last
// counts, and a watermark does not change a pause.
func testSchedules(t *testing.T, open func() Owner) {
	ctx, owner := context.Background(), open()
	if states, err := owner.Schedules(ctx); err != nil || len(states) > 0 {
		t.Fatalf("got %v, %v from an empty journal, want nothing", states, err)
	}
	at := time.Date(2026, 3, 29, 1, 0, 0, 5, time.UTC)
	pause := &journal.Pause{Reason: "release \"2\"", At: at, Actor: &run.Actor{Kind: run.ActorUser, Name: "ann@host"}, Until: at.Add(time.Hour)}
	states := []journal.ScheduleState{
		{Workflow: "b", Schedule: "x", Watermark: at, Spec: "0 * * * * (UTC)", Retired: true},
		{Workflow: "a", Schedule: "y", Watermark: at.Add(time.Minute)},
		{Workflow: "a", Schedule: "", Watermark: at},
	}
	if err := owner.SaveSchedules(ctx, states); err != nil {
		t.Fatal(err)
	}
	for name, pause := range map[string]*journal.Pause{"y": pause, "z": {At: at}} {
		if err := owner.PauseSchedule(ctx, "a", name, pause); err != nil {
			t.Fatal(err)
		}
	}
	pause.Reason, pause.Actor.Name = "changed after it was saved", "bob"
	// Moving the watermark does not end the pause.
	moved := journal.ScheduleState{Workflow: "a", Schedule: "y", Watermark: at.Add(2 * time.Minute), Spec: "1 2 * * * (UTC)"}
	if err := owner.SaveSchedules(ctx, []journal.ScheduleState{moved}); err != nil {
		t.Fatal(err)
	}
	// A pause changes nothing else.
	for name, workflow := range map[string]string{"z": "a", "x": "b"} {
		if err := owner.PauseSchedule(ctx, workflow, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := owner.PauseSchedule(ctx, "a", "z", nil); err != nil {
		t.Fatal(err)
	}
	if err := owner.SaveSchedules(ctx, nil); err != nil {
		t.Fatal(err)
	}
	want := []journal.ScheduleState{
		{Workflow: "a", Schedule: "", Watermark: at},
		{Workflow: "a", Schedule: "y", Watermark: at.Add(2 * time.Minute), Spec: "1 2 * * * (UTC)", Pause: &journal.Pause{Reason: "release \"2\"", At: at, Actor: &run.Actor{Kind: run.ActorUser, Name: "ann@host"}, Until: at.Add(time.Hour)}},
		{Workflow: "a", Schedule: "z"},
		{Workflow: "b", Schedule: "x", Watermark: at, Spec: "0 * * * * (UTC)", Retired: true},
	}
	got, err := open().Schedules(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

// testNames: every owner sees the files of all workflow names. The file that was saved last
// counts, and names that are not saved again stay.
func testNames(t *testing.T, open func() Owner) {
	owner := open()
	if files, err := owner.Names(ctx); err != nil || len(files) > 0 {
		t.Fatalf("got %v, %v from an empty journal, want nothing", files, err)
	}
	for _, files := range []map[string]string{{"a": "/one/a.yaml", "b": "/one/b.yaml", "ü": "/ü"}, nil, {"b": "/two/b.yaml"}} {
		must(t, owner.SaveNames(ctx, files))
	}
	want := map[string]string{"a": "/one/a.yaml", "b": "/two/b.yaml", "ü": "/ü"}
	got, err := open().Names(ctx)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	got["a"] = "changed by the caller"
	if again, err := owner.Names(ctx); err != nil || again["a"] != want["a"] {
		t.Errorf("got %v, %v, want no change by a caller", again, err)
	}
}
