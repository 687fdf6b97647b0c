// Package engine runs workflow plans.
//
// # The nouns
//
//   - A plan (package workflow) is a workflow that passed every check.
//   - A [Run] is one execution of a plan: a pure fold over its [Event]s.
//     Run.Apply takes an event and returns the [Command]s that it newly enables.
//     It does no I/O, reads no clock and starts no goroutine. run.go has its life,
//     run_step.go attempts and steps, run_items.go for_each, run_end.go the parts
//     after the steps, and run_again.go how it goes on after an interruption.
//   - An [Attempt] is one try of a step, or of one item of a for_each. It holds all
//     that the try needs to know.
//   - An [Executor] does an attempt: it evaluates the condition, the inputs or the
//     script, and makes the calls. Everything that touches the world goes through
//     its call, in one place (call.go): check, permit, record, do, find out.
//   - A [Call] is one recorded effect inside an attempt; a [Recorder] keeps it.
//     replay.go says what a call becomes that was made before: by an attempt that
//     a crash cut off, or by an earlier attempt of the same step.
//   - A [Journal] keeps runs, so that another process can go on with them.
//     codec.go and decode.go have events as text, without loss; summary.go says
//     what of them a list of runs shows.
//   - [Local] is the backend in this process: a loop around the fold (loop.go),
//     with a goroutine for each attempt (attempt.go). It also waits for
//     concurrency groups (group.go) and resumes runs (resume.go).
//   - An [Observer] sees every event; what people see of a run is made from them.
//   - An [Interpreter] is the language of scripts (package engine/lua).
//   - A [Result] is what became of a run; a [Failure] says why it failed.
//
// # How a run flows
//
//	Local.Run ── run.started ──> Run.Apply ── Start{Attempt} ──> Executor.Do
//	    ^                                                            │
//	    │                                     call.started, call.returned, log
//	    └── attempt.finished, with outputs or a failure <────────────┘
//
// # What is durable when
//
// The loop takes events in turns. Those that change the run are in the journal
// before what they enable is done: one commit has the end of an attempt and the
// beginning of the next. A write is in the journal, with everything recorded
// before it, before it leaves. What an attempt reads or logs waits for the next
// commit: a crash before it loses nothing that anything else depends on.
//
// # To run a workflow from Go
//
//	catalog, _ := action.NewCatalog(append(builtins.Actions(builtins.Config{}), mine)...)
//	interpreter := lua.New(catalog)
//	parsed, _ := workflow.Parse("hello.yaml", source)
//	plan, err := workflow.Compile(parsed, catalog, interpreter)
//	result, err := (&engine.Local{Interpreter: interpreter}).Run(ctx, plan, engine.Request{})
package engine
