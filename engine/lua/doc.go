// Package lua runs scripts and expressions with gopher-lua, isolated from each other
// and within limits. It is the door to the packages below it.
//
// # The nouns
//
//   - An [Interpreter] is made once from a catalogue of actions. It checks and compiles
//     chunks, and starts evaluations. interpreter.go is the only file that uses
//     package engine.
//   - An evaluation (evaluation.go) is a fresh Lua state for the chunks of one attempt.
//   - The library (library.go) is the set of Go functions that chunks can call. Its
//     tables are built once and never written again. A state sees them through empty
//     tables of its own, so a script changes only what ends with it.
//   - actions.go turns the declared actions into Lua functions, listing.go lets loops go
//     over what they list, and logging.go bounds what they log.
//   - values.go converts values between the model of JSON and Lua's.
//   - A protected call (protect.go) is a pcall in a thread of its own.
//   - errors.go turns the errors of actions into tables that scripts read, and back.
//
// # The packages below
//
//   - syntax checks and compiles source; it uses rewrite, which corrects what gopher-lua
//     compiles wrongly.
//   - stdlib is Lua's standard library; it uses pattern, which matches Lua's patterns.
//   - limits bounds instructions, time and memory.
//   - number reads and writes numbers as Lua does.
package lua
