package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Events returns the events of a run in order; see [engine.Journal].
func (j *Journal) Events(ctx context.Context, run string) ([]engine.Event, error) {
	var number int64
	var last int
	err := j.db.QueryRowContext(ctx, "SELECT run, sequence FROM runs WHERE id = ?", run).Scan(&number, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, engine.ErrNoRun
	}
	if err != nil {
		return nil, j.explain(err)
	}
	events := make([]engine.Event, 0, last)
	err = j.records(ctx, number, func(r *record) error {
		e, err := r.decode(run)
		switch {
		case err != nil:
			return err
		case e.Sequence > last:
			return nil // it was added after the row was read
		case e.Sequence != len(events)+1:
			return fmt.Errorf("the event %d of the run %s is missing", len(events)+1, run)
		}
		events = append(events, e)
		return nil
	})
	if err == nil && len(events) < last {
		err = fmt.Errorf("the event %d of the run %s is missing", len(events)+1, run)
	}
	if err != nil {
		return nil, j.explain(err)
	}
	return events, nil
}

// records visits the records of a run, those of calls too, in their order.
func (j *Journal) records(ctx context.Context, run int64, visit func(*record) error) error {
	rows, err := j.db.QueryContext(ctx, `SELECT sequence, kind, time, data, crc FROM events WHERE run = ?1
		UNION ALL SELECT sequence, kind, time, data, crc FROM calls WHERE run = ?1 ORDER BY sequence`, run)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.sequence, &r.kind, &r.time, &r.data, &r.crc); err != nil {
			return err
		}
		if err := visit(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Sources returns the texts that a run was made from; see [engine.Journal].
func (j *Journal) Sources(ctx context.Context, run string) ([]workflow.Source, error) {
	var text string
	err := j.db.QueryRowContext(ctx, "SELECT files FROM runs JOIN origins USING (origin) WHERE id = ?", run).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, engine.ErrNoRun
	}
	if err != nil {
		return nil, j.explain(err)
	}
	var files [][2]string
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		return nil, j.explain(fmt.Errorf("the list of files of the run %s is damaged: %w", run, err))
	}
	sources := make([]workflow.Source, len(files))
	for i, file := range files {
		sources[i].Name = file[0]
		err := j.db.QueryRowContext(ctx, "SELECT text FROM sources WHERE hash = ?", file[1]).Scan(&sources[i].Text)
		if err == nil && sources[i].Hash() != file[1] {
			err = errors.New("it is not the text that was recorded")
		}
		if err != nil {
			return nil, j.explain(fmt.Errorf("the text of %s, of the run %s: %w", file[0], run, err))
		}
	}
	return sources, nil
}

// Runs returns runs, the newest first; see [engine.Journal].
func (j *Journal) Runs(ctx context.Context, q engine.RunQuery) ([]engine.RunSummary, error) {
	query := `SELECT id, workflow, realm, cause, coalesce(pool, ''), state, coalesce(name, ''), sequence, begun, ended
		FROM runs JOIN origins USING (origin) LEFT JOIN owners USING (owner) WHERE 1`
	var args []any
	add := func(condition string, values ...any) {
		query += " AND " + condition
		args = append(args, values...)
	}
	if q.Run != "" {
		add("substr(id, 1, ?) = ?", len([]rune(q.Run)), q.Run)
	}
	if q.Workflow != "" {
		add("workflow = ?", q.Workflow)
	}
	if !q.Since.IsZero() {
		add("begun >= ?", q.Since.UnixNano())
	}
	rows, err := j.db.QueryContext(ctx, query+" ORDER BY begun DESC, run DESC", args...)
	if err != nil {
		return nil, j.explain(err)
	}
	defer rows.Close()
	var runs []engine.RunSummary
	for rows.Next() && (q.Limit == 0 || len(runs) < q.Limit) {
		run, err := j.summary(rows)
		if err != nil {
			return nil, j.explain(err)
		}
		if matches(run.Status, q.Statuses) {
			runs = append(runs, run)
		}
	}
	return runs, j.explain(rows.Err())
}

func matches(status engine.Status, wanted []engine.Status) bool {
	for _, s := range wanted {
		if s == status {
			return true
		}
	}
	return len(wanted) == 0
}

func (j *Journal) summary(rows *sql.Rows) (s engine.RunSummary, err error) {
	var realm, owner string
	var begun int64
	var ended sql.NullInt64
	if err := rows.Scan(&s.Run, &s.Workflow, &realm, &s.Trigger, &s.Group, &s.Status, &owner, &s.Events, &begun, &ended); err != nil {
		return s, err
	}
	s.BegunAt, s.Simulated = time.Unix(0, begun).UTC(), realm == engine.Target{Simulator: "any"}.Realm()
	if ended.Valid {
		s.EndedAt = time.Unix(0, ended.Int64).UTC()
	}
	s.Live = j.owner.lives(owner)
	if !s.Live && (s.Status == engine.Running || s.Status == engine.Queued) {
		s.Status = engine.Interrupted
	}
	return s, nil
}

// Previous returns the last successful run of a workflow; see [engine.Journal].
func (j *Journal) Previous(ctx context.Context, workflow, realm string) (*engine.Previous, error) {
	var run int64
	var id string
	err := j.db.QueryRowContext(ctx, `SELECT run, id FROM origins JOIN runs USING (origin)
		WHERE workflow = ? AND realm = ? AND state = 'success' ORDER BY ended DESC, run DESC LIMIT 1`, workflow, realm).Scan(&run, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, j.explain(err)
	}
	var r record
	err = j.db.QueryRowContext(ctx, "SELECT sequence, kind, time, data, crc FROM events WHERE run = ? ORDER BY sequence DESC LIMIT 1", run).
		Scan(&r.sequence, &r.kind, &r.time, &r.data, &r.crc)
	if err != nil {
		return nil, j.explain(err)
	}
	e, err := r.decode(id)
	if err != nil {
		return nil, j.explain(err)
	}
	return &engine.Previous{Outputs: e.Outputs, Status: e.Status, EndedAt: e.Time}, nil
}

// CancelRequested reports whether somebody asked to cancel a run; see
// [engine.Journal].
func (j *Journal) CancelRequested(ctx context.Context, run string) (asked bool, err error) {
	err = j.db.QueryRowContext(ctx, "SELECT cancel FROM runs WHERE id = ?", run).Scan(&asked)
	if errors.Is(err, sql.ErrNoRows) {
		return false, engine.ErrNoRun
	}
	return asked, j.explain(err)
}
