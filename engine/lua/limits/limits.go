// Package limits bounds what the scripts of one attempt use: instructions, time,
// memory, text and the depth of their stack.
//
//   - A [Budget] (budget.go) counts what the chunks of one attempt use and stops them
//     when a limit is reached. Library functions charge it for their work.
//   - The step counter (steps.go) counts the instructions of the Lua machine, and
//     stops the machine. It is the Done method of the budget.
//   - Memory (memory.go) is charged by the library functions, and by the instructions
//     that take memory (instructions.go). When the charges reach the limit, what the
//     script really holds is measured (held.go, sizes.go). So a script ends only for
//     memory that it holds itself.
//   - The pulse (pulse.go) makes every script look at its clock.
//   - layout.go reads what gopher-lua does not show.
//
// The package sets two variables of gopher-lua for the whole process, because the
// library offers these limits as variables only, and changes its table of instructions:
// see [SetProcess].
package limits

import (
	"cmp"
	"sync"

	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

const (
	// MaxString is the size of the longest string that a script can make, in bytes.
	MaxString = 16 << 20
	// MaxArrayIndex is above the largest key that a table keeps in its array part, and
	// so above the length of any list. One assignment to a key fills the array up to
	// it: with gopher-lua's default, t[67108863] = 1 takes a gigabyte; with this
	// value it takes 8 MB, and leaves 40 MB of garbage.
	MaxArrayIndex = 1 << 19

	// BytesPerStep is how much text a library function makes or reads for one
	// instruction of the budget; both take about twenty nanoseconds.
	BytesPerStep = 64

	// defaultOutput is the least limit for a value that leaves a script. The engine
	// has a lower limit for outputs and reports them by their size; this limit is
	// for every value, including a list to loop over.
	defaultOutput = 8 << 20

	// callStack is how deep functions can call each other. The stack grows in
	// segments, because most scripts need little of it. gopher-lua panics at its end;
	// package lua turns this into an error of Lua.
	callStack = 200
	// registrySize is the first size of a state's stack, registryMax the largest, and
	// registryStep how much it grows at a time. Growing by the default of 32 takes
	// quadratic time.
	registrySize = 256
	registryMax  = 32 << 10
	registryStep = 1024
)

// About how many bytes a table and its entries take.
const (
	TableBytes = 120 // an empty table
	ItemBytes  = 32  // an item of a list, with a number in it
	FieldBytes = 200 // a field, with a number in it; see fieldsBytes
	// ObjectBytes is the size of a Go map with a few fields, which a table becomes when
	// it leaves the script.
	ObjectBytes = 300
)

// withDefaults fills the limits of a step. Only the time may stay zero, and is then not
// limited.
func withDefaults(l workflow.Limits) workflow.Limits {
	l.Instructions, l.Memory = cmp.Or(l.Instructions, workflow.DefaultInstructions), cmp.Or(l.Memory, workflow.DefaultMemory)
	l.Output = max(l.Output, defaultOutput)
	return l
}

var processLimits sync.Once

// SetProcess sets the limits that gopher-lua keeps in package variables. It must be
// called before source is compiled. It also turns off the variable arguments of
// Lua 5.0, which cost 2.7 KB for each call of a chunk, and has the instructions that take
// memory charge for it.
func SetProcess() {
	processLimits.Do(func() {
		glua.CompatVarArg = false
		glua.MaxArrayIndex = MaxArrayIndex
		checkLayout()
		meterInstructions()
	})
}

// NewState returns a Lua state without libraries and with a bounded stack.
func NewState() *glua.LState {
	return glua.NewState(glua.Options{
		SkipOpenLibs: true, CallStackSize: callStack, MinimizeStackMemory: true,
		RegistrySize: registrySize, RegistryMaxSize: registryMax, RegistryGrowStep: registryStep,
	})
}

// StackIsFull reports whether the next function of a state may need more registers than the
// largest stack has.
func StackIsFull(L *glua.LState) bool { return cap(layoutOf(L).reg.array) >= registryMax/2 }
