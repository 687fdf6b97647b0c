package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
)

// maxGroup is how many changes one transaction takes.
const maxGroup = 256

// A writer is the goroutine that commits. Changes that wait at the same time,
// whosever they are, share a transaction: one flush of the disk for all.
type writer struct {
	session *session
	explain func(error) error
	changes chan *change
	closing chan struct{} // closed when no more are taken
	ended   chan struct{}
}

// A change is one that is made or refused on its own. It is refused before it has
// written anything.
type change struct {
	do     func(context.Context, *session) error
	err    error // why it was refused
	result chan error
}

// write has a change committed, and returns what became of it. Once the change is
// handed over it waits for that, whatever becomes of the context: a caller that
// gave up half-way could not know whether it was made.
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

// run takes changes until the journal is closed. Those that it took are made.
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

// gather takes what waits already. Those that were just answered get a chance to
// come with their next change first.
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

// answer makes a group of changes and answers each. When the database fails at one
// of them, each is tried on its own, so that none fails for another.
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

// A session is the connection of the writer. It prepares each statement once.
type session struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	owner      string
	held       map[string]*storedRun // runs under way of this owner, by their ids
}

func newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, statements: map[string]*sql.Stmt{}, held: map[string]*storedRun{}}, nil
}

// commit makes changes in one transaction: those that are not refused, or none.
// The error is that of one change, unless all says that it is of all of them.
func (s *session) commit(group []*change) (all bool, err error) {
	ctx := context.Background()
	defer func() {
		if err != nil {
			clear(s.held) // what it says was not written
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

// exec does a statement.
func (s *session) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// row reads the one row of a query; none is sql.ErrNoRows.
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

// each visits rows, and closes them.
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
