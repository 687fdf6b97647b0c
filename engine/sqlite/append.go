package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/engine"
)

// The statements that every run needs.
const (
	findTaken   = "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?)"
	findOrigin  = "SELECT origin FROM origins WHERE workflow = ? AND realm = ? AND cause = ? AND files = ?"
	findOwner   = "SELECT owner FROM owners WHERE name = ?"
	insertRun   = `INSERT INTO runs (id, origin, pool, owner, sequence, state, begun, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	findRun     = `SELECT run, pool, name, sequence, state, ended FROM runs LEFT JOIN owners USING (owner) WHERE id = ?`
	updateRun   = "UPDATE runs SET sequence = ?, state = ?, ended = ?, cancel = cancel AND ? WHERE run = ?"
	insertEvent = "INSERT INTO events (run, sequence, kind, time, data, crc) VALUES (?, ?, ?, ?, ?, ?)"
	insertCall  = "INSERT INTO calls (run, sequence, kind, time, data, crc) VALUES (?, ?, ?, ?, ?, ?)"
)

// refusal reports whether a write was refused for what it asks, not for what the
// database could not do.
func refusal(err error) bool {
	var busy *engine.BusyError
	for _, refused := range []error{engine.ErrExists, engine.ErrNoRun, engine.ErrSequence, engine.ErrNotOwner, engine.ErrOwned, errBadEvent} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return errors.As(err, &busy)
}

var errBadEvent = errors.New("the event cannot be recorded")

// Begin enters a run with its first events; see [engine.Journal].
func (j *Journal) Begin(ctx context.Context, entry engine.Entry, events []engine.Event) error {
	records, err := encodeAll(events, 1)
	if err != nil {
		return err
	}
	return j.writer.write(ctx, func(ctx context.Context, c *connection) error {
		var taken bool
		if err := c.scan(ctx, findTaken, []any{entry.Run}, &taken); err != nil {
			return err
		}
		if taken {
			return engine.ErrExists
		}
		if err := j.enter(ctx, c, entry.Group, 0, events); err != nil {
			return err
		}
		run, err := j.insertRun(ctx, c, entry, events)
		if err != nil {
			return err
		}
		return insertRecords(ctx, c, run, events, records)
	})
}

// encodeAll writes events as rows. They must be numbered from first on.
func encodeAll(events []engine.Event, first int) ([]record, error) {
	records := make([]record, len(events))
	for i, e := range events {
		if e.Sequence != first+i {
			return nil, engine.ErrSequence
		}
		r, err := encode(e)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBadEvent, err)
		}
		records[i] = r
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("%w: there is none", errBadEvent)
	}
	return records, nil
}

func (j *Journal) insertRun(ctx context.Context, c *connection, entry engine.Entry, events []engine.Event) (int64, error) {
	origin, err := insertOrigin(ctx, c, entry)
	if err != nil {
		return 0, err
	}
	owner, err := j.ownerRow(ctx, c)
	if err != nil {
		return 0, err
	}
	var pool any
	if entry.Group != "" {
		pool = entry.Group
	}
	state, ended := stateAfter("", nil, events)
	result, err := c.exec(ctx, insertRun,
		entry.Run, origin, pool, owner, len(events), state, events[0].Time.UnixNano(), ended)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// ownerRow returns the number of this journal among the owners.
func (j *Journal) ownerRow(ctx context.Context, c *connection) (owner int64, err error) {
	err = c.scan(ctx, findOwner, []any{j.owner.name}, &owner)
	if !errors.Is(err, sql.ErrNoRows) {
		return owner, err
	}
	result, err := c.exec(ctx, "INSERT INTO owners (name) VALUES (?)", j.owner.name)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// insertOrigin returns the row of what the run has in common with others.
func insertOrigin(ctx context.Context, c *connection, entry engine.Entry) (origin int64, err error) {
	files := make([][2]string, len(entry.Sources))
	for i, source := range entry.Sources {
		files[i] = [2]string{source.Name, source.Hash()}
	}
	text, err := json.Marshal(files)
	if err != nil {
		return 0, err
	}
	key := []any{entry.Workflow, entry.Realm, entry.Trigger, string(text)}
	err = c.scan(ctx, findOrigin, key, &origin)
	if !errors.Is(err, sql.ErrNoRows) {
		return origin, err
	}
	for i, source := range entry.Sources {
		text := source.Text
		if text == nil {
			text = []byte{} // a text that is empty is not one that is missing
		}
		if _, err := c.exec(ctx, "INSERT INTO sources (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING", files[i][1], text); err != nil {
			return 0, err
		}
	}
	result, err := c.exec(ctx, "INSERT INTO origins (workflow, realm, cause, files) VALUES (?, ?, ?, ?)", key...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func insertRecords(ctx context.Context, c *connection, run int64, events []engine.Event, records []record) error {
	for i, r := range records {
		insert := insertEvent
		if k := events[i].Kind; k == engine.CallStarted || k == engine.CallReturned || k == engine.CallDecided {
			insert = insertCall
		}
		_, err := c.exec(ctx, insert, run, r.sequence, r.kind, r.time, r.data, r.crc)
		if err != nil {
			return err
		}
	}
	return nil
}

// Append adds events to a run; see [engine.Journal].
func (j *Journal) Append(ctx context.Context, run string, events []engine.Event) error {
	if len(events) == 0 {
		return nil
	}
	records, err := encodeAll(events, events[0].Sequence)
	if err != nil {
		return err
	}
	return j.writer.write(ctx, func(ctx context.Context, c *connection) error {
		row, err := j.ownedRun(ctx, c, run)
		if err != nil {
			return err
		}
		if row.sequence+1 != events[0].Sequence {
			return engine.ErrSequence
		}
		if err := j.enter(ctx, c, row.pool.String, row.run, events); err != nil {
			return err
		}
		state, ended := stateAfter(row.state, row.ended, events)
		stays := true // a request to cancel
		for _, e := range events {
			stays = stays && e.Kind != engine.RunResumed && e.Kind != engine.RunRetried
		}
		if _, err := c.exec(ctx, updateRun, row.sequence+len(events), state, ended, stays, row.run); err != nil {
			return err
		}
		return insertRecords(ctx, c, row.run, events, records)
	})
}

// A runRow is what a write must know of a run.
type runRow struct {
	run      int64
	pool     sql.NullString
	owner    sql.NullString
	sequence int
	state    string
	ended    any
}

func readRun(ctx context.Context, c *connection, run string) (r runRow, err error) {
	err = c.scan(ctx, findRun, []any{run}, &r.run, &r.pool, &r.owner, &r.sequence, &r.state, &r.ended)
	if errors.Is(err, sql.ErrNoRows) {
		err = engine.ErrNoRun
	}
	return r, err
}

// ownedRun reads a run that must belong to this journal. The name of an owner is
// never used again: one that was thought dead, and wakes up to find its run
// adopted, is refused here.
func (j *Journal) ownedRun(ctx context.Context, c *connection, run string) (runRow, error) {
	row, err := readRun(ctx, c, run)
	if err == nil && row.owner.String != j.owner.name {
		err = engine.ErrNotOwner
	}
	return row, err
}

// stateAfter is the state of a run and when it ended, after events.
func stateAfter(state string, ended any, events []engine.Event) (string, any) {
	for _, e := range events {
		switch e.Kind {
		case engine.RunQueued:
			state, ended = string(engine.Queued), nil
		case engine.RunStarted, engine.RunRetried:
			state, ended = string(engine.Running), nil
		case engine.RunResumed:
			if state == string(engine.NeedsAttention) {
				state = string(engine.Running)
			}
			ended = nil
		case engine.RunSuspended:
			state, ended = string(engine.NeedsAttention), nil
		case engine.RunSkipped:
			state, ended = string(engine.Skipped), e.Time.UnixNano()
		case engine.RunFinished:
			state, ended = string(e.Status), e.Time.UnixNano()
		}
	}
	return state, ended
}

// enter refuses the start of a run whose group is busy: with runs that have
// started and not ended, or were queued before, and whose owners live.
func (j *Journal) enter(ctx context.Context, c *connection, group string, run int64, events []engine.Event) error {
	starts := false
	for _, e := range events {
		starts = starts || e.Kind == engine.RunStarted
	}
	if group == "" || !starts {
		return nil
	}
	rows, err := c.query(ctx, `SELECT run, id, state, name FROM runs LEFT JOIN owners USING (owner)
		WHERE pool = ? AND ended IS NULL AND state IN ('queued', 'running') AND run <> ? ORDER BY run`, group, run)
	if err != nil {
		return err
	}
	defer rows.Close()
	busy := &engine.BusyError{Group: group}
	for rows.Next() {
		var number int64
		var id, state string
		var owner sql.NullString
		if err := rows.Scan(&number, &id, &state, &owner); err != nil {
			return err
		}
		before := state == string(engine.Running) || run == 0 || number < run
		if before && j.owner.lives(owner.String) {
			busy.Runs = append(busy.Runs, id)
		}
	}
	if len(busy.Runs) > 0 {
		return errors.Join(rows.Err(), busy)
	}
	return rows.Err()
}

// Adopt makes this journal the owner of a run; see [engine.Journal].
func (j *Journal) Adopt(ctx context.Context, run string) error {
	return j.writer.write(ctx, func(ctx context.Context, c *connection) error {
		row, err := readRun(ctx, c, run)
		switch {
		case err != nil:
			return err
		case row.owner.String == j.owner.name:
			return nil
		case j.owner.lives(row.owner.String):
			return engine.ErrOwned
		}
		owner, err := j.ownerRow(ctx, c)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, "UPDATE runs SET owner = ? WHERE run = ?", owner, row.run)
		return err
	})
}

// Release gives a run up; see [engine.Journal].
func (j *Journal) Release(ctx context.Context, run string) error {
	return j.writer.write(ctx, func(ctx context.Context, c *connection) error {
		row, err := j.ownedRun(ctx, c, run)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, "UPDATE runs SET owner = NULL WHERE run = ?", row.run)
		return err
	})
}

// RequestCancel asks the owner of a run to cancel it; see [engine.Journal].
func (j *Journal) RequestCancel(ctx context.Context, run string) error {
	return j.writer.write(ctx, func(ctx context.Context, c *connection) error {
		row, err := readRun(ctx, c, run)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, "UPDATE runs SET cancel = 1 WHERE run = ?", row.run)
		return err
	})
}
