// Package attempt executes attempts of steps, and the calls that they make.
//
//   - An [Executor] executes the attempts of one run: the condition of the step, then
//     its inputs and action or its script.
//   - An [Interpreter] is the language of scripts and expressions. It evaluates the
//     programs of an attempt in an [Environment].
//   - A [Recorder] records the calls of an attempt as events of its run, and a
//     [History] has the calls that the attempts of the run have recorded so far.
//   - [Secrets] are the texts of the run's secrets, each with the destinations that it
//     may go to.
//   - A [Policy] is what the operator of the machine allows all workflows to do.
//   - A [DryRun] collects the writes of a run that sends none.
//
// # The way of a call
//
// A call of a script and a `uses:` step go the same way. Each stage is one type in the
// file of its name, and passes the call on to the next:
//
//	permit     may the workflow, and may the policy, reach what the call reaches?
//	memoize    has the history a result for this call already?
//	record     the start and the result become events; a write waits until it is durable
//	grace      a write that is being sent when the run is cancelled may finish
//	reconcile  a lost answer of a write is looked up, or reported as unknown
//	preview    in a dry run, a write shows its requests
//	send       the action itself, behind the one panic guard
//
// A use of a pure function is not a call: it goes to the action directly and is not
// recorded.
//
// # Files
//
// executor.go executes an attempt, evaluate.go evaluates its condition, inputs, script and
// outputs. call.go has the pipeline, then one file for each stage. history.go has the
// recorded calls, keys.go the keys that scripts hold as plain text.
package attempt
