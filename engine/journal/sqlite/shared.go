package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/workflow"
)

// What many runs have in common is stored once and found by its digest. The digest covers
// the whole row, so it also shows damage.

// digest returns the SHA-256 of texts, each preceded by its length.
func digest(texts ...string) []byte {
	var c checksum
	c.texts(texts...)
	sum := sha256.Sum256(c.text)
	return sum[:]
}

// number returns the number of the row with a digest. It calls insert when the table does
// not have such a row.
func (s *session) number(ctx context.Context, table string, digest []byte, insert func() (sql.Result, error)) (int64, error) {
	var number int64
	err := s.row(ctx, "SELECT number FROM "+table+" WHERE digest = ?", []any{digest}, &number)
	if !errors.Is(err, sql.ErrNoRows) {
		return number, err
	}
	result, err := insert()
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// shareWorkflow returns the number of a workflow in its realm.
func (s *session) shareWorkflow(ctx context.Context, entry journal.Entry) (int64, error) {
	sum := digest(entry.Workflow, entry.Realm)
	return s.number(ctx, "workflows", sum, func() (sql.Result, error) {
		return s.exec(ctx, "INSERT INTO workflows (name, realm, digest) VALUES (?, ?, ?)", entry.Workflow, entry.Realm, sum)
	})
}

// shareOrigin returns the number of an origin.
func (s *session) shareOrigin(ctx context.Context, body []byte) (int64, error) {
	sum := digest(string(body))
	return s.number(ctx, "origins", sum, func() (sql.Result, error) {
		return s.exec(ctx, "INSERT INTO origins (digest, body) VALUES (?, ?)", sum, body)
	})
}

// A planFile is a row of `files`.
type planFile struct {
	name   string
	source []byte // the digest of its text
}

// digestPlan returns the digest of a plan.
func digestPlan(files []planFile) []byte {
	var texts []string
	for _, f := range files {
		texts = append(texts, f.name, string(f.source))
	}
	return digest(texts...)
}

// digestText returns the digest of a source.
func digestText(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

// sharePlan returns the number of the plan with these sources.
func (s *session) sharePlan(ctx context.Context, sources []workflow.Source) (int64, error) {
	files := make([]planFile, len(sources))
	for i, source := range sources {
		files[i] = planFile{source.Name, digestText(source.Text)}
	}
	sum := digestPlan(files)
	return s.number(ctx, "plans", sum, func() (sql.Result, error) {
		plan, err := s.exec(ctx, "INSERT INTO plans (digest) VALUES (?)", sum)
		if err != nil {
			return nil, err
		}
		number, err := plan.LastInsertId()
		if err != nil {
			return nil, err
		}
		return plan, s.insertFiles(ctx, number, files, sources)
	})
}

func (s *session) insertFiles(ctx context.Context, plan int64, files []planFile, sources []workflow.Source) error {
	for i, f := range files {
		if _, err := s.exec(ctx, "INSERT INTO sources (digest, text) VALUES (?, ?) ON CONFLICT DO NOTHING", f.source, blob(sources[i].Text)); err != nil {
			return err
		}
		if _, err := s.exec(ctx, "INSERT INTO files (plan, position, name, source) VALUES (?, ?, ?, ?)", plan, i, f.name, f.source); err != nil {
			return err
		}
	}
	return nil
}
