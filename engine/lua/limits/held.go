package limits

import (
	"sync"
	"unsafe"

	glua "github.com/yuin/gopher-lua"
)

// A Holder knows every place in which the script of an attempt can hold a value. A budget is
// opened for a Holder.
type Holder interface {
	// States returns the Lua state of the attempt and the states of its protected calls.
	States() []*glua.LState
	// Values calls visit with every value that is held outside of the states.
	Values(visit func(glua.LValue))
	// Shared reports whether a table belongs to the library, which all attempts share.
	Shared(t *glua.LTable) bool
}

// Held finds out how many bytes the script holds now: it goes through all values that
// the script can reach. It also gives the numbers in registers and variables copies of
// their own; see [Own]. The result depends on the script alone, and not on the heap,
// on garbage, or on other scripts.
//
// Most values are counted without looking whether they were counted before. When the
// script then seems to hold too much, each value is counted once.
func (b *Budget) Held() int64 {
	measuring.Lock() // a measurement takes memory of its own
	defer measuring.Unlock()
	w := walk{budget: b}
	held := w.run()
	if held > b.limits.Memory {
		w = walk{budget: b, exact: true}
		held = w.run()
	}
	b.used += w.values / valuesPerStep
	return held + b.memory.pinned
}

var measuring sync.Mutex

// valuesPerStep is how many values are measured for one step.
const valuesPerStep = 16

// A walk goes through the values that a script holds.
type walk struct {
	budget *Budget
	exact  bool // count no value twice
	seen   map[unsafe.Pointer]struct{}
	todo   []glua.LValue // tables and functions whose content is not counted yet
	bytes  int64
	values int64
}

func (w *walk) run() int64 {
	w.seen = map[unsafe.Pointer]struct{}{}
	for _, L := range w.budget.owner.States() {
		w.state(L)
	}
	w.budget.owner.Values(w.value)
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		v := w.todo[last]
		w.todo = w.todo[:last]
		switch v := v.(type) {
		case *glua.LTable:
			w.content(v)
		case *glua.LFunction:
			w.captured(v)
		}
	}
	return w.bytes
}

// first reports whether something was not counted before.
func (w *walk) first(p unsafe.Pointer) bool {
	if _, counted := w.seen[p]; counted {
		return false
	}
	w.seen[p] = struct{}{}
	return true
}

// state counts the registers of a state and the functions that run.
func (w *walk) state(L *glua.LState) {
	s := layoutOf(L)
	w.bytes += slotBytes * int64(cap(s.reg.array))
	registers := s.reg.array[:min(s.reg.top, len(s.reg.array))]
	for i, v := range registers {
		if v != nil {
			registers[i] = Own(v)
			w.value(v)
		}
	}
	if s.reg.top > 0 { // the frame of a state at rest belongs to another state
		for frame := s.currentFrame; frame != nil; frame = frame.Parent {
			if frame.Fn != nil {
				w.value(frame.Fn)
			}
		}
	}
	w.value(s.G.Global)
}

// value counts a value, and notes what it refers to.
func (w *walk) value(v glua.LValue) {
	w.values++
	switch v := v.(type) {
	case glua.LNumber:
		w.bytes += numberBytes
	case glua.LString:
		w.text(string(v))
	case *glua.LTable:
		if v != nil && w.first(unsafe.Pointer(v)) && !w.budget.owner.Shared(v) {
			w.bytes += tableSize(v)
			w.todo = append(w.todo, v)
		}
	case *glua.LFunction:
		if v != nil && w.first(unsafe.Pointer(v)) {
			w.bytes += functionBytes
			w.todo = append(w.todo, v)
		}
	case *glua.LUserData:
		w.bytes += userBytes
	}
}

// text counts a text. Large texts that the run holds anyway, such as inputs, are not the
// script's.
func (w *walk) text(text string) {
	if len(text) == 0 {
		return
	}
	start := unsafe.Pointer(unsafe.StringData(text))
	if (w.exact || len(text) >= smallValue) && !w.first(start) {
		return
	}
	w.bytes += textBytes
	if _, borrowed := w.budget.memory.borrowed[unsafe.StringData(text)]; !borrowed {
		w.bytes += int64(len(text)+15) &^ 15
	}
}

func (w *walk) content(t *glua.LTable) {
	content := contentOf(t)
	if meta, ok := t.Metatable.(*glua.LTable); ok {
		w.value(meta)
	}
	for _, v := range content.array {
		if v != nil && v != glua.LNil {
			w.value(v)
		}
	}
	for _, key := range content.keys {
		switch key := key.(type) {
		case glua.LString:
			w.text(string(key))
			if v := content.strdict[string(key)]; v != nil {
				w.value(v)
			}
		default:
			w.value(key)
			if v := content.dict[key]; v != nil {
				w.value(v)
			}
		}
	}
}

func (w *walk) captured(f *glua.LFunction) {
	if f.IsG {
		w.bytes += variableBytes
	}
	if !f.IsG && f.Env != nil {
		w.value(f.Env)
	}
	w.bytes += 8 * int64(len(f.Upvalues))
	for _, variable := range f.Upvalues {
		if variable != nil && w.first(unsafe.Pointer(variable)) {
			w.bytes += variableBytes
			v := variable.Value()
			if n, number := v.(glua.LNumber); number {
				variable.SetValue(Own(n))
			}
			w.value(v)
		}
	}
}

// Borrow notes the large texts of a value that the run holds whether or not the script
// does. They do not count as the script's.
func (b *Budget) Borrow(v any) {
	switch v := v.(type) {
	case string:
		if len(v) >= smallValue {
			if b.memory.borrowed == nil {
				b.memory.borrowed = map[*byte]struct{}{}
			}
			b.memory.borrowed[unsafe.StringData(v)] = struct{}{}
		}
	case []any:
		for _, item := range v {
			b.Borrow(item)
		}
	case map[string]any:
		for _, field := range v {
			b.Borrow(field)
		}
	}
}
