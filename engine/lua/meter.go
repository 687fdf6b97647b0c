package lua

import (
	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// A meter charges the budget of a script for what a pure function does: its work is
// the script's own, as that of string.rep is. What recorded calls do is not.
type meter struct{ budget *budget }

var _ action.Meter = meter{}

// Work counts steps of the function.
func (m meter) Work(steps int64) error {
	if !m.budget.spend(steps) {
		return m.budget.Err()
	}
	return nil
}

// Hold counts values that the function is about to make.
func (m meter) Hold(bytes int64) error {
	if !m.budget.reserve(bytes) {
		return m.budget.Err()
	}
	return nil
}

// allocateText counts the text that a pure function made: each text as one string, all
// of them together as memory.
func (b *budget) allocateText(L *glua.LState, v any) {
	total, longest := textIn(v)
	if longest > maxString {
		b.allocate(L, longest)
	}
	if total > 0 && !b.reserve(total) {
		b.raise(L)
	}
}

// textIn returns how many bytes of text a value holds, and how many the longest has.
func textIn(v any) (total, longest int64) {
	add := func(item any) {
		t, l := textIn(item)
		total, longest = total+t, max(longest, l)
	}
	switch v := v.(type) {
	case string:
		return int64(len(v)), int64(len(v))
	case []any:
		for _, item := range v {
			add(item)
		}
	case action.Object:
		for _, field := range v {
			add(field)
		}
	}
	return total, longest
}
