package client

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// queue holds the calls that wait for the rate limit of one key. They go by priority,
// and by age within a priority. One of the waiting tickets, the sleeper, sleeps until
// the limit opens; the others wait for a signal. So a queue needs no goroutine.
type queue struct {
	mu        sync.Mutex
	limit     limit
	waiting   []*ticket
	inFlight  int       // requests that were admitted and have no result yet
	tickets   uint64    // issued so far
	opens     time.Time // when to ask the limit again; zero: after the next result
	sleeper   *ticket
	wakes     time.Time          // when the sleeper wakes
	interrupt context.CancelFunc // wakes the sleeper earlier
}

// ticket is the place of one call in a queue. All tries of a call have the same
// ticket, so younger calls do not overtake a call that was throttled.
type ticket struct {
	queue      *queue
	clock      clock
	priority   priority
	number     uint64        // in the order of the calls
	signal     chan struct{} // look at the queue again; holds one signal
	admitted   bool          // the next request may leave
	throttled  bool          // an earlier try of the call was throttled
	generation int           // the limit's generation when the request left
}

func (q *queue) ticket(p priority, c clock) *ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tickets++
	return &ticket{queue: q, clock: c, priority: p, number: q.tickets, signal: make(chan struct{}, 1)}
}

// wait returns when the call may send a request. release must follow. known is how
// long the call waited for a time that PagerDuty named or documents; it is 0 if the
// time was a guess.
func (t *ticket) wait(ctx context.Context) (known time.Duration, err error) {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	start := t.clock.now()
	t.admitted = false
	q.insert(t)
	q.admit(start)
	for !t.admitted {
		if err := q.wait(ctx, t); err != nil {
			q.waiting = slices.DeleteFunc(q.waiting, func(other *ticket) bool { return other == t })
			q.admit(t.clock.now()) // another ticket becomes the sleeper
			return 0, err
		}
	}
	if !q.limit.guessing() {
		known = t.clock.now().Sub(start)
	}
	return known, nil
}

// release records how the request ended.
func (t *ticket) release(f feedback) {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	now := t.clock.now()
	q.inFlight--
	t.throttled = t.throttled || f.throttled
	q.limit.answered(t, now, f)
	q.admit(now)
}

// insert puts a ticket behind the tickets that go before it.
func (q *queue) insert(t *ticket) {
	at, _ := slices.BinarySearchFunc(q.waiting, t, func(a, b *ticket) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.number, b.number))
	})
	q.waiting = slices.Insert(q.waiting, at, t)
}

// admit admits the requests that may leave now. If others still wait for a time, it
// makes sure that one ticket sleeps until then.
func (q *queue) admit(now time.Time) {
	q.opens = time.Time{}
	for len(q.waiting) > 0 {
		t := q.waiting[0]
		ok, opens := q.limit.admits(t, now, q.inFlight)
		if !ok {
			q.opens = opens
			break
		}
		q.waiting = slices.Delete(q.waiting, 0, 1)
		q.inFlight++
		t.admitted = true
		q.limit.left(t, now)
		q.wake(t)
	}
	switch {
	case len(q.waiting) == 0 || q.opens.IsZero():
	case q.sleeper == nil:
		q.wake(q.waiting[0])
	case q.opens.Before(q.wakes):
		q.interrupt()
	}
}

// wake makes a ticket look at the queue again.
func (q *queue) wake(t *ticket) {
	if t == q.sleeper {
		q.interrupt()
		return
	}
	select {
	case t.signal <- struct{}{}:
	default: // the last signal was not read yet
	}
}

// wait waits for a signal or, if no other ticket sleeps, until the limit opens. The
// caller holds the lock; wait gives it up while it waits.
func (q *queue) wait(ctx context.Context, t *ticket) error {
	if q.sleeper != nil || q.opens.IsZero() {
		return q.awaitSignal(ctx, t)
	}
	sleeping, interrupt := context.WithCancel(ctx)
	defer interrupt()
	q.sleeper, q.wakes, q.interrupt = t, q.opens, interrupt
	err := q.sleep(sleeping, t)
	q.sleeper = nil
	now := t.clock.now()
	switch {
	case ctx.Err() != nil && !t.admitted:
		return ctx.Err()
	case sleeping.Err() != nil: // interrupted: the queue has changed
	case err != nil:
		return err
	case now.Before(q.wakes):
		now = q.wakes // with a coarse clock, the ticket would have to sleep again
	}
	q.admit(now)
	return nil
}

// awaitSignal waits for a signal without the lock.
func (q *queue) awaitSignal(ctx context.Context, t *ticket) error {
	q.mu.Unlock()
	select {
	case <-t.signal:
	case <-ctx.Done():
	}
	q.mu.Lock()
	if t.admitted {
		return nil
	}
	return ctx.Err()
}

// sleep sleeps without the lock.
func (q *queue) sleep(ctx context.Context, t *ticket) error {
	d := q.wakes.Sub(t.clock.now())
	q.mu.Unlock()
	defer q.mu.Lock()
	return t.clock.sleep(ctx, d)
}

// idle reports whether the queue is empty and its limit has nothing to remember.
func (q *queue) idle(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.inFlight == 0 && len(q.waiting) == 0 && q.limit.idle(now)
}
