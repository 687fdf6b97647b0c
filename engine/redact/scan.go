package redact

import (
	"slices"
	"strings"
)

// A span is a part of a text.
type span struct{ start, end int }

// find appends the parts of a text that are a word of the reading.
func (r *reading) find(text string, found []span) []span {
	w := walk{reading: r, text: text, found: found}
	for at := w.skim(0); at < len(text); {
		at = w.skim(w.from(at))
	}
	return w.found
}

// skim runs the automaton over a text from its root, until a word ends or an escape
// begins that matters. It returns the last place where the automaton was at its root.
func (w *walk) skim(start int) int {
	r, text := w.reading, w.text
	for {
		if start = r.sift.next(text, start); start == len(text) {
			return start
		}
		state := int32(0)
		for at := start; at < len(text); at++ {
			if r.stops[text[at]] && mayEscape(text, at) && w.escapeMatters(at, state) {
				return start
			}
			if c := r.classes[text[at]]; c != passed {
				state = r.step(state, c)
			}
			if state == 0 {
				start = at + 1
				break
			}
			if r.nodes[state].word != none || r.isCut(text, at+1, state) {
				return start
			}
		}
		if state != 0 {
			return len(text)
		}
	}
}

// ellipsis is what messages have in place of the end of a text that is too long for them.
const ellipsis = "…"

// isCut reports whether an ellipsis at a place cuts off a word of which enough has been
// read: as much as [MinLength] bytes.
func (r *reading) isCut(text string, at int, state int32) bool {
	return at < len(text) && text[at] == ellipsis[0] && r.nodes[state].depth >= r.least() && strings.HasPrefix(text[at:], ellipsis)
}

// least returns how many characters write a secret of the smallest length.
func (r *reading) least() int32 {
	switch r.kind {
	case asBase64:
		return (8*MinLength + 5) / 6
	case asHex:
		return 2 * MinLength
	}
	return MinLength
}

// escapeMatters reports whether an escape begins at a place that leads from a state to
// another one than the root. What leads to the root finds no more than the characters of
// the escape do.
func (w *walk) escapeMatters(at int, state int32) bool {
	w.escapes = w.escapesAt(w.escapes[:0], w.text, at)
	for _, e := range w.escapes {
		after := state
		for _, c := range []byte(e.means) {
			if c := w.classes[c]; c != passed {
				after = w.step(after, c)
			}
		}
		if after != 0 {
			return true
		}
	}
	return false
}

// A walk goes through a text step by step. At an escape it goes on as several threads:
// through the escape, and through its characters.
type walk struct {
	*reading
	text    string
	threads []thread // at the place
	later   []thread // at places after it, where escapes end
	escapes []escape
	path    []character // what the threads have read since the root
	found   []span
}

// A thread is one way through the text.
type thread struct {
	place int
	state int32
	last  int32 // the last character in the path, or none
}

// A character is what a thread has read. Threads share what they read before an escape.
type character struct {
	start int
	prior int32 // the character before it, or none
	word  int32 // the last word that was found with it, or none
}

// The bounds on the work at one place. Only a text that is made for it reaches them.
const (
	maxThreads     = 8
	maxLater       = 16
	maxBackslashes = 64 // before a character: six levels of JSON
)

// from goes on from a place where the automaton is at its root. It returns the next such
// place.
func (w *walk) from(start int) int {
	w.threads = append(w.threads[:0], thread{start, 0, none})
	w.path = w.path[:0]
	for at := start; ; at++ {
		w.join(at)
		if at == len(w.text) || at > start && len(w.later) == 0 && len(w.threads) == 1 && w.threads[0].state == 0 {
			return at
		}
		if w.stops[w.text[at]] {
			w.escape(at)
		}
		for _, t := range w.threads {
			if w.isCut(w.text, at, t.state) {
				w.found = append(w.found, span{w.start(t.last, w.nodes[t.state].depth), at})
			}
		}
		for i, t := range w.threads {
			w.threads[i] = w.take(t, w.text[at], at, at+1)
		}
	}
}

// join makes the threads that arrive at a place threads of this place. Of two in the same
// state it keeps the one that began earlier. It drops one at the root, which finds no more
// than any other.
func (w *walk) join(at int) {
	w.later = slices.DeleteFunc(w.later, func(t thread) bool {
		if t.place == at {
			w.threads = append(w.threads, t)
		}
		return t.place == at
	})
	if len(w.threads) == 1 {
		return
	}
	kept := w.threads[:0]
	for _, t := range w.threads {
		same := slices.IndexFunc(kept, func(other thread) bool { return other.state == t.state })
		switch {
		case t.state == 0:
		case same < 0:
			kept = w.keep(kept, t, maxThreads)
		case w.start(t.last, w.nodes[t.state].depth) < w.start(kept[same].last, w.nodes[t.state].depth):
			kept[same] = t
		}
	}
	if len(kept) == 0 {
		kept = append(kept, thread{at, 0, none})
	}
	w.threads = kept
}

// keep adds a thread. Of too many it drops the one that has read the least of a word.
func (w *walk) keep(threads []thread, t thread, most int) []thread {
	if len(threads) < most {
		return append(threads, t)
	}
	depth := func(t thread) int32 { return w.nodes[t.state].depth }
	least := 0
	for i := range threads {
		if depth(threads[i]) < depth(threads[least]) {
			least = i
		}
	}
	if depth(t) > depth(threads[least]) {
		threads[least] = t
	}
	return threads
}

// start returns where a number of characters begin of which the last one is given.
func (w *walk) start(last, characters int32) int {
	for range characters - 1 {
		last = w.path[last].prior
	}
	return w.path[last].start
}

// escape sends every thread through the escapes that begin at a place.
func (w *walk) escape(at int) {
	w.escapes = w.escapesAt(w.escapes[:0], w.text, at)
	for _, e := range w.escapes {
		for _, t := range w.threads {
			for _, c := range []byte(e.means) {
				t = w.take(t, c, at, e.end)
			}
			if t.state != 0 {
				t.place = e.end
				w.later = w.keep(w.later, t, maxLater)
			}
		}
	}
}

// take returns a thread after one more character, which the text has between two places.
func (w *walk) take(t thread, c byte, start, end int) thread {
	class := w.classes[c]
	if class == passed {
		return t
	}
	t.state = w.step(t.state, class)
	if t.state == 0 {
		t.last = none
		return t
	}
	w.path = append(w.path, character{start, t.last, none})
	t.last = int32(len(w.path) - 1)
	if word := w.nodes[t.state].word; word != none {
		w.add(word, t.last, end)
	}
	return t
}

// add adds the part of the text that is a word. last is its last character. From the first
// character with which the same word was found already, the two overlap: that part is as
// good as the whole.
func (w *walk) add(number, last int32, end int) {
	start := end
	for range w.words[number].classes {
		c := &w.path[last]
		start = c.start
		if c.word == number {
			break
		}
		c.word, last = number, c.prior
	}
	switch w.kind {
	case asText, asExact:
		for range maxBackslashes { // the escape of the first character
			if start > 0 && w.text[start-1] == '\\' {
				start--
			}
		}
	case asBase64:
		if w.words[number].partial && end < len(w.text) && isBase64(w.text[end]) {
			end++
		}
		end += len(w.text[end:]) - len(strings.TrimLeft(w.text[end:], "="))
	}
	w.found = append(w.found, span{start, end})
}

// isBase64 reports whether a byte is a character of base64 text.
func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}
