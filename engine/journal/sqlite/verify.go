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

// A Damage is a part of the journal that is not as it was recorded.
type Damage struct {
	Run      string // the id of the run; empty when it concerns no single run
	Sequence int    // of the event; 0 when it concerns no single event
	Message  string
}

// String returns the message, with the run and the event before it.
func (d Damage) String() string {
	switch {
	case d.Run == "":
		return d.Message
	case d.Sequence == 0:
		return fmt.Sprintf("run %s: %s", d.Run, d.Message)
	}
	return fmt.Sprintf("run %s: event %d: %s", d.Run, d.Sequence, d.Message)
}

// Error returns the same text: a Damage is the error of a read of the damaged part.
func (d Damage) Error() string { return d.String() }

// Verify reads the whole journal and returns what is damaged. It uses SQLite's own checks
// of pages, indexes and references. It checks the checksum of every row, the order of the
// events of every run, and that they lead to the state in the row of the run. The error
// says why it could not read.
func (j *Journal) Verify(ctx context.Context) ([]Damage, error) {
	var found []Damage
	err := j.view(ctx, func(v view) error {
		for _, verify := range []func(context.Context, func(Damage)) error{
			v.verifyPages, v.verifyReferences, v.verifyShared, v.verifyCancels, v.verifySchedules, v.verifyNames, v.verifyRuns,
		} {
			err := verify(ctx, func(d Damage) { found = append(found, d) })
			if err != nil && !corrupt(err) {
				return err
			}
			if err != nil {
				found = append(found, Damage{Message: fmt.Sprintf("part of the file cannot be read: %v", err)})
			}
		}
		return nil
	})
	return found, err
}

// verifyPages runs SQLite's check of pages and indexes.
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

// verifyReferences reports rows that refer to a missing row.
func (v view) verifyReferences(ctx context.Context, report func(Damage)) error {
	return v.each(ctx, "PRAGMA foreign_key_check", nil, func(rows *sql.Rows) error {
		var table, parent string
		var row, key any
		err := rows.Scan(&table, &row, &parent, &key)
		if err == nil {
			report(Damage{Message: fmt.Sprintf("a row of %s refers to a row of %s that is missing", table, parent)})
		}
		return err
	})
}

// verifyShared reports shared rows that do not match their digests. Plans are checked with
// the runs.
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
				report(Damage{Message: fmt.Sprintf("a row of %s does not match its digest", table)})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// verifyRuns checks every run, with its events and its sources.
func (v view) verifyRuns(ctx context.Context, report func(Damage)) error {
	runs, err := v.allRuns(ctx, report)
	if err != nil {
		return err
	}
	plans := map[int64]error{} // the error of each plan that was checked
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

// allRuns returns the rows of all runs, and reports the damaged ones.
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

// verifyRun checks the events of a run, and that they lead to the state in its row.
func (v view) verifyRun(ctx context.Context, r *storedRun, report func(Damage)) error {
	var computed journal.Summary
	whole := true
	err := v.records(ctx, r, func(e run.Event, damage *Damage) error {
		if damage != nil {
			report(*damage)
			whole = false
			return nil
		}
		computed.Observe(e)
		return nil
	})
	if err != nil || !whole {
		return err
	}
	if r.Status == run.Interrupted {
		computed.Adopted() // no event says that a run was adopted
	}
	if computed.Status != r.Status || computed.Simulated != r.Simulated || !computed.StartedAt.Equal(r.StartedAt) || !computed.EndedAt.Equal(r.EndedAt) {
		report(Damage{Run: r.Run, Message: fmt.Sprintf("its row says that it is %q, but its events say that it is %q", r.Status, computed.Status)})
	}
	return nil
}
