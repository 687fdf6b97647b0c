package limits

import (
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
	glua "github.com/yuin/gopher-lua"
)

// memory is the account of what a script holds. It has an upper bound: what the script
// held when it was last measured, and everything that was charged since. When the bound
// passes the limit, the script is measured again: what it dropped since no longer counts.
// So the decision is about the script alone, and the same in every run.
type memory struct {
	limit   int64
	held    int64 // at the last measurement
	recent  int64 // charged since
	allowed int64 // recent may grow to this before the account is settled
	pinned  int64 // held by functions of the library that run now, and not by Lua
	room    Room  // nil: the process has room for everything
	granted int64 // by the room
	// borrowed are the large texts that the run holds anyway; see [Budget.Borrow].
	borrowed map[*byte]struct{}
}

// A Room is the memory that the process has for its scripts together.
type Room interface {
	// Hold tells how many bytes the script may hold from now on. It waits until the
	// process has room for them, or the attempt ends. With try it does not wait, and
	// reports whether there was room.
	Hold(bytes int64, try bool) bool
}

const (
	// slack is the part of its limit that a script may take between two measurements,
	// however much it holds: 1/8. So it may hold that much more than its limit for a
	// moment, and a script near its limit is not measured all the time.
	slack = 8
	// smallRoom is the memory that every attempt may hold without asking for room.
	smallRoom = 256 << 10
	// unused is the room that a script may keep in a call without using it.
	unused = 1 << 20
	// roomStep is how much room a script asks for at a time, in addition to half of what it
	// holds.
	roomStep = 256 << 10
)

func (m *memory) open(limit int64, room Room) {
	*m = memory{limit: limit, room: room, granted: smallRoom}
	m.allow()
}

// allow sets how much may be charged before the account is settled again.
func (m *memory) allow() {
	m.allowed = max(m.limit-m.held, m.limit/slack)
	if m.room != nil {
		m.allowed = min(m.allowed, m.granted-m.held)
	}
}

// keep charges for memory that an instruction took.
func (b *Budget) keep(bytes int64) {
	if b.memory.recent += bytes; b.memory.recent > b.memory.allowed {
		b.settle(0)
	}
}

// Reserve counts the bytes of a text or table that is about to be made, and reports
// whether it may be made.
func (b *Budget) Reserve(bytes int64) bool {
	b.bytes += bytes
	if b.memory.recent+bytes > b.memory.allowed {
		b.settle(bytes)
	}
	b.memory.recent += bytes
	return b.Spend(bytes / BytesPerStep)
}

// ReservePinned is [Budget.Reserve] for what the script cannot reach yet, since a function
// of the library is making it. It counts as held until [Budget.Unpin].
func (b *Budget) ReservePinned(bytes int64) bool {
	ok := b.Reserve(bytes)
	b.memory.pinned += bytes
	return ok
}

// Pinned returns how much is pinned now, for [Budget.Unpin].
func (b *Budget) Pinned() int64 { return b.memory.pinned }

// Unpin ends what was pinned since Pinned returned this value.
func (b *Budget) Unpin(before int64) { b.memory.pinned = before }

// While pins bytes that a library function holds while it calls a function of the script.
func (b *Budget) While(bytes int64, call func()) {
	defer b.Unpin(b.memory.pinned)
	b.memory.pinned += bytes
	call()
}

// settle decides whether a script whose charges have reached what was allowed may hold
// bytes more.
func (b *Budget) settle(bytes int64) {
	m := &b.memory
	if b.reason != nil || b.owner == nil {
		return
	}
	measured := false
	if bytes > m.limit || m.recent+bytes > max(m.limit-m.held, m.limit/slack) {
		b.account()
		measured = true
		if m.held+bytes > m.limit {
			b.exceedMemory()
			return
		}
	}
	if m.room != nil && m.held+m.recent+bytes > m.granted {
		if want := m.more(m.held + m.recent + bytes); !b.hold(want, true) {
			if !measured {
				b.account()
				want = m.more(m.held + bytes)
			}
			b.stopwatch.wait(func() { b.hold(want, false) })
		}
	}
	m.allow()
}

// more returns how much room a script asks for that needs this much.
func (m *memory) more(bytes int64) int64 {
	return max(bytes, min(bytes+bytes/2+roomStep, m.limit+m.limit/slack))
}

// hold asks for room.
func (b *Budget) hold(bytes int64, try bool) bool {
	if !b.memory.room.Hold(bytes, try) {
		return false
	}
	b.memory.granted = bytes
	return true
}

// rest gives back the room that a script has not used when it waits in a call. It measures
// nothing, because a script may make many calls.
func (b *Budget) rest() {
	m := &b.memory
	used := max(m.held+m.recent, smallRoom)
	if m.room != nil && m.granted-used > unused {
		b.hold(used, true)
		m.allow()
	}
}

// account measures what the script holds.
func (b *Budget) account() {
	b.memory.held, b.memory.recent = b.Held(), 0
}

func (b *Budget) exceedMemory() {
	b.exceed("taking "+phrase.Bytes(b.limits.Memory)+" of memory, its limit", "keep less at a time, or raise `limits: {memory: ...}`")
}

// KeepStack charges for the registers that a state has reserved since it was last called.
func KeepStack(L *glua.LState, charged *int) {
	if reserved := cap(layoutOf(L).reg.array); reserved > *charged {
		Of(L).keep(slotBytes * int64(reserved-*charged))
		*charged = reserved
	}
}

// Set sets a field of a table, as rawset does, and charges for the growth of the table.
func Set(L *glua.LState, t *glua.LTable, key, value glua.LValue) {
	if _, text := key.(glua.LString); text {
		open(t)
	}
	before := shapeOf(t)
	t.RawSet(Own(key), Own(value))
	Of(L).grew(t, before)
}

// Append adds an item to the end of a list, and charges for its growth.
func Append(L *glua.LState, t *glua.LTable, value glua.LValue) {
	before := shapeOf(t)
	t.Append(Own(value))
	Of(L).grew(t, before)
}

// Insert inserts an item into a list, and charges for its growth.
func Insert(L *glua.LState, t *glua.LTable, at int, value glua.LValue) {
	before := shapeOf(t)
	t.Insert(at, Own(value))
	Of(L).grew(t, before)
}

// KeepClosure charges for a function that a library function has made.
func KeepClosure(L *glua.LState) { Of(L).keep(functionBytes + 2*(variableBytes+smallValue)) }

// Part returns a part of a text as a text of its own when the part is small: it would keep
// all of the text in memory.
func Part(L *glua.LState, text, part string) glua.LString {
	if len(text) < smallText || 2*len(part) > len(text) {
		return glua.LString(part)
	}
	if len(part) > smallValue {
		Of(L).Allocate(L, int64(len(part)))
	}
	return glua.LString(strings.Clone(part))
}

// smallText is the size of a text below which its parts are not copied.
const smallText = 64
