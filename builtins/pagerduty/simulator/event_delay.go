package simulator

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// pendingEvent is an event that was accepted and has had no effect yet.
type pendingEvent struct {
	event event
	due   time.Time
}

// accept answers for an event and lets it take effect, at once or later, and
// returns its incident key. Events with one key take effect in the order in which
// they were accepted, whatever the delay of each.
func (s *Simulator) accept(e event, at time.Time) (incidentKey string) {
	if e.incidentKey == "" {
		e.incidentKey = s.identifiers.incidentKey()
	}
	delay := s.eventDelay()
	if delay == 0 && len(s.pending) == 0 {
		s.process(e, at)
		return e.incidentKey
	}
	due := at.Add(delay)
	for _, earlier := range s.pending {
		if earlier.event.key() == e.key() && earlier.due.After(due) {
			due = earlier.due
		}
	}
	s.pending = append(s.pending, pendingEvent{e, due})
	if s.settings.after != nil { // else time passes with requests, which settle by themselves
		s.timeline.alarm(due.Sub(at), s.Settle)
	}
	return e.incidentKey
}

// key is what makes events speak of the same problem.
func (e event) key() alertKey { return alertKey{e.source.service.ID, e.incidentKey} }

// eventDelay is how long the next event takes: between the bounds of the options,
// as the seed has it.
func (s *Simulator) eventDelay() time.Duration {
	least, most := s.settings.leastDelay, s.settings.mostDelay
	if least == most {
		return least
	}
	s.delayed++
	return least + time.Duration(chance(s.settings.seed, "event delay", s.delayed)*float64(most-least))
}

// Settle lets the accepted events take effect whose time has come. Every request
// and every view does so; programs that watch webhooks only may call it.
func (s *Simulator) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

// settle is Settle for those who have the lock. It does not read the clock when
// nothing is pending: a virtual one would move.
func (s *Simulator) settle() {
	if len(s.pending) > 0 {
		s.applyPending(s.timeline.glance())
	}
}

// applyPending lets events take effect at the time when each was due.
func (s *Simulator) applyPending(now time.Time) {
	var due []pendingEvent
	s.pending = slices.DeleteFunc(s.pending, func(p pendingEvent) bool {
		if p.due.After(now) {
			return false
		}
		due = append(due, p)
		return true
	})
	slices.SortStableFunc(due, func(a, b pendingEvent) int { return cmp.Compare(a.due.UnixNano(), b.due.UnixNano()) })
	for _, p := range due {
		s.rememberVersion(p.due)
		s.process(p.event, p.due)
	}
}

// chance returns the nth of the numbers in [0, 1) that a seed has for a purpose.
func chance(seed int64, purpose string, n int) float64 {
	digest := fnv.New64a()
	fmt.Fprintf(digest, "%d %s %d", seed, purpose, n)
	// FNV's last bytes hardly reach its high bits; the multiplication (by
	// the constant of Fibonacci hashing) spreads them.
	const spread = 0x9E3779B97F4A7C15
	mixed := digest.Sum64()
	mixed ^= mixed >> 32
	mixed *= spread
	return float64(mixed>>11) / (1 << 53)
}
