package sqlite

import (
	"context"
	"database/sql"
	"errors"
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

// Prune deletes the runs that ended longer ago than an age, and what only they used, and
// makes the file smaller. Runs that have not ended stay. So does the last successful run of
// each workflow in each realm, which `previous` needs. Prune also removes the lock files of
// owners that are gone.
//
// What is old follows from the order in which ends were recorded, because a clock may have
// been wrong when a run ended:
//
//   - The first run in this order that ended within the age is young, and so are all runs
//     after it, whatever their times say.
//   - Of the runs before it, the last one that ended longer ago is old, and so are all runs
//     before that one. A run from the future becomes old in this way when a later run does.
func (j *Journal) Prune(ctx context.Context, now time.Time, age time.Duration) (PruneResult, error) {
	return j.prune(ctx, func(v view) (int64, error) { return v.lastBefore(ctx, now, age) })
}

// longestGap is how much Tidy ages runs for the time between one end and the next.
const longestGap = 24 * time.Hour

// Tidy is the pruning that no person asks for, so it does not believe the clock. It adds up
// the time from each end to the next, and from the last end to now. Each of these counts as
// a day at most, and as half the age at most; a time that goes back counts as nothing. So a
// clock that is a year ahead ages no run by more than a day for each day that it stays wrong.
func (j *Journal) Tidy(ctx context.Context, now time.Time, age time.Duration) (PruneResult, error) {
	return j.prune(ctx, func(v view) (int64, error) { return v.lastOlder(ctx, now, age) })
}

// prune deletes the runs up to the place in the order of ends that find returns.
func (j *Journal) prune(ctx context.Context, find func(view) (int64, error)) (PruneResult, error) {
	var result PruneResult
	var last int64
	size, err := j.size(ctx)
	if err == nil {
		err = j.view(ctx, func(v view) error {
			last, err = find(v)
			return err
		})
	}
	for after, more := int64(0), true; err == nil && more; {
		var deleted int
		deleted, after, err = j.pruneSome(ctx, last, after)
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

// lastBefore returns the place of the last old run, as Prune says; 0 when there is none.
func (v view) lastBefore(ctx context.Context, now time.Time, age time.Duration) (place int64, err error) {
	until, err := nanoseconds(now)
	if err != nil {
		return 0, err
	}
	from, err := nanoseconds(now.Add(-age))
	if err != nil {
		return 0, err
	}
	const query = `SELECT coalesce(max(finish), 0) FROM runs WHERE ended < ?1
		AND finish < (SELECT coalesce(min(finish), 9223372036854775807) FROM runs WHERE ended >= ?1 AND ended <= ?2)`
	err = v.QueryRowContext(ctx, query, from, until).Scan(&place)
	return place, err
}

// lastOlder returns the place of the last old run, as Tidy says; 0 when there is none.
func (v view) lastOlder(ctx context.Context, now time.Time, age time.Duration) (place int64, err error) {
	const newestFirst = "SELECT finish, ended FROM runs WHERE ended IS NOT NULL ORDER BY finish DESC"
	most := min(longestGap, (age+1)/2)
	next, sum := now, time.Duration(0)
	err = v.each(ctx, newestFirst, nil, func(rows *sql.Rows) error {
		var at int64
		if err := rows.Scan(&place, &at); err != nil {
			return err
		}
		ended := instant(at)
		sum += min(max(next.Sub(ended), 0), most)
		if next = ended; sum >= age {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return place, nil
	}
	return 0, err
}

// size returns the size of the file in bytes.
func (j *Journal) size(ctx context.Context) (bytes int64, err error) {
	err = j.view(ctx, func(v view) error {
		return v.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes)
	})
	return bytes, err
}

// pruneSome deletes up to runsAtOnce runs that ended up to a place and whose numbers are
// greater than after, in the order of their numbers. It returns the last number.
func (j *Journal) pruneSome(ctx context.Context, until, after int64) (deleted int, last int64, err error) {
	err = j.writer.write(ctx, func(ctx context.Context, s *session) error {
		deleted, last = 0, after // the writer may call this a second time
		const query = `SELECT number FROM runs WHERE number > ? AND ended IS NOT NULL AND finish <= ?
			AND NOT (status = 'success' AND NOT EXISTS (
				SELECT 1 FROM runs AS later WHERE later.workflow = runs.workflow AND later.status = 'success' AND later.finish > runs.finish))
			ORDER BY number LIMIT ?`
		var numbers []int64
		err := s.rows(ctx, query, []any{after, until, runsAtOnce}, func(rows *sql.Rows) error {
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
