package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A storedRun is a row of `runs`. Its summary has the id, the trigger, the group, the
// status, the number of the last event, and the times of start and end. The name of the
// workflow is in another table.
type storedRun struct {
	number   int64
	workflow int64
	plan     int64
	owner    string
	epoch    int64
	finish   int64 // its place in the order in which ends were recorded; 0: see layout
	journal.Summary
}

// runColumns are the columns that scan reads, in its order.
const runColumns = `runs.number, id, workflow, plan, cause, team, owner, epoch, last, status, simulated, begun, ended, crc, finish, finish_crc`

// scan reads the row of a run and checks it. It reads further columns into more.
func (r *storedRun) scan(row interface{ Scan(...any) error }, more ...any) error {
	var begun int64
	var ended sql.NullInt64
	var crc, finishCRC int64
	into := []any{
		&r.number, &r.Run, &r.workflow, &r.plan, &r.Trigger, &r.Group, &r.owner, &r.epoch, &r.Events, &r.Status, &r.Simulated, &begun, &ended, &crc, &r.finish, &finishCRC,
	}
	if err := row.Scan(append(into, more...)...); err != nil {
		return err
	}
	r.StartedAt = instant(begun)
	if ended.Valid {
		r.EndedAt = instant(ended.Int64)
	}
	if r.check() != crc || r.checkFinish() != finishCRC {
		return Damage{Run: r.Run, Message: "its row does not match its checksum"}
	}
	return nil
}

// begun and ended return the times as they are stored. Both are times of events that
// have records, so nanoseconds cannot fail.
func (r *storedRun) begun() int64 {
	n, _ := nanoseconds(r.StartedAt)
	return n
}

func (r *storedRun) ended() sql.NullInt64 {
	n, _ := nanoseconds(r.EndedAt)
	return sql.NullInt64{Int64: n, Valid: !r.EndedAt.IsZero()}
}

// check returns the checksum of the row.
func (r *storedRun) check() int64 {
	var c checksum
	simulated := int64(0)
	if r.Simulated {
		simulated = 1
	}
	c.texts(r.Run, r.Trigger, r.Group, r.owner, string(r.Status))
	c.integers(r.number, r.workflow, r.plan, r.epoch, int64(r.Events), simulated, r.begun(), r.ended().Int64)
	return c.sum()
}

// checkFinish returns the checksum of what layout 4 added to the row: 0 when it adds nothing.
func (r *storedRun) checkFinish() int64 {
	if r.finish == 0 {
		return 0
	}
	return checkOf(r.Run, strconv.FormatInt(r.finish, 10))
}

// placeOlder gives the ends that older programs recorded their places, in the order of their
// times, after all ends that have a place. If this fails, the next Open tries again.
func (s *session) placeOlder(ctx context.Context) {
	var some bool
	if err := s.row(ctx, "SELECT EXISTS (SELECT 1 FROM runs WHERE finish = 0 AND ended IS NOT NULL)", nil, &some); err != nil || !some {
		return
	}
	_, _ = s.commit([]*change{{do: func(ctx context.Context, s *session) error {
		var older []storedRun
		err := s.rows(ctx, "SELECT id, number FROM runs WHERE finish = 0 AND ended IS NOT NULL ORDER BY ended, number", nil, func(rows *sql.Rows) error {
			var r storedRun
			err := rows.Scan(&r.Run, &r.number)
			older = append(older, r)
			return err
		})
		for i := range older {
			r := &older[i]
			if err == nil {
				err = s.row(ctx, nextPlace, nil, &r.finish)
			}
			if err == nil {
				_, err = s.exec(ctx, "UPDATE runs SET finish = ?, finish_crc = ? WHERE number = ?", r.finish, r.checkFinish(), r.number)
			}
		}
		return err
	}}})
}

// insert stores the row.
func (r *storedRun) insert(ctx context.Context, s *session) error {
	_, err := s.exec(ctx, `INSERT INTO runs (number, id, workflow, plan, cause, team, owner, epoch, last, status, simulated, begun, ended, crc, finish, finish_crc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.number, r.Run, r.workflow, r.plan, r.Trigger, r.Group, r.owner, r.epoch, r.Events, string(r.Status), r.Simulated, r.begun(), r.ended(), r.check(), r.finish, r.checkFinish())
	return err
}

// nextPlace reads the next place in the order of ends.
const nextPlace = "SELECT coalesce(max(finish), 0) + 1 FROM runs WHERE finish > 0"

// place gives a run that ends with these events the next place in the order of ends. The
// writes of all processes come one after the other, so this is the order in which ends were
// recorded, whatever the clocks of the processes showed.
func (r *storedRun) place(ctx context.Context, s *session, events []run.Event) error {
	ends := func(e run.Event) bool { return e.Kind == run.EventFinished || e.Kind == run.EventSkipped }
	switch {
	case r.EndedAt.IsZero():
		r.finish = 0
		return nil
	case !slices.ContainsFunc(events, ends):
		return nil // an event after the end, such as a decision about a call
	}
	return s.row(ctx, nextPlace, nil, &r.finish)
}

// update writes the new state if the row still matches before (owner, epoch, last event),
// and reports whether it did.
func (r *storedRun) update(ctx context.Context, s *session, before *storedRun) (done bool, err error) {
	result, err := s.exec(ctx, `UPDATE runs SET owner = ?, epoch = ?, last = ?, status = ?, simulated = ?, ended = ?, crc = ?, finish = ?, finish_crc = ?
		WHERE number = ? AND id = ? AND owner = ? AND epoch = ? AND last = ?`,
		r.owner, r.epoch, r.Events, string(r.Status), r.Simulated, r.ended(), r.check(), r.finish, r.checkFinish(),
		before.number, before.Run, before.owner, before.epoch, before.Events)
	if err != nil {
		return false, err
	}
	rows, err := result.RowsAffected()
	return rows == 1, err
}

// find reads the row of a run by its id.
func (s *session) find(ctx context.Context, id string) (*storedRun, error) {
	statement, err := s.prepare(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?")
	if err != nil {
		return nil, err
	}
	var r storedRun
	err = r.scan(statement.QueryRowContext(ctx, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = refusal{journal.ErrNoRun}
	}
	return &r, err
}

// own returns the row of a run of this owner, as it read or wrote the row last. If
// another owner has changed the row since, update does not match.
func (s *session) own(ctx context.Context, id string) (*storedRun, error) {
	if r := s.held[id]; r != nil {
		return r, nil
	}
	r, err := s.find(ctx, id)
	if err == nil && r.owner != s.owner {
		err = refusal{journal.ErrNotOwner}
	}
	return r, err
}

// hold remembers the row of a run of this owner until the run ends.
func (s *session) hold(r *storedRun) {
	if r.owner == s.owner && r.EndedAt.IsZero() {
		s.held[r.Run] = r
	} else {
		delete(s.held, r.Run)
	}
}
