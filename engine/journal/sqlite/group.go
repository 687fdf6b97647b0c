package sqlite

import (
	"context"
	"database/sql"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// enter refuses events that start a run while its group is busy: with runs of
// living owners that have started and neither ended nor been suspended, or that
// were queued before it.
func (j *Journal) enter(ctx context.Context, s *session, r *storedRun, events []run.Event) error {
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
