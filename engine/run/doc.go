// Package run is the fold: the pure function from the history of a run to its state.
//
// # The nouns
//
//   - An [Event] is one fact about a run. All events of a run, in order, are its history.
//   - A [State] is what a history amounts to. [State.Apply] changes it by one event and
//     returns what that newly enables. Nothing else changes it.
//   - A [Command] is what an event newly enables: an attempt may start, an attempt must
//     stop, the run is to be suspended, or it is to end.
//   - An [Attempt] is one try of a step, with everything that executing it needs.
//   - A task is what attempts are made of: a step, one item of a for_each step, or the
//     outputs of the workflow. A [TaskID] names a step or an item.
//   - An [Outcome] is how an attempt ended. A [Call] is one recorded use of an action
//     within an attempt.
//   - A [Suspension] is what a suspended attempt waits for, and a [Decision] is the
//     answer.
//   - A [Start] is what a run starts from: its workflow, inputs, [Trigger] and [Target].
//     An [Occurrence] is one scheduled time of a schedule, and determines the id of its
//     run. An [Actor] is who caused an event.
//   - A [Result] is what is known of a run. A [Failure] is an error as scripts and people
//     see it.
//
// # How a run flows
//
//	run.started ──> Apply ──> StartAttempt ──> attempt.started
//	                  ^                              │ the attempt is executed
//	                  └──── attempt.finished <───────┘
//
// A run goes through the parts of its workflow: the steps; on_failure, unless all steps
// succeeded; finally; and the outputs, after a success. Within the steps, every step
// starts whose needs have ended, so branches run in parallel. The steps of the other
// parts run one after the other. When nothing is left to do, Apply returns a [Finish],
// and when every attempt that is left is suspended, a [Suspend].
//
// # What Apply promises
//
//   - It reads no clock, does no I/O and starts no goroutine. The same events always lead
//     to the same state and the same commands.
//   - An event that cannot come now is an error and changes nothing.
//   - A state that has started and not ended always has something to do: commands that
//     were returned and not answered ([State.Pending]), or a decision that it waits for.
//     So a run can be resumed from any prefix of its history, and comes to the same end.
//   - Folding a history takes time linear in the number of its events.
//
// # Files
//
// event.go has the events, start.go and occurrence.go what a run starts from, command.go
// the commands, suspension.go suspensions and decisions. state.go has the state and Apply,
// table.go its steps and tasks, verdict.go how the run ends, step.go attempts and steps,
// items.go for_each, part.go the parts, timeouts and cancellation, and resume.go
// suspension, resume and retry. result.go has what is known of a run.
package run
