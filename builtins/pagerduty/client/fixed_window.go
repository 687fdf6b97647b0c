package client

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// windowLimit and windowLength are the limit of an API key as documented
	// ("REST API Rate Limits"); headers say what holds for this one.
	windowLimit  = 960
	windowLength = time.Minute
)

// A window is the limit of the REST API: so many requests until a time, then as
// many anew. It spends what the last answer said to be left, less what is under way,
// and then waits for the reset. What other processes spend is seen in the answers.
type window struct {
	total     int       // of a whole window
	remaining int       // as the answers so far say
	ends      time.Time // zero: nothing was sent in it yet
	stated    bool      // the service said so; else it is counted as documented
	refused   bool      // somebody waits for its end
	guessed   bool      // the end is a guess after a refusal that said nothing
	number    int       // of windows before
	gate      gate
}

func newWindow() *window { return &window{total: windowLimit, remaining: windowLimit} }

func (w *window) blind() bool { return w.guessed }

// idle: a window that is over, and that nobody waited for, is like a new one.
func (w *window) idle(now time.Time) bool {
	return !now.Before(w.ends) && !w.refused && !w.gate.probing
}

func (w *window) admits(_ *turn, now time.Time, underWay int) (ok bool, opens time.Time) {
	if !w.ends.IsZero() && !now.Before(w.ends) {
		w.over()
	}
	switch {
	case w.gate.probing:
		return w.gate.admits(now)
	case w.remaining > underWay:
		return true, time.Time{}
	}
	w.refused = true
	return false, w.ends
}

// over begins a new window. One request goes first if the old one was used up:
// the service's clock may be behind, and other processes may be quicker.
func (w *window) over() {
	w.gate = gate{probing: w.refused}
	w.number++
	w.remaining, w.ends, w.stated, w.refused = w.total, time.Time{}, false, false
}

func (w *window) left(t *turn, now time.Time) {
	t.window = w.number
	w.gate.left(t, now)
	if w.ends.IsZero() {
		w.ends = now.Add(windowLength)
	}
}

func (w *window) answered(t *turn, now time.Time, v verdict) {
	if t == w.gate.probe && v.accepted {
		w.guessed = false
	}
	w.gate.answered(t, v)
	current := t.window == w.number
	switch {
	case v.throttled:
		if current {
			w.exhaust(now, v)
		}
	case v.stated:
		w.read(current, now, v)
	case v.sent && current:
		w.count(now)
	}
}

// count spends one request whose answer says nothing of the limit. The service
// begins its window when the first request arrives: at the latest when it answers.
func (w *window) count(now time.Time) {
	if !w.stated && w.remaining == w.total {
		w.ends = now.Add(windowLength)
	}
	w.remaining--
}

// exhaust closes the window after a refusal: until the reset that it names, else
// until the one that was named before, else for the wait of somebody who tries.
func (w *window) exhaust(now time.Time, v verdict) {
	w.guessed = v.reset == 0 && !(w.stated && w.ends.After(now))
	switch {
	case v.reset > 0:
		w.ends, w.stated = now.Add(v.reset), true
	case w.guessed:
		w.ends = now.Add(v.wait)
	}
	w.remaining, w.refused, w.gate = 0, true, gate{}
}

// read takes in what an answer says. Answers overtake each other, and a reset in
// whole seconds is rounded up: within a window the least of all is nearest to the
// truth. The answer belongs to another window if the end is far from ours.
func (w *window) read(current bool, now time.Time, v verdict) {
	ends := now.Add(v.reset)
	switch {
	case !w.stated && current, w.stated && ends.After(w.ends.Add(windowLength/2)):
		if w.stated {
			w.number++
		}
		w.remaining, w.ends = v.remaining, ends
		w.stated, w.refused, w.guessed, w.gate = true, false, false, gate{}
	case w.stated && ends.After(w.ends.Add(-windowLength/2)):
		w.remaining = min(w.remaining, v.remaining)
		if ends.Before(w.ends) {
			w.ends = ends
		}
	default:
		return // an old answer
	}
	if v.total > 0 {
		w.total = v.total
	}
}

// readHeaders takes the limit from the headers of an answer.
func (v *verdict) readHeaders(header http.Header) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(strings.TrimSpace(header.Get(name)))
		if err != nil || n < 0 {
			return 0, false
		}
		return n, true
	}
	var told bool
	v.reset = resetOf(header)
	v.total, _ = number("Ratelimit-Limit")
	v.remaining, told = number("Ratelimit-Remaining")
	v.stated = told && v.reset > 0
}
