package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// A PruneResult says what Prune did.
type PruneResult struct {
	Runs  int   // that were deleted
	Bytes int64 // by which the file became smaller
}

// How much Prune does in one transaction, for which other writes wait.
const (
	runsAtOnce  = 200
	pagesAtOnce = "1000"
)

// Prune deletes the runs that ended before a time, and what only they used, and
// gives the space back. A run that has not ended stays, and so does the last
// successful one of each workflow in each realm, which `previous` needs. Lock
// files of owners that are gone are removed, too.
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
	return result, j.owner.buryAll()
}

// size is that of the file, in bytes.
func (j *Journal) size(ctx context.Context) (bytes int64, err error) {
	err = j.view(ctx, func(v view) error {
		return v.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes)
	})
	return bytes, err
}

// pruneSome deletes some of the runs that are to be deleted, in the order of their
// numbers: those after a number. It returns the last one.
func (j *Journal) pruneSome(ctx context.Context, before time.Time, after int64) (deleted int, last int64, err error) {
	limit, err := nanoseconds(before)
	if err != nil {
		return 0, after, err
	}
	err = j.writer.write(ctx, func(ctx context.Context, s *session) error {
		deleted, last = 0, after // it may be tried again
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

// pruneShared deletes what no run uses any more.
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

// shrink gives free pages back to the file system.
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
	// The pages are in the write-ahead log until they are copied. When a reader is
	// in the way a later copy does it.
	_, err := j.write.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return j.explain(err)
}
