package limits

import (
	"slices"
	"sync"
	"time"
)

// pulseEvery is how often scripts look at their clock.
const pulseEvery = 2 * time.Millisecond

// A pulse makes every script check its clock and its attempt at its next instruction, so
// that slow instructions cannot stretch the time limit. A script also checks them every
// [pollEvery] steps. It joins the pulse at its first check. One goroutine serves all
// scripts; it ends when no script runs.
type pulse struct {
	mutex   sync.Mutex
	running []*Budget
	alive   bool // the goroutine runs
}

// processPulse is the pulse of all scripts.
var processPulse pulse

func (p *pulse) add(b *Budget) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.running = append(p.running, b)
	if !p.alive {
		p.alive = true
		go p.beat()
	}
}

func (p *pulse) remove(b *Budget) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if at := slices.Index(p.running, b); at >= 0 {
		p.running = slices.Delete(p.running, at, at+1)
	}
}

func (p *pulse) beat() {
	ticker := time.NewTicker(pulseEvery)
	defer ticker.Stop()
	for range ticker.C {
		if !p.wake() {
			return
		}
	}
}

// wake has every script look, and reports whether a script runs.
func (p *pulse) wake() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.alive = len(p.running) > 0
	for _, b := range p.running {
		b.look.Store(true)
	}
	return p.alive
}
