package lua

import (
	"cmp"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

const (
	// maxSource bounds a chunk: the compiler's memory grows with it.
	maxSource = 256 << 10
	// maxConstants bounds the different texts, numbers and names of a source that is
	// longer than longSource: gopher-lua compares each with all before it.
	maxConstants = 8000
	longSource   = 32 << 10
	// maxFindings bounds what is said of one chunk.
	maxFindings = 100
	// maxSyntaxDepth bounds how deep expressions and blocks nest; the compiler is
	// recursive and its stack grows with the depth.
	maxSyntaxDepth = 1500
	// maxValueDepth and maxValueNodes bound a value that leaves a script, beside
	// the bytes of its text: limits.output.
	maxValueDepth = 64
	maxValueNodes = 200_000
	// maxErrorText bounds the text of an error value.
	maxErrorText = 4 << 10
	// maxString bounds one string that a script makes.
	maxString = 16 << 20
	// maxResults bounds how many values one function returns, as in Lua.
	maxResults = 8000
	// maxLogged bounds what one attempt logs.
	maxLogged = 64 << 10
	// maxDateLayout bounds the layout of os.date, each letter of which becomes
	// more text.
	maxDateLayout = 1 << 10

	// defaultOutput bounds what leaves a script. The engine keeps less of it, and
	// says how much; this is what may be made at all, also for a list to loop over.
	defaultOutput = 8 << 20

	// callStack bounds how deep functions call each other. The stack grows by
	// pieces, since most scripts need little of it; gopher-lua then tells of its end
	// by a panic, which becomes an error of Lua in shield.
	callStack = 200
	// registrySize is where a state's stack begins, registryMax where it ends and
	// registryStep how it grows; growing by the default of 32 is quadratic.
	registrySize = 256
	registryMax  = 32 << 10
	registryStep = 1024

	// maxArrayIndex is above the largest key that a table keeps in its array part,
	// and so counts. One assignment to that key fills the array: with gopher-lua's
	// default, t[67108863] = 1 takes a gigabyte, with this one 8 MB, and 40 of garbage.
	maxArrayIndex = 1 << 19
)

// limits are what one attempt may use. They have no zero fields but the time,
// which is then not limited.
type limits struct {
	instructions   int64
	memory, output int64 // in bytes
	time           time.Duration
}

// limitsOf fills the limits of a step with the defaults.
func limitsOf(l workflow.Limits) limits {
	return limits{
		instructions: cmp.Or(l.Instructions, workflow.DefaultInstructions), memory: cmp.Or(l.Memory, workflow.DefaultMemory),
		output: max(l.Output, defaultOutput), time: l.Time,
	}
}

var processLimits sync.Once

// setProcessLimits sets what gopher-lua keeps in package variables. A varargs
// chunk of Lua 5.0 style would cost 2.7 KB a call.
func setProcessLimits() {
	processLimits.Do(func() {
		glua.CompatVarArg = false
		glua.MaxArrayIndex = maxArrayIndex
	})
}

func stateOptions() glua.Options {
	return glua.Options{
		SkipOpenLibs: true, CallStackSize: callStack, MinimizeStackMemory: true,
		RegistrySize: registrySize, RegistryMaxSize: registryMax, RegistryGrowStep: registryStep,
	}
}
