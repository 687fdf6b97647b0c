package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pdflow/pdflow/engine/journal"
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
	journal.Summary
}

// runColumns are the columns that scan reads, in its order.
const runColumns = `runs.number, id, workflow, plan, cause, team, owner, epoch, last, status, simulated, begun, ended, crc`

// scan reads the row of a run and checks it. It reads further columns into more.
func (r *storedRun) scan(row interface{ Scan(...any) error }, more ...any) error {
	var begun int64
	var ended sql.NullInt64
	var crc int64
	into := []any{
		&r.number, &r.Run, &r.workflow, &r.plan, &r.Trigger, &r.Group, &r.owner, &r.epoch, &r.Events, &r.Status, &r.Simulated, &begun, &ended, &crc,
	}
	if err := row.Scan(append(into, more...)...); err != nil {
		return err
	}
	r.StartedAt = instant(begun)
	if ended.Valid {
		r.EndedAt = instant(ended.Int64)
	}
	if r.check() != crc {
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

// insert stores the row.
func (r *storedRun) insert(ctx context.Context, s *session) error {
	_, err := s.exec(ctx, `INSERT INTO runs (number, id, workflow, plan, cause, team, owner, epoch, last, status, simulated, begun, ended, crc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.number, r.Run, r.workflow, r.plan, r.Trigger, r.Group, r.owner, r.epoch, r.Events, string(r.Status), r.Simulated, r.begun(), r.ended(), r.check())
	return err
}

// update writes the new state if the row still matches before (owner, epoch, last event),
// and reports whether it did.
func (r *storedRun) update(ctx context.Context, s *session, before *storedRun) (done bool, err error) {
	result, err := s.exec(ctx, `UPDATE runs SET owner = ?, epoch = ?, last = ?, status = ?, simulated = ?, ended = ?, crc = ?
		WHERE number = ? AND id = ? AND owner = ? AND epoch = ? AND last = ?`,
		r.owner, r.epoch, r.Events, string(r.Status), r.Simulated, r.ended(), r.check(),
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
