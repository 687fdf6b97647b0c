package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// A PruneResult says what Prune deleted.
type PruneResult struct {
	Runs  int   // the number of deleted runs
	Bytes int64 // how much smaller the file became
}

// Other writes wait for a transaction of Prune, so each transaction is small.
const (
	runsAtOnce  = 200
	pagesAtOnce = "1000"
)

// Prune deletes the runs that ended before a time, and what only they used, and makes the
// file smaller. Runs that have not ended stay. So does the last successful run of each
// workflow in each realm, which `previous` needs. Prune also removes the lock files of
// owners that are gone.
func (j *Journal) Prune(ctx context.Context, before time.Time) (PruneResult, error) {
	var result PruneResult
	size, err := j.size(ctx)
	for after, more := int64(0), true; err == nil && more; {
		var deleted int
		deleted, after, err = j.pruneSome(ctx, before, after)
		result.Runs += deleted
		more = deleted == runsAtOnce
	}
	if err == nil && result.Runs > 0 {
		if err = j.writer.write(ctx, pruneShared); err == nil {
			err = j.shrink(ctx)
		}
	}
	if err != nil {
		return result, err
	}
	left, err := j.size(ctx)
	if err != nil {
		return result, err
	}
	result.Bytes = max(size-left, 0)
	return result, j.owner.removeLocks()
}

// size returns the size of the file in bytes.
func (j *Journal) size(ctx context.Context) (bytes int64, err error) {
	err = j.view(ctx, func(v view) error {
		return v.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes)
	})
	return bytes, err
}

// pruneSome deletes up to runsAtOnce runs whose numbers are greater than after, in the
// order of their numbers. It returns the last number.
func (j *Journal) pruneSome(ctx context.Context, before time.Time, after int64) (deleted int, last int64, err error) {
	limit, err := nanoseconds(before)
	if err != nil {
		return 0, after, err
	}
	err = j.writer.write(ctx, func(ctx context.Context, s *session) error {
		deleted, last = 0, after // the writer may call this a second time
		const query = `SELECT number FROM runs WHERE number > ? AND ended < ? AND NOT (status = 'success' AND NOT EXISTS (
				SELECT 1 FROM runs AS later WHERE later.workflow = runs.workflow AND later.status = 'success'
				AND (later.ended, later.number) > (runs.ended, runs.number)))
			ORDER BY number LIMIT ?`
		var numbers []int64
		err := s.rows(ctx, query, []any{after, limit, runsAtOnce}, func(rows *sql.Rows) error {
			err := rows.Scan(&last)
			numbers = append(numbers, last)
			return err
		})
		if err != nil {
			return err
		}
		deleted = len(numbers)
		return s.deleteRuns(ctx, numbers)
	})
	return deleted, last, err
}

// deleteRuns deletes runs with their events, by number.
func (s *session) deleteRuns(ctx context.Context, numbers []int64) error {
	for _, number := range numbers {
		for _, statement := range []string{
			"DELETE FROM cancels WHERE run = ?", "DELETE FROM calls WHERE run = ?",
			"DELETE FROM events WHERE run = ?", "DELETE FROM runs WHERE number = ?",
		} {
			if _, err := s.exec(ctx, statement, number); err != nil {
				return err
			}
		}
	}
	return nil
}

// pruneShared deletes the shared rows without a run.
func pruneShared(ctx context.Context, s *session) error {
	for _, statement := range []string{
		"DELETE FROM origins WHERE number NOT IN (SELECT origin FROM events WHERE origin IS NOT NULL)",
		"DELETE FROM workflows WHERE number NOT IN (SELECT workflow FROM runs)",
		"DELETE FROM plans WHERE number NOT IN (SELECT plan FROM runs)",
		"DELETE FROM files WHERE plan NOT IN (SELECT number FROM plans)",
		"DELETE FROM sources WHERE digest NOT IN (SELECT source FROM files)",
	} {
		if _, err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// shrink returns free pages to the file system.
func (j *Journal) shrink(ctx context.Context) error {
	for free := 1; free > 0; {
		err := j.writer.write(ctx, func(ctx context.Context, s *session) error {
			if err := s.rows(ctx, "PRAGMA incremental_vacuum("+pagesAtOnce+")", nil, func(*sql.Rows) error { return nil }); err != nil {
				return err
			}
			return s.row(ctx, "PRAGMA freelist_count", nil, &free)
		})
		if err != nil {
			return err
		}
	}
	// The file shrinks when the write-ahead log is copied into it. If a reader prevents
	// that now, a later checkpoint does it.
	_, err := j.write.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return j.explain(err)
}
