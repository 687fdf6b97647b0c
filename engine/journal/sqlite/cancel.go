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
		_, err = s.exec(ctx, "INSERT INTO cancels (run, crc, actor, actor_crc) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", r.number, checkOf(id), actor, checkOf(id, actor))
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

// checkOf returns the checksum of texts.
func checkOf(texts ...string) int64 {
	var c checksum
	c.texts(texts...)
	return c.sum()
}

// matches reports whether a request matches its checksums. A request by a program that
// knows only layout 2 has no actor and no checksum of one.
func (r *cancelRow) matches(id string) bool {
	return r.crc == checkOf(id) && (r.actor == "" && r.actorCRC == 0 || r.actorCRC == checkOf(id, r.actor))
}

// A cancelRow is a request as it is stored.
type cancelRow struct {
	crc, actorCRC int64
	actor         string
}

// CancelRequested returns the request to cancel a run; see [journal.Canceller].
func (j *Journal) CancelRequested(ctx context.Context, id string) (request *journal.CancelRequest, err error) {
	err = j.view(ctx, func(v view) error {
		r, err := v.find(ctx, id)
		if err != nil {
			return err
		}
		var row cancelRow
		err = v.QueryRowContext(ctx, "SELECT crc, actor, actor_crc FROM cancels WHERE run = ?", r.number).Scan(&row.crc, &row.actor, &row.actorCRC)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		case !row.matches(id):
			return Damage{Run: id, Message: "the request to cancel it does not match its checksum"}
		}
		request = &journal.CancelRequest{}
		if row.actor != "" {
			return json.Unmarshal([]byte(row.actor), &request.Actor)
		}
		return nil
	})
	return request, err
}

// verifyCancels reports requests that do not match their checksums.
func (v view) verifyCancels(ctx context.Context, report func(Damage)) error {
	return v.each(ctx, "SELECT id, cancels.crc, actor, actor_crc FROM cancels JOIN runs ON number = run", nil, func(rows *sql.Rows) error {
		var id string
		var row cancelRow
		err := rows.Scan(&id, &row.crc, &row.actor, &row.actorCRC)
		if err == nil && !row.matches(id) {
			report(Damage{Run: id, Message: "the request to cancel it does not match its checksum"})
		}
		return err
	})
}
