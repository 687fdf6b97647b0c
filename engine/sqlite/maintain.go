package sqlite

import (
	"context"
	"fmt"
	"time"
)

// A Damage is something wrong with the journal.
type Damage struct {
	Run     string // empty when it is not of one run
	Message string
}

// String says what is damaged, and of which run.
func (d Damage) String() string {
	if d.Run == "" {
		return d.Message
	}
	return "run " + d.Run + ": " + d.Message
}

// A verification is what Verify has found so far.
type verification struct{ damages []Damage }

func (v *verification) add(run, message string) {
	v.damages = append(v.damages, Damage{run, message})
}

// Verify reads everything: SQLite's own check of its pages, the checksum of every
// event, that no number is missing, and that every text is the one that was
// recorded.
//
// The error says that it could not look; a damage that it found is none.
func (j *Journal) Verify(ctx context.Context) ([]Damage, error) {
	var v verification
	if err := j.checkPages(ctx, &v); err != nil {
		return v.damages, j.explain(err)
	}
	runs, err := j.allRuns(ctx)
	if err != nil {
		return v.damages, j.explain(err)
	}
	for _, run := range runs {
		if err := j.checkRun(ctx, run, &v); err != nil {
			return v.damages, j.explain(err)
		}
		if _, err := j.Sources(ctx, run.id); err != nil {
			v.add(run.id, err.Error())
		}
	}
	return v.damages, nil
}

func (j *Journal) checkPages(ctx context.Context, v *verification) error {
	rows, err := j.db.QueryContext(ctx, "PRAGMA integrity_check")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			v.add("", text)
		}
	}
	return rows.Err()
}

type numberedRun struct {
	run  int64
	id   string
	last int
}

func (j *Journal) allRuns(ctx context.Context) (runs []numberedRun, err error) {
	rows, err := j.db.QueryContext(ctx, "SELECT run, id, sequence FROM runs ORDER BY run")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r numberedRun
		if err := rows.Scan(&r.run, &r.id, &r.last); err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

func (j *Journal) checkRun(ctx context.Context, run numberedRun, v *verification) error {
	next := 1
	missing := func(until int) {
		for ; next < until; next++ {
			v.add(run.id, fmt.Sprintf("the event %d is missing", next))
		}
	}
	err := j.records(ctx, run.run, func(r *record) error {
		missing(r.sequence)
		next = r.sequence + 1
		if _, err := r.decode(run.id); err != nil {
			v.add(run.id, err.Error())
		}
		return nil
	})
	missing(run.last + 1)
	return err
}

// A PruneResult says what Prune deleted.
type PruneResult struct {
	Runs int
	Size int64 // of the file, in bytes, that was given back
}

// Prune deletes the runs that ended before a time, and gives their space back. A
// run that has not ended stays, and the last successful one of each workflow,
// which `previous` needs.
func (j *Journal) Prune(ctx context.Context, before time.Time) (PruneResult, error) {
	var result PruneResult
	err := j.writer.write(ctx, func(ctx context.Context, c *connection) error {
		deleted, err := c.exec(ctx, `DELETE FROM runs WHERE ended < ? AND run NOT IN (
			SELECT run FROM (
				SELECT run, row_number() OVER (PARTITION BY workflow, realm ORDER BY ended DESC, run DESC) AS place
				FROM runs JOIN origins USING (origin) WHERE state = 'success'
			) WHERE place = 1)`, before.UnixNano())
		if err != nil {
			return err
		}
		n, err := deleted.RowsAffected()
		result.Runs = int(n)
		if err != nil || n == 0 {
			return err
		}
		for _, statement := range []string{
			"DELETE FROM origins WHERE origin NOT IN (SELECT origin FROM runs)",
			"DELETE FROM sources WHERE hash NOT IN (SELECT json_extract(file.value, '$[1]') FROM origins, json_each(origins.files) AS file)",
			"DELETE FROM owners WHERE owner NOT IN (SELECT owner FROM runs WHERE owner IS NOT NULL)",
		} {
			if _, err := c.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	j.owner.sweep()
	if err == nil && result.Runs > 0 {
		result.Size, err = j.shrink(ctx)
	}
	return result, err
}

// shrink writes the file anew without the space that is free.
func (j *Journal) shrink(ctx context.Context) (int64, error) {
	size := func() (n int64) {
		_ = j.db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&n)
		return n
	}
	before := size()
	if _, err := j.db.ExecContext(ctx, "VACUUM"); err != nil {
		return 0, j.explain(err)
	}
	return max(before-size(), 0), nil
}
