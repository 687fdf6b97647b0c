package client

import "time"

// patience is how long the answer to a probe is waited for before another one
// goes: a request that hangs must not hold up pages.
const patience = 5 * time.Second

// A gate closes for a time. When it opens, one request goes first, and the others
// go when that has come through.
type gate struct {
	until   time.Time // closed before; zero is open
	probing bool      // only a probe may go
	probe   *turn     // the one under way
	since   time.Time // that it is
}

func (g *gate) close(until time.Time) {
	*g = gate{until: until}
}

// closed reports whether it is closed now. From the end of that time on, it is
// probing.
func (g *gate) closed(now time.Time) bool {
	if !g.until.IsZero() && !now.Before(g.until) {
		*g = gate{probing: true}
	}
	return !g.until.IsZero()
}

// admits answers for a gate that is probing.
func (g *gate) admits(now time.Time) (ok bool, opens time.Time) {
	if opens = g.since.Add(patience); g.probe == nil || !now.Before(opens) {
		return true, time.Time{}
	}
	return false, opens
}

func (g *gate) left(t *turn, now time.Time) {
	if g.probing {
		g.probe, g.since = t, now
	}
}

// answered opens the gate after a probe that was accepted, and lets another one go
// after one that never came through.
func (g *gate) answered(t *turn, v verdict) {
	switch {
	case t != g.probe:
	case v.accepted:
		*g = gate{}
	default:
		g.probe = nil
	}
}
