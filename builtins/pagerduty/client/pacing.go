package client

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// A Pacing keeps the calls of all clients that share it within PagerDuty's rate
// limits: there is one queue for each API key (window.go) and for each integration
// key (throttle.go). Its zero value is ready. It knows keys by their digest only,
// and starts no goroutine: one of those that wait watches the clock for all.
type Pacing struct {
	mu    sync.Mutex
	lanes map[laneName]*lane
}

// A laneName stands for a key at a host without holding it.
type laneName [sha256.Size]byte

// manyLanes is from how many keys on those that were not used lately are forgotten.
const manyLanes = 256

// A class is how urgent a request is: among those that wait for the same key, a
// lower one goes first.
type class int

// The classes: pages come first, and what only looks comes last.
const (
	triggers class = iota
	acknowledgements
	changeEvents
	writes
	lookups
)

// A clock is what waits go by.
type clock struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
}

// turn returns the place of a new call in the queue of its key.
func (p *Pacing) turn(r request, c clock) *turn {
	return p.laneOf(r, c.now()).newTurn(r.class, c)
}

func (p *Pacing) laneOf(r request, now time.Time) *lane {
	name := sha256.Sum256([]byte(r.host + "\x00" + r.credential))
	p.mu.Lock()
	defer p.mu.Unlock()
	if l, ok := p.lanes[name]; ok {
		return l
	}
	if p.lanes == nil {
		p.lanes = map[laneName]*lane{}
	}
	p.forget(now)
	l := &lane{limit: r.newLimit()}
	p.lanes[name] = l
	return l
}

// newLimit is the limit of a key that is used for the first time.
func (r request) newLimit() limit {
	if r.class >= writes {
		return newWindow()
	}
	// About 120 a minute is documented for v2; for v1 no number is.
	return &throttle{documented: r.policy.throttled == http.StatusTooManyRequests}
}

// forget drops the lanes that hold nothing to remember, each time that their
// number has doubled.
func (p *Pacing) forget(now time.Time) {
	if n := len(p.lanes); n < manyLanes || n&(n-1) != 0 {
		return
	}
	for name, l := range p.lanes {
		if l.idle(now) {
			delete(p.lanes, name)
		}
	}
}
