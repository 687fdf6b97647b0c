package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// Begin stores a new run with its first events; see [journal.Appender].
func (j *Journal) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	if len(events) == 0 {
		return fmt.Errorf("%w: a new run needs its first event", journal.ErrSequence)
	}
	records, err := encodeAll(entry.Run, 0, events)
	if err != nil {
		return err
	}
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		number, taken := int64(0), false
		const query = "SELECT coalesce((SELECT max(number) FROM runs), 0) + 1, EXISTS (SELECT 1 FROM runs WHERE id = ?)"
		if err := s.row(ctx, query, []any{entry.Run}, &number, &taken); err != nil {
			return err
		}
		if taken {
			return refusal{journal.ErrExists}
		}
		r := &storedRun{number: number, owner: s.owner, epoch: 1, Summary: journal.Summary{
			Run: entry.Run, Workflow: entry.Workflow, Trigger: entry.Trigger, Group: entry.Group,
		}}
		for _, e := range events {
			r.Observe(e)
		}
		if err := j.checkGroup(ctx, s, r, events); err != nil {
			return err
		}
		if err := r.place(ctx, s, events); err != nil {
			return err
		}
		if err := s.insertRun(ctx, r, entry); err != nil {
			return err
		}
		return s.insert(ctx, r, records)
	})
}

// encodeAll returns the records of events that follow the event last of a run.
func encodeAll(id string, last int, events []run.Event) ([]record, error) {
	if err := journal.Follow(id, last, events); err != nil {
		return nil, err
	}
	records := make([]record, len(events))
	for i, e := range events {
		var err error
		if records[i], err = encode(e); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// insertRun stores the row of a new run, and the shared rows that it refers to.
func (s *session) insertRun(ctx context.Context, r *storedRun, entry journal.Entry) (err error) {
	if r.workflow, err = s.shareWorkflow(ctx, entry); err != nil {
		return err
	}
	if r.plan, err = s.sharePlan(ctx, entry.Sources); err != nil {
		return err
	}
	if err := r.insert(ctx, s); err != nil {
		return err
	}
	s.hold(r)
	return nil
}

// insert stores records of a run.
func (s *session) insert(ctx context.Context, r *storedRun, records []record) error {
	for i := range records {
		if err := s.insertRecord(ctx, r, &records[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) insertRecord(ctx context.Context, r *storedRun, c *record) error {
	if c.call() {
		_, err := s.exec(ctx, `INSERT INTO calls (run, sequence, time, kind, step, item, attempt, number, body, crc)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.number, c.sequence, c.time, string(c.kind), c.step, c.item, c.attempt, c.number, blob(c.body), c.check(r.Run))
		return err
	}
	var origin sql.NullInt64
	if c.origin != nil {
		number, err := s.shareOrigin(ctx, c.origin)
		if err != nil {
			return err
		}
		origin = sql.NullInt64{Int64: number, Valid: true}
	}
	_, err := s.exec(ctx, `INSERT INTO events (run, sequence, time, kind, step, item, attempt, origin, body, crc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.number, c.sequence, c.time, string(c.kind), c.step, c.item, c.attempt, origin, blob(c.body), c.check(r.Run))
	return err
}

// blob returns b, or an empty blob instead of NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Append adds events to a run; see [journal.Appender]. The context ends the wait for the
// writer. Once the writer has the events, Append waits for the disk.
func (j *Journal) Append(ctx context.Context, id string, events []run.Event) error {
	if len(events) == 0 {
		return nil
	}
	do, err := j.appending(id, events)
	if err != nil {
		return err
	}
	return j.writer.write(ctx, do)
}

// appending returns the change that Append makes.
func (j *Journal) appending(id string, events []run.Event) (func(context.Context, *session) error, error) {
	last := events[0].Sequence - 1
	records, err := encodeAll(id, last, events)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, s *session) error {
		before, err := s.own(ctx, id)
		if err != nil {
			return err
		}
		if before.Events != last {
			return s.mismatch(ctx, id)
		}
		after := *before
		for _, e := range events {
			after.Observe(e)
		}
		if err := j.checkGroup(ctx, s, &after, events); err != nil {
			return err
		}
		if err := after.place(ctx, s, events); err != nil {
			return err
		}
		switch done, err := after.update(ctx, s, before); {
		case err != nil:
			return err
		case !done:
			return s.mismatch(ctx, id)
		}
		s.hold(&after)
		if err := s.endRequest(ctx, &after, events); err != nil {
			return err
		}
		return s.insert(ctx, &after, records)
	}, nil
}

// mismatch returns why a write to a run does not match its row: another owner has it, or the
// sequence numbers do not follow.
func (s *session) mismatch(ctx context.Context, id string) error {
	delete(s.held, id)
	if _, err := s.own(ctx, id); err != nil {
		return err
	}
	return refusal{journal.ErrSequence}
}

// endRequest deletes the request to cancel a run when it is resumed or retried.
func (s *session) endRequest(ctx context.Context, r *storedRun, events []run.Event) error {
	again := func(e run.Event) bool { return e.Kind == run.EventResumed || e.Kind == run.EventRetried }
	if !slices.ContainsFunc(events, again) {
		return nil
	}
	_, err := s.exec(ctx, "DELETE FROM cancels WHERE run = ?", r.number)
	return err
}

// checkGroup refuses events that make a run claim its group while another run of the group
// with a living owner is running or was queued before.
func (j *Journal) checkGroup(ctx context.Context, s *session, r *storedRun, events []run.Event) error {
	if r.Group == "" || r.Status == run.Queued || !journal.Claims(events) {
		return nil
	}
	var open []storedRun
	err := s.rows(ctx, "SELECT "+runColumns+" FROM runs WHERE team = ? AND team <> '' AND ended IS NULL ORDER BY number", []any{r.Group}, func(rows *sql.Rows) error {
		var other storedRun
		err := other.scan(rows)
		open = append(open, other)
		return err
	})
	if err != nil {
		return err
	}
	busy := &journal.BusyError{Group: r.Group}
	for _, other := range open {
		before := other.Status == run.Queued && other.number < r.number
		if other.Run == r.Run || other.Status != run.Running && !before {
			continue
		}
		lives, err := j.owner.lives(other.owner)
		if err != nil {
			return err
		}
		if lives {
			busy.Runs = append(busy.Runs, other.Run)
		}
	}
	if len(busy.Runs) > 0 {
		return refusal{busy}
	}
	return nil
}
