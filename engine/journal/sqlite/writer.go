package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
)

// maxGroup is the largest number of changes in one transaction.
const maxGroup = 256

// A writer is the goroutine that commits. Changes that wait at the same time share a
// transaction and so one flush of the disk.
type writer struct {
	session *session
	explain func(error) error
	changes chan *change
	closing chan struct{} // closed when the writer must stop
	ended   chan struct{} // closed when the writer has stopped
}

// A change is a part of a transaction that succeeds or is refused on its own: do returns
// a refusal before it writes anything.
type change struct {
	do     func(context.Context, *session) error
	err    error      // the refusal, or the error of the database
	result chan error // takes one error
}

// write commits a change and returns its result. The context ends the wait for the
// writer. Once the writer has the change, write returns its result even if the context
// has ended, so the caller knows whether the change was committed.
func (w *writer) write(ctx context.Context, do func(context.Context, *session) error) error {
	c := &change{do: do, result: make(chan error, 1)}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case w.changes <- c:
		return <-c.result
	case <-w.closing:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run commits changes until the journal is closed.
func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case c := <-w.changes:
			w.answer(w.gather(c))
		case <-w.closing:
			return
		}
	}
}

// gather takes the changes that wait already. It yields first, so that the callers of the
// previous transaction can hand over their next change.
func (w *writer) gather(first *change) []*change {
	group := []*change{first}
	runtime.Gosched()
	for len(group) < maxGroup {
		select {
		case c := <-w.changes:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// answer commits a group of changes and sends each its result. When the database fails at
// one of them, it commits each change on its own, so that only that one fails.
func (w *writer) answer(group []*change) {
	all, err := w.session.commit(group)
	if err != nil && !all && len(group) > 1 {
		for _, c := range group {
			w.answer([]*change{c})
		}
		return
	}
	for _, c := range group {
		if err != nil {
			c.err = err
		}
		c.result <- w.explain(c.err)
	}
}

// A session is the connection of the writer, with its prepared statements.
type session struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	owner      string
	held       map[string]*storedRun // unfinished runs of this owner, by id
}

func newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, statements: map[string]*sql.Stmt{}, held: map[string]*storedRun{}}, nil
}

// commit makes changes in one transaction, except those that are refused. When it returns
// an error, it made none. The error concerns one change, or all of them when all is true.
func (s *session) commit(group []*change) (all bool, err error) {
	ctx := context.Background()
	defer func() {
		if err != nil {
			clear(s.held) // it may hold rows that were not written
			_, _ = s.exec(ctx, "ROLLBACK")
		}
	}()
	if _, err := s.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return true, err
	}
	for _, c := range group {
		c.err = c.do(ctx, s)
		var refused refusal
		if c.err != nil && !errors.As(c.err, &refused) {
			return false, c.err
		}
	}
	_, err = s.exec(ctx, "COMMIT")
	return true, err
}

// prepare returns the prepared statement of a query.
func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement := s.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := s.conn.PrepareContext(ctx, query)
	if err == nil {
		s.statements[query] = statement
	}
	return statement, err
}

// exec executes a statement.
func (s *session) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// row reads the only row of a query. The error is sql.ErrNoRows when there is none.
func (s *session) row(ctx context.Context, query string, args []any, into ...any) error {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	return statement.QueryRowContext(ctx, args...).Scan(into...)
}

// rows visits the rows of a query.
func (s *session) rows(ctx context.Context, query string, args []any, visit func(*sql.Rows) error) error {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return each(rows, visit)
}

// each visits rows and closes them.
func each(rows *sql.Rows, visit func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *session) close() error {
	var failed error
	for _, statement := range s.statements {
		failed = errors.Join(failed, statement.Close())
	}
	return errors.Join(failed, s.conn.Close())
}
