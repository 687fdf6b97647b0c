// Package workflow reads workflow files and turns them into plans.
//
// The way of a file:
//
//	Parse    text -> Workflow   every key, type and name of the YAML, with places
//	Compile  Workflow -> Plan   every expression and script compiled, every name
//	                            that they read resolved, every call checked
//	                            against the catalogue of actions
//
// Both report every problem of a file in one pass, as [Diagnostics]: each has a
// file, a line, a column, a sentence that says what was expected and, where there
// is one, the near miss. A Plan has passed every check; running it is the
// business of package engine.
//
// # The nouns
//
//   - [Workflow] is what a file says. [Step] is one of its steps, [Value] a piece
//     of YAML that may hold ${{ expressions }}.
//   - [Plan] is a workflow ready to run: [PlanStep]s with compiled programs and
//     [Template]s.
//   - [Checker] is the language of scripts and expressions as this package needs
//     it: it compiles a [Chunk] to a [Program] and says what the program reads.
//   - [Permissions] are what a workflow may reach.
//   - [Diagnostic] is one problem of a file.
//
// # Where Compile does what
//
//	compile.go        the way through the file, and where a finding is placed
//	compile_graph.go  what runs after what, and so which steps a step may read
//	compile_value.go  values with expressions, inputs of `with`, Lua files
//	scope.go          what a chunk may see at its place: item, failure, ...
//	references.go     each read of a chunk, against what is declared
//	trigger.go        pages whose key cannot do what is meant
//
// # To add a field of a step
//
// Add it to [Step], read it in the table of Parser.step (parse_step.go; what says
// when and how often a step runs is in parse_flow.go), carry it to [PlanStep] in
// compile.go, and describe it in docs/language.md.
//
// The package does no I/O: `lua_file` and `require` read through the fs.FS that
// the caller puts into [Workflow.Files].
package workflow
