package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/clock"
)

// A Memory is the memory that a process has for the attempts of all its runs together. An
// attempt waits for room before it starts, and its script waits when it takes more. No
// attempt is blamed for what others hold.
//
// A quarter is for small attempts: the first two megabytes of each. So most attempts do not
// wait for those that hold much, perhaps for hours in a call. The rest is for what attempts
// hold beyond that.
//
// Every attempt holds some bytes now and may hold up to its limit later. Room is given
// only while the attempts can still end one after the other, each with all of its limit:
// the banker's algorithm. So attempts never wait for each other in a circle. When each
// attempt waits, the one that needs least gets room whatever is left.
//
// The attempts of on_failure and finally start without waiting, with room that is kept for
// them.
type Memory struct {
	small   int64 // for the first smallBytes of each attempt
	large   int64 // for the rest
	reserve int64 // for the rest of on_failure and finally, in addition

	mu      sync.Mutex
	claims  []*claim // of attempts that have started, or wait to start
	kept    int64    // bytes of outputs of runs that have not ended
	waiting []*claim // in the order in which they began to wait
}

const (
	// startBytes is what an attempt holds before it asks for more.
	startBytes = 256 << 10
	// firstBytes is what the only attempt of a run may hold without waiting.
	firstBytes = 512 << 10
	// smallBytes is what an attempt may hold out of the quarter for small attempts.
	smallBytes = 2 << 20
	// smallPart is that part of the memory.
	smallPart = 4
	// reserved is the part of the memory that is kept for on_failure and finally: 1/8.
	reserved = 8
)

// NewMemory returns a memory of this many bytes.
func NewMemory(total int64) *Memory {
	small, reserve := total/smallPart, total/reserved
	return &Memory{small: small, reserve: reserve, large: total - small - reserve}
}

// Largest returns the largest limit of a script, in bytes, that the memory has room for while
// other attempts hold what they hold. A script may hold an eighth more for a moment.
func (m *Memory) Largest() int64 { return (m.large + smallBytes) / 9 * 8 }

// A claim is the memory of one attempt.
type claim struct {
	memory  *Memory
	ctx     context.Context
	run     string
	virtual *clock.Virtual // the clock of the run, when it is one
	now     func() time.Time
	limit   int64     // of what it may hold beyond smallBytes
	urgent  bool      // of on_failure and finally
	started bool      // it has room to run
	since   time.Time // when it began to wait
	held    int64
	wanted  int64         // while it waits
	woken   chan struct{} // closed when it gets what it wanted
	waited  time.Duration // in all
}

// claim returns the claim of an attempt once there is room for it to start. A nil Memory
// has room for everything. The error is the error of the context.
func (m *Memory) claim(ctx context.Context, c clock.Clock, run string, limit int64, urgent bool) (*claim, error) {
	if m == nil {
		return nil, nil
	}
	one := &claim{memory: m, ctx: ctx, run: run, now: c.Now, urgent: urgent, limit: min(max(limit-smallBytes, 0), m.large)}
	one.virtual, _ = c.(*clock.Virtual)
	m.mu.Lock()
	m.claims = append(m.claims, one)
	if urgent {
		one.started, one.held = true, startBytes
		m.mu.Unlock()
		return one, nil
	}
	m.mu.Unlock()
	if !one.Hold(startBytes, false) {
		one.leave()
		return nil, context.Cause(ctx)
	}
	return one, nil
}

// Hold tells how many bytes the attempt may hold from now on; see attempt.Room.
func (c *claim) Hold(bytes int64, try bool) bool {
	m := c.memory
	m.mu.Lock()
	if bytes <= c.held || m.fits(c, bytes) {
		less := bytes < c.held
		c.held, c.started = bytes, true
		if less {
			m.wake()
		}
		m.mu.Unlock()
		return true
	}
	if try || c.ctx.Err() != nil {
		m.mu.Unlock()
		return false
	}
	c.wanted, c.woken, c.since = bytes, make(chan struct{}), c.now()
	m.waiting = append(m.waiting, c)
	woken := c.woken
	m.wake() // it may be the last that did not wait
	if c.virtual != nil {
		c.virtual.End(1) // the time may move while it waits; end counts the work again
	}
	m.mu.Unlock()
	select {
	case <-woken:
		return true
	case <-c.ctx.Done():
		m.mu.Lock()
		defer m.mu.Unlock()
		if c.woken == nil {
			return true // it got room at the same time
		}
		m.end(c)
		m.wake()
		return false
	}
}

