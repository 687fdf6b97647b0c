package workflow

import (
	"errors"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// A folder of workflows may have other YAML files. A file is foreign if it parses and none of
// its top-level keys is a key of a workflow, or nearly one: `stpes:` is a mistake in a
// workflow. Messages about a foreign file quote nothing of it, because it may hold secrets.

// The rules of the problems of a file without any key of a workflow.
const (
	ruleForeign = "not-a-workflow"
	ruleSecond  = "second-document"
)

// NotWorkflow returns the error about a foreign file. what says what it is instead, such as
// "it is a list".
func NotWorkflow(file, what string) error {
	return source.Problems{{
		File: file, Line: 1, Column: 1, Rule: ruleForeign, Severity: source.SeverityError,
		Message: notWorkflow + what, Hint: hintForeign,
	}}
}

const (
	notWorkflow = "the file is not a workflow: "
	hintForeign = "a workflow is a mapping with at least `steps:`"
)

// Foreign returns why a file is foreign, such as "it is a list", given the error of [Parse] or
// [Compile]. It is empty if the error is none, or is about a mistake in a workflow.
func Foreign(err error) (why string) {
	var found source.Problems
	errors.As(err, &found)
	for _, p := range found {
		switch p.Rule {
		case ruleForeign:
			why = strings.TrimPrefix(p.Message, notWorkflow)
		case ruleSecond:
		default:
			return ""
		}
	}
	return why
}

// reportForeign reports a first document that is foreign. The file is foreign only if its
// later documents are foreign too.
func reportForeign(root source.Node, why string, keys []source.Key) {
	later, ok := root.Document().Later()
	workflow := !ok || slices.ContainsFunc(later, func(n source.Node) bool { return foreign(n, keys) == "" })
	root.Document().Forget() // what was reported so far may quote an anchor or a tag
	if workflow {
		root.Report("foreign-document", "the first document of the file is not a workflow: "+why, "keep one document per file")
		return
	}
	root.Report(ruleForeign, notWorkflow+why, hintForeign)
}

// foreign returns why a document is not a workflow, or "".
func foreign(root source.Node, keys []source.Key) string {
	root, ok := root.Resolve()
	switch {
	case !ok:
		return "" // reported already
	case root.IsList():
		return "it is a list"
	case !root.IsMapping():
		return "it is a text, a number or nothing"
	}
	names, known := source.NamesOf(keys), false
	root.Document().Apart(func() {
		root.Entries("a workflow", func(name string, _, _ source.Node) { known = known || phrase.Nearest(name, names) != "" })
	})
	if known {
		return ""
	}
	return "it has none of the keys of a workflow"
}
