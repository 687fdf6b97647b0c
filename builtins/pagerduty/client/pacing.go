package client

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// Pacing keeps the calls of all clients that share it within PagerDuty's rate limits.
// It has one queue for each API key and for each integration key. Its zero value is
// ready for use; it must not be copied after that. It stores digests of the keys, not
// the keys, and starts no goroutine.
type Pacing struct {
	mu     sync.Mutex
	queues map[keyDigest]*queue
}

// keyDigest identifies a key at a host.
type keyDigest [sha256.Size]byte

// pruneFrom is how many queues a Pacing keeps before it drops unused ones.
const pruneFrom = 256

// priority orders the requests that wait for the same key. The lowest goes first.
type priority int

// The priorities. Requests that page a person go first, lookups last.
const (
	triggers priority = iota
	acknowledgements
	changeEvents
	writes
	lookups
)

// clock is the time that waits use.
type clock struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
}

// ticket returns the place of a new call in the queue of its key.
func (p *Pacing) ticket(r request, c clock) *ticket {
	return p.queue(r, c.now()).ticket(r.priority, c)
}

// queue returns the queue of a request's key. It makes one for a new key.
func (p *Pacing) queue(r request, now time.Time) *queue {
	digest := sha256.Sum256([]byte(r.host + "\x00" + r.credential))
	p.mu.Lock()
	defer p.mu.Unlock()
	if q, ok := p.queues[digest]; ok {
		return q
	}
	if p.queues == nil {
		p.queues = map[keyDigest]*queue{}
	}
	p.prune(now)
	q := &queue{limit: r.newLimit()}
	p.queues[digest] = q
	return q
}

// newLimit returns the limit of a key that was not used before.
func (r request) newLimit() limit {
	if r.priority >= writes {
		return newFixedWindow()
	}
	// PagerDuty documents about 120 events a minute for v2, and no number for v1.
	return &slidingWindow{documented: r.policy.throttleStatus == http.StatusTooManyRequests}
}

// prune drops the queues that have nothing to remember. It runs each time that their
// number has doubled.
func (p *Pacing) prune(now time.Time) {
	if n := len(p.queues); n < pruneFrom || n&(n-1) != 0 {
		return
	}
	for digest, q := range p.queues {
		if q.idle(now) {
			delete(p.queues, digest)
		}
	}
}
