// Package engine runs workflow plans.
//
// # The nouns
//
//   - A plan (package workflow) is a workflow that passed every check.
//   - A [Run] is one execution of a plan: a pure fold over its [Event]s.
//     Run.Apply takes an event and returns the [Command]s that it newly enables.
//     It does no I/O, reads no clock and starts no goroutine.
//   - An [Attempt] is one try of a step. It holds all that the try needs to know.
//   - An [Executor] does an attempt: it evaluates the condition, the inputs or the
//     script, and makes the calls. Everything that touches the world goes through
//     its call, in one place: check, permit, record, do, find out.
//   - A [Call] is one recorded effect inside an attempt; a [Recorder] hears of it
//     before and after.
//   - [Local] is the backend in this process: a loop around the fold, with a
//     goroutine for each attempt.
//   - An [Observer] sees every event; what people see of a run is made from them.
//   - An [Interpreter] is the language of scripts (package engine/lua).
//   - A [Result] is what became of a run; a [Failure] says why it failed.
//
// # How a run flows
//
//	Local.Run ── run.started ──> Run.Apply ── Start{Attempt} ──> Executor.Do
//	    ^                                                            │
//	    └── attempt.finished, with outputs or a failure <────────────┘
//	                                          call.started, call.returned, log
//
// # To run a workflow from Go
//
//	catalog, _ := action.NewCatalog(append(builtins.Actions(builtins.Config{}), mine)...)
//	interpreter := lua.New(catalog)
//	parsed, _ := workflow.Parse("hello.yaml", source)
//	plan, err := workflow.Compile(parsed, catalog, interpreter)
//	result, err := (&engine.Local{Interpreter: interpreter}).Run(ctx, plan, engine.Request{})
package engine
