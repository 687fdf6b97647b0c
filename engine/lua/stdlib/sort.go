package stdlib

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/pdflow/pdflow/engine/lua/limits"
	glua "github.com/yuin/gopher-lua"
)

// smallRun is the length of the runs that are sorted by insertion.
const smallRun = 8

// tableSort is table.sort. It sorts a copy by merging and writes it back at the end. So
// the number of comparisons is bounded whatever the comparator returns, equal values keep
// their order, and an error in a comparator leaves the table as it was.
func tableSort(L *glua.LState) int {
	t := tableArgument(L, 1)
	comparator, given := L.Get(2).(*glua.LFunction)
	if !given && L.Get(2) != glua.LNil {
		wrongType(L, 2, "function")
	}
	b, length := limits.Of(L), t.Len()
	b.Charge(L, int64(length)/slotsPerStep)
	defer b.Unpin(b.Pinned())
	if !b.ReservePinned(2 * limits.ItemBytes * int64(length)) { // the copy and the buffer to merge
		b.Raise(L)
	}
	values := make([]glua.LValue, length)
	for i := range values {
		values[i] = t.RawGetInt(i + 1)
	}
	switch {
	case given:
		mergeSort(values, func(x, y glua.LValue) bool {
			b.Charge(L, 1)
			return glua.LVAsBool(call(L, comparator, x, y))
		})
	case !sortPlain(b, L, values):
		mergeSort(values, func(x, y glua.LValue) bool {
			b.Charge(L, 1)
			return L.LessThan(x, y)
		})
	}
	for i, v := range values {
		t.RawSetInt(i+1, v)
	}
	return 0
}

// sortPlain sorts values that are all numbers or all strings. It reports whether they
// are.
func sortPlain(b *limits.Budget, L *glua.LState, values []glua.LValue) bool {
	switch {
	case allOf[glua.LNumber](values):
		b.Charge(L, comparisons(len(values))/4)
		slices.SortFunc(values, func(x, y glua.LValue) int { return cmp.Compare(x.(glua.LNumber), y.(glua.LNumber)) })
	case allOf[glua.LString](values):
		b.Charge(L, comparisons(len(values))/2)
		slices.SortFunc(values, func(x, y glua.LValue) int {
			b.Charge(L, int64(min(len(x.(glua.LString)), len(y.(glua.LString))))/limits.BytesPerStep)
			return cmp.Compare(x.(glua.LString), y.(glua.LString))
		})
	default:
		return false
	}
	return true
}

// comparisons returns about how many comparisons a sort needs.
func comparisons(length int) int64 { return int64(length) * int64(bits.Len(uint(length))) }

func allOf[T glua.LValue](values []glua.LValue) bool {
	for _, v := range values {
		if _, ok := v.(T); !ok {
			return false
		}
	}
	return true
}

// mergeSort sorts short runs by insertion, and then merges pairs of runs until one is
// left.
func mergeSort(values []glua.LValue, less func(x, y glua.LValue) bool) {
	for start := 0; start < len(values); start += smallRun {
		insertionSort(values[start:min(start+smallRun, len(values))], less)
	}
	buffer := make([]glua.LValue, len(values))
	for width := smallRun; width < len(values); width *= 2 {
		for start := 0; start+width < len(values); start += 2 * width {
			merge(values[start:min(start+2*width, len(values))], width, buffer, less)
		}
	}
}

func insertionSort(values []glua.LValue, less func(x, y glua.LValue) bool) {
	for i := 1; i < len(values); i++ {
		for at := i; at > 0 && less(values[at], values[at-1]); at-- {
			values[at], values[at-1] = values[at-1], values[at]
		}
	}
}

// merge merges two adjacent sorted runs.
func merge(values []glua.LValue, middle int, buffer []glua.LValue, less func(x, y glua.LValue) bool) {
	left, right := buffer[:copy(buffer, values[:middle])], values[middle:]
	for at := range values {
		switch {
		case len(left) == 0:
			return // the rest of the right run is already in its place
		case len(right) > 0 && less(right[0], left[0]):
			values[at], right = right[0], right[1:]
		default:
			values[at], left = left[0], left[1:]
		}
	}
}
