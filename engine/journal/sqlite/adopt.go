package sqlite

import (
	"context"
	"encoding/json"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// Adopt makes this journal the owner of a run; see [journal.Journal]. Of two that
// try at the same time one comes second, and finds that the run has a living
// owner. The lock file of the owner that is gone is removed.
func (j *Journal) Adopt(ctx context.Context, id string) error {
	var gone string
	err := j.writer.write(ctx, func(ctx context.Context, s *session) error {
		before, err := s.find(ctx, id)
		if err != nil || before.owner == s.owner {
			return err
		}
		switch lives, err := j.owner.lives(before.owner); {
		case err != nil:
			return err
		case lives:
			return refusal{journal.ErrOwned}
		}
		after := *before
		after.owner, after.epoch = s.owner, before.epoch+1
		after.Adopted()
		gone = before.owner
		return s.pass(ctx, before, &after)
	})
	if err == nil {
		j.owner.bury(gone)
	}
	return err
}

// Release gives a run up; see [journal.Journal].
func (j *Journal) Release(ctx context.Context, id string) error {
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		delete(s.held, id)
		before, err := s.own(ctx, id)
		if err != nil {
			return err
		}
		after := *before
		after.owner = ""
		return s.pass(ctx, before, &after)
	})
}

// pass gives a run, whose row was read in this transaction, to another owner.
func (s *session) pass(ctx context.Context, before, after *storedRun) error {
	_, err := after.update(ctx, s, before)
	s.hold(after)
	return err
}

// RequestCancel asks the owner of a run to cancel it; see [journal.Canceller].
func (j *Journal) RequestCancel(ctx context.Context, id string, by *run.Actor) error {
	actor, err := encodeActor(by)
	if err != nil {
		return err
	}
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		r, err := s.find(ctx, id)
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, "INSERT INTO cancels (run, actor, crc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", r.number, actor, cancelCheck(id, actor))
		return err
	})
}

// encodeActor returns an actor as the column has it: JSON text, empty without an actor.
func encodeActor(by *run.Actor) (string, error) {
	if by == nil {
		return "", nil
	}
	text, err := json.Marshal(by)
	return string(text), err
}

// cancelCheck is the checksum of a request to cancel a run. Requests from before the
// third layout have no actor.
func cancelCheck(id, actor string) int64 {
	var c checksum
	c.texts(id)
	if actor != "" {
		c.texts(actor)
	}
	return c.sum()
}
