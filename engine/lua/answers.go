package lua

import (
	"runtime"
	"slices"
	"strings"
	"unsafe"
	"weak"

	"github.com/pdflow/pdflow/engine/action"
)

// largeText is from how many bytes on a text of an answer is followed. Of shorter
// ones a script must get so many that the calls take far longer than filling the
// memory does.
const largeText = 1 << 10

// answers are the large texts that a script got from its calls, such as bodies of
// HTTP. They come while it waits, so that the growth of the heap tells nothing of
// them: here it is known which of them are still held.
type answers struct {
	held  int64 // bytes, of those that were held when they were last looked at, and since
	limit int64 // how much may be held before they are looked at
	texts []answer
}

// An answer is one such text.
type answer struct {
	text weak.Pointer[byte]
	size int64
}

// keep takes an output and returns it with copies of the large texts that only the
// script holds. It reports whether that is no more than it may hold.
func (a *answers) keep(output action.Object, most int64) (own action.Object, fits bool) {
	own, _ = a.own(output).(action.Object)
	if a.held <= max(a.limit, most/2) {
		return own, true
	}
	a.look()
	a.limit = a.held + most/4
	return own, a.held <= most
}

// own is a value with copies of its large texts. The value itself is also the
// record's, and stays as it is.
func (a *answers) own(v any) any {
	switch v := v.(type) {
	case string:
		return a.follow(v)
	case []any:
		own := make([]any, len(v))
		for i := range v {
			own[i] = a.own(v[i])
		}
		return own
	case action.Object:
		own := make(action.Object, len(v))
		for name := range v {
			own[name] = a.own(v[name])
		}
		return own
	}
	return v
}

// follow returns a large text as a copy that is followed: a weak pointer to its first
// byte tells whether anything holds it. It takes a copy since the text may be a
// constant of the program, which none can point to.
func (a *answers) follow(text string) string {
	if len(text) < largeText {
		return text
	}
	text = strings.Clone(text)
	size := int64(len(text))
	a.texts = append(a.texts, answer{weak.Make(unsafe.StringData(text)), size})
	a.held += size
	return text
}

// look finds out which texts are still held.
func (a *answers) look() {
	runtime.GC()
	a.texts = slices.DeleteFunc(a.texts, func(t answer) bool { return t.text.Value() == nil })
	a.held = 0
	for _, t := range a.texts {
		a.held += t.size
	}
}

// holdsLargeText reports whether there is anything to follow in a value; mostly there
// is not, and it is not copied.
func holdsLargeText(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) >= largeText
	case []any:
		return slices.ContainsFunc(v, holdsLargeText)
	case action.Object:
		for _, field := range v {
			if holdsLargeText(field) {
				return true
			}
		}
	}
	return false
}
