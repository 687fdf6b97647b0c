package client

import "time"

// documentedRequests is how many requests of one API key the REST API accepts in a
// minute ("REST API Rate Limits"). The headers of an answer have the number of the
// key that was used.
const documentedRequests = 960

// fixedWindow is the limit of an API key: a number of requests until a time, the
// reset, and then the same number again. It admits as many requests as the last answer
// said remain, less the ones in flight, and then waits for the reset. The answers also
// show what other processes have used.
type fixedWindow struct {
	total      int       // requests in a whole window
	remaining  int       // requests left, according to the answers so far
	ends       time.Time // the reset; zero: no request was sent in the window
	stated     bool      // PagerDuty named the numbers; else they are the documented ones
	used       bool      // the window is used up, and calls wait for its end
	guessed    bool      // the end is a guess after a throttled try without headers
	generation int       // number of windows before
	pause      pause     // only its probing is used: the window itself is the pause
}

func newFixedWindow() *fixedWindow {
	return &fixedWindow{total: documentedRequests, remaining: documentedRequests}
}

func (w *fixedWindow) guessing() bool { return w.guessed }

// idle reports whether the window is over and no call waited for its end.
func (w *fixedWindow) idle(now time.Time) bool {
	return !now.Before(w.ends) && !w.used && !w.pause.probing
}

func (w *fixedWindow) admits(_ *ticket, now time.Time, inFlight int) (ok bool, opens time.Time) {
	if !w.ends.IsZero() && !now.Before(w.ends) {
		w.next()
	}
	switch {
	case w.pause.probing:
		return w.pause.admitsProbe(now)
	case w.remaining > inFlight:
		return true, time.Time{}
	}
	w.used = true
	return false, w.ends
}

// next starts a new window. If the old window was used up, a probe goes first:
// PagerDuty's clock may be behind, and other processes may be quicker.
func (w *fixedWindow) next() {
	w.pause = pause{probing: w.used}
	w.generation++
	w.remaining, w.ends, w.stated, w.used = w.total, time.Time{}, false, false
}

func (w *fixedWindow) left(t *ticket, now time.Time) {
	t.generation = w.generation
	w.pause.left(t, now)
	if w.ends.IsZero() {
		w.ends = now.Add(windowLength)
	}
}

func (w *fixedWindow) answered(t *ticket, now time.Time, f feedback) {
	if t == w.pause.probe && f.accepted {
		w.guessed = false
	}
	w.pause.answered(t, f)
	current := t.generation == w.generation
	switch {
	case f.throttled:
		if current {
			w.exhaust(now, f)
		}
	case f.stated:
		w.read(current, now, f)
	case f.sent && current:
		w.count(now)
	}
}

// count counts one request whose answer has no headers. PagerDuty's window starts when
// the first request arrives, which is at the latest when PagerDuty answers.
func (w *fixedWindow) count(now time.Time) {
	if !w.stated && w.remaining == w.total {
		w.ends = now.Add(windowLength)
	}
	w.remaining--
}

// exhaust closes the window after a throttled try: until the reset that the answer
// names, else until a reset that an earlier answer named, else for the backoff of the
// call.
func (w *fixedWindow) exhaust(now time.Time, f feedback) {
	w.guessed = f.reset == 0 && !(w.stated && w.ends.After(now))
	switch {
	case f.reset > 0:
		w.ends, w.stated = now.Add(f.reset), true
	case w.guessed:
		w.ends = now.Add(f.wait)
	}
	w.remaining, w.used, w.pause = 0, true, pause{}
}

// read reads the headers of an answer. Answers can overtake each other, and PagerDuty
// rounds a reset up to whole seconds, so within a window the smallest numbers are
// nearest to the truth. An answer whose reset is far from the window's end belongs to
// another window.
func (w *fixedWindow) read(current bool, now time.Time, f feedback) {
	ends := now.Add(f.reset)
	switch {
	case !w.stated && current, w.stated && ends.After(w.ends.Add(windowLength/2)):
		if w.stated {
			w.generation++
		}
		w.remaining, w.ends = f.remaining, ends
		w.stated, w.used, w.guessed, w.pause = true, false, false, pause{}
	case w.stated && ends.After(w.ends.Add(-windowLength/2)):
		w.remaining = min(w.remaining, f.remaining)
		if ends.Before(w.ends) {
			w.ends = ends
		}
	default:
		return // an old answer
	}
	if f.total > 0 {
		w.total = f.total
	}
}
