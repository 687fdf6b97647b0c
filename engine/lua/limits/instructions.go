package limits

import (
	_ "unsafe" // for the name of gopher-lua's table of instructions

	glua "github.com/yuin/gopher-lua"
)

// gopher-lua has a table with the function of every instruction. The functions of the
// few instructions that take memory are replaced there by functions that also charge the
// budget for what the instruction took: a new table, the growth of a table, a closure.
// Every other instruction costs what it cost before, and so does a state without a
// budget.

// An instruction executes one instruction of a state.
type instruction func(L *glua.LState, code uint32, base *frameLayout) int

// instructions is the table of gopher-lua, by operation.
//
//go:linkname instructions github.com/yuin/gopher-lua.jumpTable
var instructions [glua.OP_NOP + 1]instruction

// The parts of an instruction's code.
func argumentA(code uint32) int { return int(code>>18) & 0xff }
func argumentB(code uint32) int { return int(code & 0x1ff) }
func argumentC(code uint32) int { return int(code>>9) & 0x1ff }
func argumentX(code uint32) int { return int(code & 0x3ffff) }

// constant says that an argument is the number of a constant, and not of a register.
const constant = 1 << 8

// meterInstructions replaces the instructions that take memory.
func meterInstructions() {
	for _, i := range instructions {
		if i == nil {
			panic("lua: this release of gopher-lua has no table of instructions")
		}
	}
	instructions[glua.OP_NEWTABLE] = newTable(instructions[glua.OP_NEWTABLE])
	instructions[glua.OP_CLOSURE] = newClosure(instructions[glua.OP_CLOSURE])
	instructions[glua.OP_SETLIST] = setList(instructions[glua.OP_SETLIST])
	instructions[glua.OP_SETTABLE] = setField(instructions[glua.OP_SETTABLE])
	instructions[glua.OP_SETTABLEKS] = setField(instructions[glua.OP_SETTABLEKS])
	instructions[glua.OP_SETGLOBAL] = setGlobal(instructions[glua.OP_SETGLOBAL])
}

func newTable(plain instruction) instruction {
	return func(L *glua.LState, code uint32, base *frameLayout) int {
		done := plain(L, code, base)
		if b, metered := layoutOf(L).ctx.(*Budget); metered {
			b.keep(emptyTable + slotBytes*int64(argumentB(code)))
		}
		return done
	}
}

func newClosure(plain instruction) instruction {
	return func(L *glua.LState, code uint32, base *frameLayout) int {
		done := plain(L, code, base)
		if b, metered := layoutOf(L).ctx.(*Budget); metered {
			proto := layoutOf(L).currentFrame.Fn.Proto.FunctionPrototypes[argumentX(code)]
			b.keep(functionBytes + (variableBytes+smallValue)*int64(proto.NumUpvalues))
		}
		return done
	}
}

func setList(plain instruction) instruction {
	return func(L *glua.LState, code uint32, base *frameLayout) int {
		s := layoutOf(L)
		b, metered := s.ctx.(*Budget)
		if !metered {
			return plain(L, code, base)
		}
		first := s.currentFrame.LocalBase + argumentA(code)
		last := first + argumentB(code)
		if argumentB(code) == 0 {
			last = s.reg.top - 1
		}
		for i := first + 1; i <= last; i++ {
			s.reg.array[i] = Own(s.reg.array[i])
		}
		t, _ := s.reg.array[first].(*glua.LTable)
		before := shapeOf(t)
		done := plain(L, code, base)
		b.grew(t, before)
		return done
	}
}

func setField(plain instruction) instruction {
	return func(L *glua.LState, code uint32, base *frameLayout) int {
		s := layoutOf(L)
		frame := s.currentFrame
		t, isTable := s.reg.array[frame.LocalBase+argumentA(code)].(*glua.LTable)
		b, metered := s.ctx.(*Budget)
		if !isTable || !metered {
			return plain(L, code, base)
		}
		if t.Metatable != glua.LNil {
			t = assigned(t)
		}
		if key := argumentB(code); key&constant == 0 {
			register := &s.reg.array[frame.LocalBase+key]
			switch key := (*register).(type) {
			case glua.LNumber:
				if !(key >= 1 && key < MaxArrayIndex) {
					*register = Own(key)
				}
			case glua.LString:
				open(t)
			}
		} else {
			open(t)
		}
		if value := argumentC(code); value&constant == 0 {
			register := &s.reg.array[frame.LocalBase+value]
			if _, number := (*register).(glua.LNumber); number {
				*register = Own(*register)
			}
		}
		before := shapeOf(t)
		done := plain(L, code, base)
		b.grew(t, before)
		return done
	}
}

func setGlobal(plain instruction) instruction {
	return func(L *glua.LState, code uint32, base *frameLayout) int {
		s := layoutOf(L)
		b, metered := s.ctx.(*Budget)
		if !metered {
			return plain(L, code, base)
		}
		frame := s.currentFrame
		register := &s.reg.array[frame.LocalBase+argumentA(code)]
		*register = Own(*register)
		t := assigned(frame.Fn.Env)
		before := shapeOf(t)
		done := plain(L, code, base)
		b.grew(t, before)
		return done
	}
}

// maxAssigned bounds how many tables an assignment passes on to the next, as gopher-lua
// does.
const maxAssigned = 100

// assigned returns the table that gets a new field of a table: the table itself, or the
// one to which __newindex leads.
func assigned(t *glua.LTable) *glua.LTable {
	for range maxAssigned {
		meta, ok := t.Metatable.(*glua.LTable)
		if !ok {
			return t
		}
		next, ok := meta.RawGetString("__newindex").(*glua.LTable)
		if !ok {
			return t
		}
		t = next
	}
	return t
}

// open gives a table that has no fields yet a small map for them. gopher-lua would
// reserve two kilobytes, for 32 fields.
func open(t *glua.LTable) {
	if content := contentOf(t); content.strdict == nil {
		content.strdict = map[string]glua.LValue{}
	}
}

// Own returns a value to keep in a table. The number in a register shares a block of 256
// bytes with the numbers that were computed before and after it, and would keep all of
// the block; so the table gets a copy.
func Own(v glua.LValue) glua.LValue {
	if n, number := v.(glua.LNumber); number && !(n >= 0 && n < sharedNumbers && n == glua.LNumber(int(n))) {
		return n
	}
	return v
}

// sharedNumbers are the whole numbers that gopher-lua keeps once for all states.
const sharedNumbers = 128
