package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A view is a transaction that reads one state of the database.
type view struct{ *sql.Tx }

// view calls do with a view.
func (j *Journal) view(ctx context.Context, do func(view) error) error {
	select {
	case <-j.writer.closing:
		return ErrClosed
	default:
	}
	tx, err := j.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		defer func() { _ = tx.Rollback() }() // nothing was written
		err = do(view{tx})
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return j.explain(err)
}

// each visits the rows of a query.
func (v view) each(ctx context.Context, query string, args []any, visit func(*sql.Rows) error) error {
	rows, err := v.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return each(rows, visit)
}

// find reads the row of a run by its id.
func (v view) find(ctx context.Context, id string) (r storedRun, err error) {
	err = r.scan(v.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		err = refusal{journal.ErrNoRun}
	}
	return r, err
}

// Events returns the events of a run in order; see [journal.Reader].
func (j *Journal) Events(ctx context.Context, id string) ([]run.Event, error) {
	var events []run.Event
	err := j.view(ctx, func(v view) error {
		r, err := v.find(ctx, id)
		if err != nil {
			return err
		}
		return v.records(ctx, &r, func(e run.Event, damage *Damage) error {
			if damage != nil {
				return *damage
			}
			events = append(events, e)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}

// finishedQuery reads the last run.finished of a run, recordsQuery all its records.
const (
	finishedQuery = `SELECT sequence, time, kind, step, item, attempt, 0, NULL, body, crc
			FROM events WHERE run = ? AND kind = 'run.finished' ORDER BY sequence DESC LIMIT 1`
	recordsQuery = `SELECT sequence, time, kind, step, item, attempt, 0, origins.body, events.body, crc
			FROM events LEFT JOIN origins ON origins.number = origin WHERE run = ?1
		UNION ALL
		SELECT sequence, time, kind, step, item, attempt, number, NULL, body, crc FROM calls WHERE run = ?1
		ORDER BY sequence`
)

// records visits the events of a run in order. In place of a damaged or missing event it
// visits the damage.
func (v view) records(ctx context.Context, r *storedRun, visit func(run.Event, *Damage) error) error {
	next := 1
	missing := func(until int) error {
		first := next
		if next = until; first < until {
			return visit(run.Event{}, &Damage{r.Run, first, fmt.Sprintf("it is missing, and so are all events up to event %d", until-1)})
		}
		return nil
	}
	err := v.each(ctx, recordsQuery, []any{r.number}, func(rows *sql.Rows) error {
		var c record
		e, err := c.scan(rows, r.Run)
		if err := missing(c.sequence); err != nil {
			return err
		}
		switch {
		case err != nil:
			err = visit(run.Event{}, &Damage{r.Run, c.sequence, err.Error()})
		case c.sequence != next || next > r.Events:
			err = visit(run.Event{}, &Damage{r.Run, c.sequence, fmt.Sprintf("it does not belong there: the run has %d events", r.Events)})
		default:
			err = visit(e, nil)
		}
		next = c.sequence + 1
		return err
	})
	if err != nil {
		return err
	}
	return missing(r.Events + 1)
}

// scan reads a row and returns its event. The id is the id of the run.
func (c *record) scan(rows *sql.Rows, id string) (run.Event, error) {
	var crc int64
	err := rows.Scan(&c.sequence, &c.time, &c.kind, &c.step, &c.item, &c.attempt, &c.number, &c.origin, &c.body, &crc)
	if err != nil {
		return run.Event{}, err
	}
	if c.check(id) != crc {
		return run.Event{}, errors.New("it does not match its checksum")
	}
	return c.decode(id)
}

// Sources returns the texts that a run was started from; see [journal.Reader].
func (j *Journal) Sources(ctx context.Context, id string) ([]workflow.Source, error) {
	var sources []workflow.Source
	err := j.view(ctx, func(v view) error {
		r, err := v.find(ctx, id)
		if err != nil {
			return err
		}
		if sources, err = v.sources(ctx, r.plan); err != nil {
			var damage Damage
			if errors.As(err, &damage) {
				damage.Run = id
				return damage
			}
		}
		return err
	})
	return sources, err
}

// sources reads the texts of a plan. A text that was changed is a Damage.
func (v view) sources(ctx context.Context, plan int64) (sources []workflow.Source, err error) {
	var files []planFile
	const query = `SELECT name, source, text FROM files LEFT JOIN sources ON digest = source WHERE plan = ? ORDER BY position`
	err = v.each(ctx, query, []any{plan}, func(rows *sql.Rows) error {
		var f planFile
		var text []byte
		if err := rows.Scan(&f.name, &f.source, &text); err != nil {
			return err
		}
		if !bytes.Equal(digestText(text), f.source) {
			return Damage{Message: fmt.Sprintf("the text of its file %s is not the text that was recorded", f.name)}
		}
		files = append(files, f)
		sources = append(sources, workflow.Source{Name: f.name, Text: text})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var sum []byte
	err = v.QueryRowContext(ctx, "SELECT digest FROM plans WHERE number = ?", plan).Scan(&sum)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(digestPlan(files), sum) {
		err = Damage{Message: "its files are not the files that were recorded"}
	}
	return sources, err
}

// Previous returns the last successful run of a workflow in a realm; see
// [journal.Reader].
func (j *Journal) Previous(ctx context.Context, workflow, realm string) (*run.Previous, error) {
	var previous *run.Previous
	err := j.view(ctx, func(v view) error {
		var r storedRun
		err := r.scan(v.QueryRowContext(ctx, "SELECT "+runColumns+` FROM runs
			WHERE workflow = (SELECT number FROM workflows WHERE digest = ?) AND status = 'success'
			ORDER BY finish DESC, number DESC LIMIT 1`, digest(workflow, realm)))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		err = v.each(ctx, finishedQuery, []any{r.number}, func(rows *sql.Rows) error {
			var c record
			e, err := c.scan(rows, r.Run)
			if err != nil {
				return Damage{r.Run, c.sequence, err.Error()}
			}
			previous = &run.Previous{Outputs: e.Outputs, Status: e.Status, EndedAt: e.Time}
			return nil
		})
		if err == nil && (previous == nil || previous.Status != run.Success || !previous.EndedAt.Equal(r.EndedAt)) {
			err = Damage{Run: r.Run, Message: "its row says that it succeeded, but its events do not"}
		}
		return err
	})
	return previous, err
}

// Runs returns the runs that a query selects, the newest first; see [journal.Reader].
func (j *Journal) Runs(ctx context.Context, query journal.Query) ([]journal.Summary, error) {
	var found []journal.Summary
	living := map[string]bool{}
	err := j.view(ctx, func(v view) error {
		err := v.list(ctx, query, func(r *storedRun) error {
			lives, known := living[r.owner]
			if !known {
				var err error
				// An owner whose lock file cannot be read counts as living. In a list that
				// does no harm, and the other runs are still shown. Adopt refuses the run.
				if lives, err = j.owner.lives(r.owner); err != nil && !errors.Is(err, fs.ErrPermission) {
					return err
				}
				lives = lives || err != nil
				living[r.owner] = lives
			}
			r.SetLive(lives, r.owner != "")
			if query.Matches(r.Summary) {
				found = append(found, r.Summary)
			}
			if query.Limit > 0 && len(found) == query.Limit {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// errEnough ends a list at its limit.
var errEnough = errors.New("the list is long enough")

// list visits the runs that a query may select, the newest first. It ignores the status.
func (v view) list(ctx context.Context, query journal.Query, visit func(*storedRun) error) error {
	text, args := listQuery(query)
	return v.each(ctx, text, args, func(rows *sql.Rows) error {
		var r storedRun
		var name, realm sql.NullString
		var sum []byte
		if err := r.scan(rows, &name, &realm, &sum); err != nil {
			return err
		}
		if !bytes.Equal(digest(name.String, realm.String), sum) {
			return Damage{Run: r.Run, Message: "the name of its workflow is not the name that was recorded"}
		}
		r.Workflow = name.String
		return visit(&r)
	})
}

// listQuery returns the SQL text of a query and its arguments.
func listQuery(query journal.Query) (text string, args []any) {
	where := []string{"true"}
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if query.Run != "" {
		add("id >= ? AND id < ?", query.Run, query.Run+"\U0010FFFF")
	}
	if query.Workflow != "" {
		add("workflows.name = ?", query.Workflow)
	}
	if query.Trigger != "" {
		add("cause = ?", query.Trigger)
	}
	if query.After != "" {
		add("runs.number > coalesce((SELECT number FROM runs WHERE id = ?), 0)", query.After)
	}
	if since, err := nanoseconds(query.Since); err == nil {
		add("begun >= ?", since)
	}
	return "SELECT " + runColumns + ", workflows.name, workflows.realm, workflows.digest FROM runs LEFT JOIN workflows ON workflows.number = workflow WHERE " +
		strings.Join(where, " AND ") + " ORDER BY runs.number DESC", args
}
