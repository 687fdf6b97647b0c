package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
)

// TestUpgrade: Open upgrades a journal with an older layout, which can then store
// schedules.
func TestUpgrade(t *testing.T) {
	for name, older := range map[string]string{
		"layout 1": "DROP TABLE schedules; DROP TABLE names; ALTER TABLE cancels DROP COLUMN actor; ALTER TABLE cancels DROP COLUMN actor_crc;" + noFinish + "PRAGMA user_version = 1",
		"layout 2": "ALTER TABLE cancels DROP COLUMN actor; ALTER TABLE cancels DROP COLUMN actor_crc; DROP TABLE names;" + noSpecs + noFinish,
		"layout 3": noSpecs + noFinish + "DROP TABLE names;",
		"a part":   noFinish,
	} {
		t.Run(name, func(t *testing.T) { testUpgrade(t, older) })
	}
}

const (
	noSpecs  = "ALTER TABLE schedules DROP COLUMN spec; ALTER TABLE schedules DROP COLUMN retired; ALTER TABLE schedules DROP COLUMN spec_crc;"
	noFinish = "DROP INDEX last_successes; DROP INDEX finishes; DROP INDEX unplaced_ends; ALTER TABLE runs DROP COLUMN finish; ALTER TABLE runs DROP COLUMN finish_crc;" +
		"CREATE INDEX successes ON runs (workflow, ended) WHERE status = 'success';"
)

// testUpgrade opens a journal that SQL statements gave an older layout.
func testUpgrade(t *testing.T, older string) {
	ctx, dir := context.Background(), t.TempDir()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(older); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err = Open(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	state := journal.ScheduleState{Workflow: "w", Schedule: "s", Watermark: time.Unix(100, 0).UTC()}
	if err := j.SaveSchedules(ctx, []journal.ScheduleState{state}); err != nil {
		t.Fatal(err)
	}
	states, err := j.Schedules(ctx)
	if err != nil || len(states) != 1 || !states[0].Watermark.Equal(state.Watermark) {
		t.Errorf("got %v, %v, want the state that was saved", states, err)
	}
	if err := j.SaveNames(ctx, map[string]string{"w": "/w.yaml"}); err != nil {
		t.Fatal(err)
	}
	if damage, err := j.Verify(ctx); err != nil || len(damage) > 0 {
		t.Errorf("got %v, %v, want no damage", damage, err)
	}
}