// end ends the wait of a claim.
func (m *Memory) end(c *claim) {
	i := slices.Index(m.waiting, c)
	m.waiting = slices.Delete(m.waiting, i, i+1)
	close(c.woken)
	c.woken, c.waited = nil, c.waited+c.now().Sub(c.since)
	if c.virtual != nil {
		c.virtual.Begin()
	}
}

// Waited returns how long the attempt has waited for room while it ran. A nil claim never
// waits.
func (c *claim) Waited() time.Duration {
	if c == nil {
		return 0
	}
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	if c.woken != nil {
		return c.waited + c.now().Sub(c.since)
	}
	return c.waited
}

// leave gives back what an attempt holds.
func (c *claim) leave() {
	if c == nil {
		return
	}
	m := c.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.claims, c); i >= 0 {
		m.claims = slices.Delete(m.claims, i, i+1)
	}
	m.wake()
}

// keep counts bytes of outputs that a run keeps until it ends. A negative number gives them
// back.
func (m *Memory) keep(bytes int64) {
	if m == nil || bytes == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept += bytes
	if bytes < 0 {
		m.wake()
	}
}

// wake gives room to those that wait, in this order: attempts of on_failure and finally,
// attempts that run, and attempts that start.
func (m *Memory) wake() {
	for {
		order := slices.Clone(m.waiting)
		slices.SortStableFunc(order, func(a, b *claim) int { return cmp.Compare(a.rank(), b.rank()) })
		given := false
		for _, c := range order {
			if m.fits(c, c.wanted) {
				m.give(c)
				given = true
				break
			}
		}
		if !given {
			return
		}
	}
}

const (
	rankUrgent = iota
	rankRuns
	rankStarts
)

func (c *claim) rank() int {
	switch {
	case c.urgent:
		return rankUrgent
	case c.started:
		return rankRuns
	}
	return rankStarts
}

func (m *Memory) give(c *claim) {
	c.held, c.started = c.wanted, true
	m.end(c)
}

// fits reports whether a claim may hold this many bytes.
func (m *Memory) fits(c *claim, bytes int64) bool {
	before := c.held
	c.held = bytes
	safe := m.safe(c)
	if bytes <= smallBytes {
		safe = bytes <= firstBytes && m.first(c) || m.smallFits(c)
	}
	c.held = before
	return safe || m.last(c)
}

// first reports whether no other attempt of the run has started. The first attempt of each
// run gets its first bytes at once, so no run keeps another from beginning.
func (m *Memory) first(one *claim) bool {
	for _, c := range m.claims {
		if c != one && c.started && c.run == one.run {
			return false
		}
	}
	return true
}

// smallFits reports whether the small parts of all attempts that have started, and of this
// one, fit.
func (m *Memory) smallFits(one *claim) bool {
	free := m.small
	for _, c := range m.claims {
		if c.started || c == one {
			free -= min(c.held, smallBytes)
		}
	}
	return free >= 0
}

// beyond returns what a claim holds beyond its small part.
func (c *claim) beyond() int64 { return max(c.held-smallBytes, 0) }

// safe reports whether all attempts that have started, and this one, can end one after the
// other: each takes the rest of its limit, ends, and gives all back.
func (m *Memory) safe(one *claim) bool {
	free := m.large - m.kept
	if one.urgent {
		free += m.reserve
	}
	var needs []*claim
	most := int64(0)
	for _, c := range m.claims {
		if c.started || c == one {
			free -= c.beyond()
			needs = append(needs, c)
			most = max(most, c.limit-c.beyond())
		}
	}
	if free >= most {
		return true
	}
	slices.SortFunc(needs, func(a, b *claim) int { return cmp.Compare(a.limit-a.beyond(), b.limit-b.beyond()) })
	for _, c := range needs {
		if c.limit-c.beyond() > free {
			return false
		}
		free += c.beyond()
	}
	return true
}

// last reports whether every other attempt waits, and this one needs least. Then it gets
// room, since nothing else can end.
func (m *Memory) last(one *claim) bool {
	for _, c := range m.claims {
		if c == one || c.woken == nil && !c.started {
			continue
		}
		if c.woken == nil {
			return false // it runs, and gives room back
		}
		if c.started && !one.started || c.started == one.started && c.wanted-c.held < one.wanted-one.held {
			return false
		}
	}
	return true
}
