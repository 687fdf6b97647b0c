package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// recordTest makes the test of a runbook: a script that runs it as it was asked for,
// and compares what comes out with what comes out now.
func (p *program) recordTest(ctx context.Context, args []string, o testOptions) error {
	if len(args) != 1 || !isWorkflowFile(args[0]) {
		return usageError("--record makes the test of one runbook: pdflow test --record NAME.yaml [-i name=value...]")
	}
	file := testOf(args[0])
	if _, err := os.Stat(file); err == nil && !o.update {
		return usageError("%s is there already; --update writes it anew", file)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return exit(exitUsage, fileError(err, file))
	}
	archive, err := o.draft(args[0])
	if err != nil {
		return exit(exitUsage, err)
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		return exit(exitFailed, err)
	}
	results := p.runTests(ctx, []string{file}, true) // fills in what is compared
	if !results[0].Passed {
		_ = os.Remove(file)
		fmt.Fprint(p.stderr, results[0].Log)
		return exit(exitFailed, fmt.Errorf("the run failed, so there is nothing to record; a test of a failure begins with `! run`"))
	}
	fmt.Fprintf(p.stdout, "%s\n  try: pdflow test %s\n", file, shellWord(file))
	return nil
}

// draft is the test with what it is given and nothing to compare with yet.
func (o testOptions) draft(workflowFile string) (*txtar.Archive, error) {
	archive := &txtar.Archive{}
	var b strings.Builder
	fmt.Fprintf(&b, "# Recorded from a run. Keep what matters, and say what it is for.\n")
	for _, given := range []struct{ word, file string }{{"account", o.seed}, {"world", o.world}, {"faults", o.faults}} {
		if given.file == "" {
			continue
		}
		text, err := os.ReadFile(given.file)
		if err != nil {
			return nil, fileError(err, given.file)
		}
		name := given.word + ".yaml"
		fmt.Fprintf(&b, "%s %s\n", given.word, name)
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: text})
	}
	b.WriteString("run " + scriptWord(filepath.Base(workflowFile)))
	for _, input := range o.inputs {
		if name, from, ok := strings.Cut(input, "=@"); ok {
			text, err := os.ReadFile(from)
			if err != nil {
				return nil, fileError(err, from)
			}
			input = name + "=@" + filepath.Base(from)
			archive.Files = append(archive.Files, txtar.File{Name: filepath.Base(from), Data: text})
		}
		b.WriteString(" -i " + scriptWord(input))
	}
	b.WriteString("\ncmp stdout outputs.txt\n")
	archive.Files = append(archive.Files, txtar.File{Name: "outputs.txt"})
	for _, word := range []string{"calls", "incidents", "users"} {
		fmt.Fprintf(&b, "\n%s\ncmp stdout %s.txt\n", word, word)
		archive.Files = append(archive.Files, txtar.File{Name: word + ".txt"})
	}
	b.WriteString("\n")
	archive.Comment = []byte(b.String())
	return archive, nil
}

// scriptWord quotes a word of a script.
func scriptWord(text string) string {
	if strings.ContainsAny(text, " \t'#$") {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return text
}
