package client

import "time"

// throttleLimit is how many events v2 takes of one integration key in any minute,
// as documented ("Events API v2", rate limits). Accounts may have more.
const throttleLimit = 120

// A throttle is the limit of an integration key: so many events in any minute. How
// many is not told, so nothing is held back until the service has refused one. From
// then on no more are sent in a minute than it has been seen to take. After a minute
// without events the key is as new.
type throttle struct {
	documented bool        // the number is; else only trying tells
	taken      []time.Time // when events of the last minute were, oldest first
	limit      int         // 0: not paced
	guessed    bool        // the present wait is
	number     int         // of refusals
	gate       gate
}

func (h *throttle) blind() bool { return h.guessed }

func (h *throttle) idle(now time.Time) bool {
	h.forget(now)
	return len(h.taken) == 0 && h.gate == (gate{})
}

func (h *throttle) admits(t *turn, now time.Time, underWay int) (ok bool, opens time.Time) {
	h.forget(now)
	switch {
	case h.gate.closed(now):
		return false, h.gate.until
	case h.gate.probing:
		if ok, opens = h.gate.admits(now); !ok {
			return false, opens
		}
		// One that was refused insists: the number is not known for certain.
		return h.room(now, underWay, t.throttled)
	case len(h.taken) == 0 && underWay == 0:
		h.limit = 0
	}
	return h.room(now, underWay, h.limit == 0)
}

// room reports whether the last minute has room for one more, and when it will.
// What is under way may be taken, so it counts.
func (h *throttle) room(now time.Time, underWay int, always bool) (ok bool, opens time.Time) {
	over := len(h.taken) + underWay - h.limit
	switch {
	case always || over < 0:
		return true, time.Time{}
	case over < len(h.taken):
		return false, h.taken[over].Add(windowLength)
	}
	return false, time.Time{}
}

// forget drops the events that are older than a minute.
func (h *throttle) forget(now time.Time) {
	old := 0
	for old < len(h.taken) && !now.Before(h.taken[old].Add(windowLength)) {
		old++
	}
	h.taken = h.taken[old:]
}

func (h *throttle) left(t *turn, now time.Time) {
	t.window = h.number
	h.gate.left(t, now)
}

// answered notes an event as taken when its answer comes, which is never too early.
func (h *throttle) answered(t *turn, now time.Time, v verdict) {
	if t == h.gate.probe && v.accepted {
		h.guessed = false
	}
	h.gate.answered(t, v)
	switch {
	case v.throttled:
		h.refuse(t, now, v)
	case v.sent:
		h.taken = append(h.taken, now)
	}
}

// refuse closes the gate. If as many were taken as is documented, the place of the
// oldest is the next to be had. Else somebody else uses the key, or the limit is
// another one: then the wait is that of whoever tries.
func (h *throttle) refuse(t *turn, now time.Time, v verdict) {
	h.forget(now)
	until := now.Add(v.wait)
	h.guessed = v.reset == 0
	if h.guessed && h.documented && len(h.taken) >= throttleLimit {
		until, h.guessed = h.taken[0].Add(windowLength), false
	}
	h.limit = max(throttleLimit, len(h.taken))
	switch {
	case t.window == h.number:
		h.number++
		h.gate.close(until)
	case !h.gate.until.IsZero() && until.After(h.gate.until): // one more of those that left together
		h.gate.close(until)
	}
}
