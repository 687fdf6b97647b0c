package client

import "time"

// documentedEvents is how many events of one integration key Events API v2 accepts in
// any minute ("Events API v2", rate limits). An account may have a higher limit.
const documentedEvents = 120

// slidingWindow is the limit of an integration key: a number of events in any minute.
// PagerDuty's answers do not name the number. So no event is held back until PagerDuty
// has throttled one. After that, the key sends no more events in a minute than
// PagerDuty was seen to accept. A minute without events resets the limit.
type slidingWindow struct {
	documented bool        // PagerDuty documents the number
	accepted   []time.Time // events of the last minute, oldest first
	limit      int         // events in a minute; 0: not known yet
	guessed    bool        // the end of the present pause is a guess
	generation int         // number of pauses so far
	pause      pause
}

func (w *slidingWindow) guessing() bool { return w.guessed }

func (w *slidingWindow) idle(now time.Time) bool {
	w.forget(now)
	return len(w.accepted) == 0 && w.pause == (pause{})
}

func (w *slidingWindow) admits(t *ticket, now time.Time, inFlight int) (ok bool, opens time.Time) {
	w.forget(now)
	switch {
	case w.pause.active(now):
		return false, w.pause.until
	case w.pause.probing:
		if ok, opens = w.pause.admitsProbe(now); !ok {
			return false, opens
		}
		// A throttled call may try even without room, because the number is not certain.
		return w.room(now, inFlight, t.throttled)
	case len(w.accepted) == 0 && inFlight == 0:
		w.limit = 0
	}
	return w.room(now, inFlight, w.limit == 0)
}

// room reports whether the last minute has room for one more event. If not, opens is
// when it will have. Events in flight may be accepted, so they count.
func (w *slidingWindow) room(now time.Time, inFlight int, always bool) (ok bool, opens time.Time) {
	over := len(w.accepted) + inFlight - w.limit
	switch {
	case always || over < 0:
		return true, time.Time{}
	case over < len(w.accepted):
		return false, w.accepted[over].Add(windowLength)
	}
	return false, time.Time{}
}

// forget drops the events that are older than a minute.
func (w *slidingWindow) forget(now time.Time) {
	old := 0
	for old < len(w.accepted) && !now.Before(w.accepted[old].Add(windowLength)) {
		old++
	}
	w.accepted = w.accepted[old:]
}

func (w *slidingWindow) left(t *ticket, now time.Time) {
	t.generation = w.generation
	w.pause.left(t, now)
}

// answered records an event at the time of its answer. PagerDuty counted the event
// earlier, so its minute never ends too soon here.
func (w *slidingWindow) answered(t *ticket, now time.Time, f feedback) {
	if t == w.pause.probe && f.accepted {
		w.guessed = false
	}
	w.pause.answered(t, f)
	switch {
	case f.throttled:
		w.throttle(t, now, f)
	case f.sent:
		w.accepted = append(w.accepted, now)
	}
}

// throttle pauses the key. If PagerDuty has accepted as many events as it documents,
// the next one has room a minute after the oldest. Otherwise another process uses the
// key, or the limit is another one; then the pause is the backoff of the call.
func (w *slidingWindow) throttle(t *ticket, now time.Time, f feedback) {
	w.forget(now)
	until := now.Add(f.wait)
	w.guessed = f.reset == 0
	if w.guessed && w.documented && len(w.accepted) >= documentedEvents {
		until, w.guessed = w.accepted[0].Add(windowLength), false
	}
	w.limit = max(documentedEvents, len(w.accepted))
	switch {
	case t.generation == w.generation:
		w.generation++
		w.pause.start(until)
	case !w.pause.until.IsZero() && until.After(w.pause.until): // left together with the one that started the pause
		w.pause.start(until)
	}
}
