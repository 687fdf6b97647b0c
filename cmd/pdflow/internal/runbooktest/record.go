package runbooktest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/rogpeppe/go-internal/txtar"
)

// A Recording is how a runbook is run to record its test.
type Recording struct {
	Inputs     []string // written as for -i
	Simulation setup.Simulation
	Overwrite  bool // replace an existing test
}

// Record writes the test of a runbook: a script that runs the runbook and compares its output with the
// present output.
func Record(ctx context.Context, p *console.Console, operator *setup.Configuration, args []string, r Recording) error {
	if len(args) != 1 || !IsWorkflowFile(args[0]) {
		return console.Usage("--record makes the test of one runbook: pdflow test --record NAME.yaml [-i name=value...]")
	}
	file := TestOf(args[0])
	folder, err := source.OpenFolder(filepath.Dir(file))
	if err != nil {
		return console.Exit(console.ExitUsage, setup.FileError(err, filepath.Dir(file)))
	}
	defer folder.Close()
	if _, err := os.Lstat(file); err == nil && !r.Overwrite {
		return console.Usage("%s already exists; --update replaces it", file)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return console.Exit(console.ExitUsage, setup.FileError(err, file))
	}
	archive, err := r.draft(ctx, args[0])
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	script, err := parseScript(file, txtar.Format(archive))
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	log, err := script.run(ctx, operator, folder, true) // fills in the files that the output is compared with
	if err != nil {
		fmt.Fprint(p.Stderr, log)
		return console.Exit(console.ExitFailed, fmt.Errorf("the run failed, so nothing is recorded; write the test of a failure by hand, with `! run`"))
	}
	if err := folder.Replace(filepath.Base(file), script.format()); err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	fmt.Fprintf(p.Stdout, "%s\n  try: pdflow test %s\n", file, console.ShellWord(file))
	return nil
}

// draft returns the test with its input files, and with empty files to compare the output with.
func (r Recording) draft(ctx context.Context, workflowFile string) (*txtar.Archive, error) {
	archive := &txtar.Archive{}
	var b strings.Builder
	fmt.Fprintf(&b, "# Recorded from a run. Keep what matters, and describe what it proves.\n")
	for _, given := range []struct{ word, file string }{{"account", r.Simulation.Seed}, {"world", r.Simulation.World}, {"faults", r.Simulation.Faults}} {
		if given.file == "" {
			continue
		}
		text, err := setup.ReadNamed(ctx.Done(), given.file, source.MaxFileSize)
		if err != nil {
			return nil, setup.FileError(err, given.file)
		}
		name, err := enclose(archive, given.word+".yaml", text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", given.file, err)
		}
		fmt.Fprintf(&b, "%s %s\n", given.word, name)
	}
	b.WriteString("run " + scriptWord(filepath.Base(workflowFile)))
	for _, input := range r.Inputs {
		if name, from, ok := strings.Cut(input, "=@"); ok {
			text, err := setup.ReadNamed(ctx.Done(), from, source.MaxFileSize)
			if err != nil {
				return nil, setup.FileError(err, from)
			}
			enclosed, err := enclose(archive, "input-"+filepath.Base(from), text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", from, err)
			}
			input = name + "=@" + enclosed
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

// enclose adds a file to the test under a unique name.
func enclose(archive *txtar.Archive, name string, text []byte) (string, error) {
	if parts := txtar.Parse(text); len(parts.Files) > 0 {
		return "", fmt.Errorf("its line `-- %s --` would end the file inside the test: remove that line", parts.Files[0].Name)
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	}
	unique := name
	for n := 2; taken(unique); n++ {
		unique = fmt.Sprintf("%d-%s", n, name)
	}
	archive.Files = append(archive.Files, txtar.File{Name: unique, Data: text})
	return unique, nil
}

// scriptWord quotes a word of a script if it needs quotes.
func scriptWord(text string) string {
	if text == "" || strings.ContainsAny(text, " \t\r'#$") {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return text
}
