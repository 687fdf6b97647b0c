// Package lua runs scripts and expressions with gopher-lua, apart from each
// other and within limits.
//
// # The nouns
//
//   - [Interpreter] is made once from a catalogue of actions. It compiles source
//     to a Program and checks it (check.go), and holds the frozen library.
//   - A rewriter (rewrite.go) changes the syntax of a chunk where gopher-lua would
//     compile something that has no bounds, or is wrong: assignments (assign.go),
//     loops and jumps (jumps.go, closing.go), constructors (constructor.go).
//   - A frozen library (library.go) is a set of tables of Go functions that are
//     built once and never written again. A state sees them through empty tables
//     of its own, so that a script changes only what dies with it.
//   - An evaluation (evaluation.go) is a fresh Lua state for one attempt.
//   - A budget (budget.go) is the context of that state. The virtual machine asks
//     it for Done before every instruction: there it counts, and there it stops.
//   - A meter (meter.go) charges that budget for what a pure function does.
//   - A protected call (protect.go) is a pcall in a thread of its own.
//   - values.go converts values between the model of JSON and Lua's.
//   - actions.go turns the declared actions into Lua functions; errors.go turns
//     their errors into tables that scripts read, and back.
//
// The package sets three variables of gopher-lua for the whole process, since
// that library has them as variables only: see limits.go.
package lua
