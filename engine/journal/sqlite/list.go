package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"

	"github.com/pdflow/pdflow/engine/journal"
)

// Runs returns runs, the newest first; see [journal.Journal].
func (j *Journal) Runs(ctx context.Context, query journal.Query) ([]journal.Summary, error) {
	var found []journal.Summary
	living := map[string]bool{}
	err := j.view(ctx, func(v view) error {
		err := v.list(ctx, query, func(r *storedRun) error {
			lives, known := living[r.owner]
			if !known {
				var err error
				// Whoever cannot be looked at is taken for alive: that harms nothing in
				// a list, and one such run hides no others. Adopt refuses it.
				if lives, err = j.owner.lives(r.owner); err != nil && !errors.Is(err, fs.ErrPermission) {
					return err
				}
				lives = lives || err != nil
				living[r.owner] = lives
			}
			r.SetLive(lives)
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

// errEnough ends a list early.
var errEnough = errors.New("no more is needed")

// list visits the runs that a query may choose, the newest first.
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
			return Damage{Run: r.Run, Message: "the name of its workflow is not the one that was recorded"}
		}
		r.Workflow = name.String
		return visit(&r)
	})
}

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
	if since, err := nanoseconds(query.Since); err == nil {
		add("begun >= ?", since)
	}
	return "SELECT " + runColumns + ", workflows.name, workflows.realm, workflows.digest FROM runs LEFT JOIN workflows ON workflows.number = workflow WHERE " +
		strings.Join(where, " AND ") + " ORDER BY runs.number DESC", args
}
