package limits

import (
	"runtime"
	"slices"
	"strings"
	"unsafe"
	"weak"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// largeText is the size from which a received text is tracked. A script needs thousands of
// calls to fill its memory with shorter texts.
const largeText = 1 << 10

// received are the large texts that a script got from its calls, such as the bodies of
// HTTP responses. They arrive while the script waits, when the watchdog does not
// count the growth of the heap as the script's. So they are tracked here.
type received struct {
	held  int64 // bytes that were held at the last look, plus those received since
	limit int64 // the script may receive up to this before the next look
	texts []receivedText
}

type receivedText struct {
	text weak.Pointer[byte]
	size int64
}

// Receive counts the large texts of an output that a call returned, for as long as the
// script holds them. It returns the output to give to the script. When the script
// holds too much, L raises an error.
func (b *Budget) Receive(L *glua.LState, output action.Object) action.Object {
	if _, longest := textIn(output); longest < largeText { // most outputs need no copy
		return output
	}
	own, fits := b.received.keep(output, b.limits.Memory)
	if !fits {
		b.exceedMemory()
		b.Raise(L)
	}
	return own
}

// keep returns the output with copies of its large texts that only the script holds,
// and whether the script then holds no more than most bytes.
func (r *received) keep(output action.Object, most int64) (own action.Object, fits bool) {
	own, _ = r.own(output).(action.Object)
	if r.held <= max(r.limit, most/2) {
		return own, true
	}
	r.look()
	r.limit = r.held + most/4
	return own, r.held <= most
}

// own returns a value with copies of its large texts. The value itself, which the
// journal also keeps, stays as it is.
func (r *received) own(v any) any {
	switch v := v.(type) {
	case string:
		return r.track(v)
	case []any:
		own := make([]any, len(v))
		for i := range v {
			own[i] = r.own(v[i])
		}
		return own
	case action.Object:
		own := make(action.Object, len(v))
		for name := range v {
			own[name] = r.own(v[name])
		}
		return own
	}
	return v
}

// track returns a copy of a large text and tracks it: a weak pointer to the first byte
// of the copy becomes nil when the copy is no longer held. It needs a copy because
// the text may be a constant of the binary, to which no weak pointer can be made.
func (r *received) track(text string) string {
	if len(text) < largeText {
		return text
	}
	text = strings.Clone(text)
	size := int64(len(text))
	r.texts = append(r.texts, receivedText{weak.Make(unsafe.StringData(text)), size})
	r.held += size
	return text
}

// look collects the garbage and finds out which texts are still held.
func (r *received) look() {
	runtime.GC()
	r.texts = slices.DeleteFunc(r.texts, func(t receivedText) bool { return t.text.Value() == nil })
	r.held = 0
	for _, t := range r.texts {
		r.held += t.size
	}
}
