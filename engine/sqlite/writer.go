package sqlite

import (
	"context"
	"errors"
	"sync"
)

// maxGroup is how many writes one transaction takes.
const maxGroup = 256

// A writer is the goroutine that commits. Writes that wait at the same time,
// whosever they are, share a transaction: one flush of the disk for all.
type writer struct {
	journal *Journal
	conn    *connection
	writes  chan *write
	ended   chan struct{}

	mu     sync.RWMutex // held for reading while a write is handed over
	closed bool
}

// A write is a change that is taken or refused on its own.
type write struct {
	do     func(context.Context, *connection) error
	err    error // why it was refused
	result chan error
}

func newWriter(j *Journal) (*writer, error) {
	conn, err := newConnection(context.Background(), j.db)
	if err != nil {
		return nil, j.explain(err)
	}
	w := &writer{journal: j, conn: conn, writes: make(chan *write, maxGroup), ended: make(chan struct{})}
	go w.loop()
	return w, nil
}

var errClosed = errors.New("the journal is closed")

// write has a change committed and waits for that. Once it was handed over it is
// waited for, whatever becomes of the context: it happens or it does not, and the
// caller knows which.
func (w *writer) write(ctx context.Context, do func(context.Context, *connection) error) error {
	one := &write{do: do, result: make(chan error, 1)}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return errClosed
	}
	select {
	case w.writes <- one:
		w.mu.RUnlock()
	case <-ctx.Done():
		w.mu.RUnlock()
		return context.Cause(ctx)
	}
	return <-one.result
}

func (w *writer) close() {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.mu.Unlock()
	if !closed {
		close(w.writes)
	}
	<-w.ended
}

func (w *writer) loop() {
	defer close(w.ended)
	defer w.conn.close()
	w.conn.warm(context.Background())
	for first := range w.writes {
		group := w.gather(first)
		err := w.commit(group)
		for _, one := range group {
			if err != nil {
				one.err = err
				if !refusal(err) {
					one.err = w.journal.explain(err)
				}
			}
			one.result <- one.err
		}
	}
}

// gather takes what waits already.
func (w *writer) gather(first *write) []*write {
	group := []*write{first}
	for len(group) < maxGroup {
		select {
		case next, ok := <-w.writes:
			if !ok {
				return group
			}
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// commit does the writes of a group in one transaction. A write that is refused
// leaves nothing behind; an error of the database undoes the whole group.
func (w *writer) commit(group []*write) error {
	ctx := context.Background()
	if _, err := w.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if len(group) == 1 {
		if err := group[0].do(ctx, w.conn); err != nil {
			_, _ = w.conn.exec(ctx, "ROLLBACK")
			return err
		}
	} else if err := w.all(ctx, group); err != nil {
		_, _ = w.conn.exec(ctx, "ROLLBACK")
		return err
	}
	if _, err := w.conn.exec(ctx, "COMMIT"); err != nil {
		_, _ = w.conn.exec(ctx, "ROLLBACK")
		return err
	}
	return nil
}

// all does the writes of a group, each within a savepoint: what one leaves behind
// when it is refused is undone.
func (w *writer) all(ctx context.Context, group []*write) error {
	for _, one := range group {
		if _, err := w.conn.exec(ctx, "SAVEPOINT one"); err != nil {
			return err
		}
		if one.err = one.do(ctx, w.conn); one.err != nil {
			if !refusal(one.err) {
				return one.err
			}
			if _, err := w.conn.exec(ctx, "ROLLBACK TO one"); err != nil {
				return err
			}
		}
		if _, err := w.conn.exec(ctx, "RELEASE one"); err != nil {
			return err
		}
	}
	return nil
}
