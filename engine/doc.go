// Package engine runs workflow plans.
//
// # The nouns
//
//   - [Local] executes runs in this process. [Local.Run] starts a run from a [Request],
//     and [Local.Resume] continues a run of the journal as a [Resumption] says.
//     [Local.DryRun] and [Local.DryResume] do the same without sending a write.
//   - [Runs] is how commands see runs: start, get, list, cancel, decide, resume, retry.
//     [Host] implements it with a Local, and executes the runs in the background. It finds
//     the plan of a run with [Plans].
//   - An [InputError] means that nothing was done, since the request was wrong. A
//     [JournalError] means that the run stopped, since it could not be recorded.
//
// The packages below have the parts: [github.com/pdflow/pdflow/engine/workflow] the plan of
// a run, [github.com/pdflow/pdflow/engine/run] its events and its state,
// [github.com/pdflow/pdflow/engine/attempt] the execution of a step and its calls,
// [github.com/pdflow/pdflow/engine/journal] where histories are stored, and
// [github.com/pdflow/pdflow/engine/clock] the time.
//
// # How a run flows
//
// Each run has a loop (loop.go), the only goroutine that changes its state. Each attempt
// runs in a goroutine of its own and reports to the loop (launch.go):
//
//	Local.Run ── run.started ──> State.Apply ── StartAttempt ──> Executor.Do
//	                  ^                                              │
//	                  │                       call.started, call.returned, log
//	                  └── attempt.finished, with outputs or an error <┘
//
// A run of a concurrency group first waits until no other run of its group is running
// (queue.go). A run that is resumed waits for its group again (resume.go). After that, a
// run may have to wait for a slot (Local.Admit).
//
// # What is durable when
//
// The loop takes events in turns. In each turn it applies the events that are there,
// writes them to the journal in one commit, and then does what they enable.
//
//   - An event that changes the state is durable before its commands are carried out.
//   - The start of a write is durable, with every event before it, before the write is
//     sent.
//   - Reads and log lines are written with a later commit. Losing them in a crash loses
//     nothing that another event depends on.
//
// # How to run a workflow from Go
//
//	catalog, err := action.NewCatalog(actions...)
//	interpreter := lua.New(catalog)
//	parsed, err := workflow.Parse("hello.yaml", source)
//	plan, err := workflow.Compile(parsed, catalog, interpreter)
//	local := &engine.Local{Interpreter: interpreter}
//	result, err := local.Run(ctx, plan, engine.Request{Inputs: inputs})
//
// The example of [Local] does this with an action of its own. A run without
// Local.Journal cannot be resumed.
package engine
