// Package source reads YAML files with positions, and reports what is wrong with
// them.
//
// Workflows, the configuration, worlds, seeds and fault plans are all read here,
// so that all of them have the same rules, the same limits and the same kind of
// report.
//
// # The nouns
//
//   - A [Document] is one file: its name, its lines and the problems found so far.
//   - A [Node] is a value of a document at its place. Its methods read it as what
//     the caller expects (text, a number, a list, a mapping with known keys) and
//     report everything else to the document.
//   - A [Value] is a node with everything below it, decoded, where any shape may
//     stand. It may hold ${{ expressions }}.
//   - A [Problem] is one thing that is wrong, at a [Position]; [Problems] are all
//     of them, as an error.
//   - [Data] is a whole document as one value, for callers that check the value
//     themselves. Its tree has the place of a path, such as `users[2].email`.
//
// # How to use it
//
// A reader with known keys reads the root of a document:
//
//	d := source.Read("pdflow.yaml", text)
//	if root, ok := d.Root(); ok {
//		root.Mapping("the configuration",
//			source.Key{Name: "url", Read: func(n source.Node) { c.URL = n.SomeText("url") }},
//			source.Key{Name: "every", Read: func(n source.Node) { c.Every = n.Duration("every") }},
//		)
//	}
//	return c, d.Err()
//
// A reader never stops at the first problem. A method that cannot read its node
// reports that and returns the zero value.
//
// # What is read
//
// One document, in UTF-8, of at most 1 MiB, 200,000 values and 100 levels. Plain
// scalars follow the JSON schema of YAML 1.2, so `no` and dates are text. What
// readers of YAML disagree on is refused: odd numbers, unknown tags, keys and
// anchors that are defined twice, a second document.
//
// # Where it is
//
//	file.go      files from untrusted authors: regular, bounded
//	folder.go    the files of a folder, which are read without leaving it
//	problem.go   Position, Problem, Problems
//	document.go  text to nodes: syntax, anchors, the budget
//	node.go      lists, mappings, key tables
//	scalar.go    text, booleans, numbers, durations, sizes, names
//	value.go     values of any shape, paths, JSON
package source
