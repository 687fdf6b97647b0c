package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

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

// encodeActor returns an actor as it is stored: JSON text; empty without an actor.
func encodeActor(by *run.Actor) (string, error) {
	if by == nil {
		return "", nil
	}
	text, err := json.Marshal(by)
	return string(text), err
}

// cancelCheck returns the checksum of a request to cancel a run. Requests from before
// layout 3 have no actor.
func cancelCheck(id, actor string) int64 {
	var c checksum
	c.texts(id)
	if actor != "" {
		c.texts(actor)
	}
	return c.sum()
}

// CancelRequested returns the request to cancel a run; see [journal.Canceller].
func (j *Journal) CancelRequested(ctx context.Context, id string) (request *journal.CancelRequest, err error) {
	err = j.view(ctx, func(v view) error {
		r, err := v.find(ctx, id)
		if err != nil {
			return err
		}
		var actor string
		var crc int64
		err = v.QueryRowContext(ctx, "SELECT actor, crc FROM cancels WHERE run = ?", r.number).Scan(&actor, &crc)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		case crc != cancelCheck(id, actor):
			return Damage{Run: id, Message: "the request to cancel it does not match its checksum"}
		}
		request = &journal.CancelRequest{}
		if actor != "" {
			return json.Unmarshal([]byte(actor), &request.Actor)
		}
		return nil
	})
	return request, err
}

// verifyCancels reports requests that do not match their checksums.
func (v view) verifyCancels(ctx context.Context, report func(Damage)) error {
	return v.each(ctx, "SELECT id, actor, cancels.crc FROM cancels JOIN runs ON number = run", nil, func(rows *sql.Rows) error {
		var id, actor string
		var crc int64
		err := rows.Scan(&id, &actor, &crc)
		if err == nil && crc != cancelCheck(id, actor) {
			report(Damage{Run: id, Message: "the request to cancel it does not match its checksum"})
		}
		return err
	})
}
