package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// A connection is the one of the writer. It prepares each statement once: to
// parse them anew would cost more than the flush of a fast disk.
type connection struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func newConnection(ctx context.Context, db *sql.DB) (*connection, error) {
	conn, err := db.Conn(ctx)
	return &connection{conn, map[string]*sql.Stmt{}}, err
}

func (c *connection) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement := c.prepared[query]; statement != nil {
		return statement, nil
	}
	statement, err := c.conn.PrepareContext(ctx, query)
	if err == nil {
		c.prepared[query] = statement
	}
	return statement, err
}

// warm prepares what every run needs, before the first one is there. A statement
// that cannot be prepared is an error when it is used.
func (c *connection) warm(ctx context.Context) {
	for _, query := range []string{"BEGIN IMMEDIATE", "COMMIT", findRun, findTaken, findOrigin, findOwner, insertRun, updateRun, insertEvent, insertCall} {
		_, _ = c.prepare(ctx, query)
	}
}

// exec does a statement.
func (c *connection) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// query returns the rows of a query.
func (c *connection) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// scan reads the one row of a query; none is sql.ErrNoRows.
func (c *connection) scan(ctx context.Context, query string, args []any, into ...any) error {
	statement, err := c.prepare(ctx, query)
	if err != nil {
		return err
	}
	return statement.QueryRowContext(ctx, args...).Scan(into...)
}

func (c *connection) close() error {
	var failed error
	for _, statement := range c.prepared {
		failed = errors.Join(failed, statement.Close())
	}
	return errors.Join(failed, c.conn.Close())
}
