package lua

import (
	"sync"

	glua "github.com/yuin/gopher-lua"
)

const (
	// maxSource bounds a chunk: the compiler's memory grows with it.
	maxSource = 256 << 10
	// maxSyntaxDepth bounds how deep expressions and blocks nest; the compiler is
	// recursive and its stack grows with the depth.
	maxSyntaxDepth = 1000
	// maxValueDepth, maxValueNodes and maxValueBytes bound a value that leaves a
	// script.
	maxValueDepth = 64
	maxValueNodes = 200_000
	maxValueBytes = 8 << 20
	// maxErrorText bounds the text of an error value.
	maxErrorText = 4 << 10

	// callStack bounds how deep functions call each other. The stack grows by
	// pieces, since most scripts need little of it; gopher-lua then tells of its end
	// by a panic, which becomes an error of Lua in shield.
	callStack = 200
	// registrySize is where a state's stack begins, registryMax where it ends and
	// registryStep how it grows; growing by the default of 32 is quadratic.
	registrySize = 256
	registryMax  = 32 << 10
	registryStep = 1024

	// maxArrayIndex is the largest key that a table keeps in its array part. With
	// gopher-lua's default, one assignment to t[67108863] takes a gigabyte.
	maxArrayIndex = 1 << 20
)

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
