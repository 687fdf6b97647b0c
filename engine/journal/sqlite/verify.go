package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A Damage is something in the journal that is not what was recorded.
type Damage struct {
	Run      string // empty when it is not of one run
	Sequence int    // of the event; 0 when it is not of one event
	Message  string
}

// String says what is damaged.
func (d Damage) String() string {
	switch {
	case d.Run == "":
		return d.Message
	case d.Sequence == 0:
		return fmt.Sprintf("run %s: %s", d.Run, d.Message)
	}
	return fmt.Sprintf("run %s: event %d: %s", d.Run, d.Sequence, d.Message)
}

// Error is what a read of the damaged part ends with.
func (d Damage) Error() string { return d.String() }

// Verify reads everything and returns what is damaged: by SQLite's own check of
// its pages, indexes and references, and by the checksum of every row, the order
// of the events of every run, and where they leave it. The error says that it
// could not look.
func (j *Journal) Verify(ctx context.Context) ([]Damage, error) {
	var found []Damage
	err := j.view(ctx, func(v view) error {
		for _, look := range []func(context.Context, func(Damage)) error{
			v.verifyPages, v.verifyReferences, v.verifyShared, v.verifyCancels, v.verifySchedules, v.verifyRuns,
		} {
			err := look(ctx, func(d Damage) { found = append(found, d) })
			if err != nil && !corrupt(err) {
				return err
			}
			if err != nil {
				found = append(found, Damage{Message: fmt.Sprintf("a part of the file cannot be read: %v", err)})
			}
		}
		return nil
	})
	return found, err
}

// verifyPages has SQLite check its pages and indexes.
func (v view) verifyPages(ctx context.Context, report func(Damage)) error {
	return v.each(ctx, "PRAGMA integrity_check", nil, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		if err == nil && text != "ok" {
			report(Damage{Message: text})
		}
		return err
	})
}

// verifyReferences finds rows that belong to one that is not there.
func (v view) verifyReferences(ctx context.Context, report func(Damage)) error {
	return v.each(ctx, "PRAGMA foreign_key_check", nil, func(rows *sql.Rows) error {
		var table, parent string
		var row, key any
		err := rows.Scan(&table, &row, &parent, &key)
		if err == nil {
			report(Damage{Message: fmt.Sprintf("a row of %s belongs to one of %s that is missing", table, parent)})
		}
		return err
	})
}

// verifyShared checks the digests of what runs have in common.
func (v view) verifyShared(ctx context.Context, report func(Damage)) error {
	for _, table := range []string{"workflows", "origins"} {
		texts := map[string]string{"workflows": "name, realm", "origins": "body, NULL"}[table]
		err := v.each(ctx, "SELECT digest, "+texts+" FROM "+table, nil, func(rows *sql.Rows) error {
			var sum []byte
			var first string
			var second sql.NullString
			if err := rows.Scan(&sum, &first, &second); err != nil {
				return err
			}
			whole := []string{first}
			if second.Valid {
				whole = append(whole, second.String)
			}
			if !bytes.Equal(digest(whole...), sum) {
				report(Damage{Message: fmt.Sprintf("a row of %s does not fit its digest", table)})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// verifyRuns checks every run with its events and its sources.
func (v view) verifyRuns(ctx context.Context, report func(Damage)) error {
	runs, err := v.allRuns(ctx, report)
	if err != nil {
		return err
	}
	plans := map[int64]error{} // what is wrong with each
	for i := range runs {
		r := &runs[i]
		if err := v.verifyRun(ctx, r, report); err != nil {
			if !corrupt(err) {
				return err
			}
			report(Damage{Run: r.Run, Message: fmt.Sprintf("its events cannot be read: %v", err)})
		}
		wrong, known := plans[r.plan]
		if !known {
			if _, wrong = v.sources(ctx, r.plan); ctx.Err() != nil {
				return wrong
			}
			plans[r.plan] = wrong
		}
		if wrong != nil {
			report(Damage{Run: r.Run, Message: wrong.Error()})
		}
	}
	return nil
}

// allRuns reads the rows of all runs, and reports those that are damaged.
func (v view) allRuns(ctx context.Context, report func(Damage)) ([]storedRun, error) {
	var runs []storedRun
	err := v.each(ctx, "SELECT "+runColumns+" FROM runs ORDER BY number", nil, func(rows *sql.Rows) error {
		var r storedRun
		var damage Damage
		if err := r.scan(rows); errors.As(err, &damage) {
			report(damage)
			return nil
		} else if err != nil {
			return err
		}
		runs = append(runs, r)
		return nil
	})
	return runs, err
}

// verifyRun checks the events of a run, and that they leave it where its row says.
func (v view) verifyRun(ctx context.Context, r *storedRun, report func(Damage)) error {
	var told journal.Summary
	whole := true
	err := v.records(ctx, r, func(e run.Event, damage *Damage) error {
		if damage != nil {
			report(*damage)
			whole = false
			return nil
		}
		told.Observe(e)
		return nil
	})
	if err != nil || !whole {
		return err
	}
	if r.Status == run.Interrupted {
		told.Adopted() // it was taken over, and no event says so
	}
	if told.Status != r.Status || told.Simulated != r.Simulated || !told.StartedAt.Equal(r.StartedAt) || !told.EndedAt.Equal(r.EndedAt) {
		report(Damage{Run: r.Run, Message: fmt.Sprintf("its row says that it is %q, its events that it is %q", r.Status, told.Status)})
	}
	return nil
}
