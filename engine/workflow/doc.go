// Package workflow reads workflow files and turns them into plans.
//
//	Parse    text -> Workflow   every key, type and name of the YAML, with places
//	Compile  Workflow -> Plan   every expression and script compiled, every name that
//	                            they read resolved, every call checked against the
//	                            catalogue of actions
//
// Both report every problem of a file in one pass, as [source.Problems]. A problem has
// a file, a line, a column, a sentence that says what was expected, and a suggestion
// where there is one. A Plan has passed every check; package engine runs it.
//
// # The nouns
//
//   - A [Workflow] is the content of a file. A [Step] is one of its steps.
//   - A [Plan] is a workflow that is ready to run. Its [PlanStep]s have compiled
//     [Program]s and [Template]s.
//   - A [Checker] is the language of scripts and expressions as this package needs it.
//     It compiles a [Chunk] to a Program that says which names the chunk reads.
//   - A [SecretBinding] says where a secret may go, and permission.Permissions say what
//     a workflow may reach.
//
// Package source reads the YAML. This package never sees a node of the YAML library.
//
// # Where it is
//
//	workflow.go    the nouns of a file
//	parse.go       Parse: the top level, secrets, permissions
//	inputs.go      `inputs:`
//	schedules.go   `schedule:`
//	steps.go       `steps:`, with needs, for_each, retry and concurrency
//	compile.go     Compile: the order of the checks, and the place of a finding
//	graph.go       which steps run before a step, and so which steps it may read
//	values.go      values with expressions, `with:` and `defaults:`
//	files.go       Lua files: lua_file and require
//	scope.go       which names a chunk may read at its place
//	references.go  each read of a chunk, against what is declared
//	keys.go        calls whose idempotency key the author should set
//	plan.go        the nouns of a plan
//	template.go    the value of a template
//	restore.go     the workflow of a run, from the sources in its journal
//
// What differs by module is declared in the catalogue: whether permissions list its
// actions by name and where a secret may go ([action.Module]), and which input of an
// action has the idempotency key ([action.Spec]). Parse does not know the catalogue, so
// it keeps such keys of a file for Compile.
//
// # To add a field of a step
//
// Add it to [Step], read it in readStep (steps.go), carry it to [PlanStep] in
// compiler.step (compile.go), and describe it in docs/language.md.
//
// The package does no I/O: `lua_file` and `require` read through the fs.FS in
// [Workflow.Files].
package workflow
