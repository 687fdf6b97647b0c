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
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
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
	d, err := newDraft(ctx, p, args[0], r)
	if err != nil {
		return err
	}
	archive, err := d.archive(r)
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
	text := script.format()
	if p.Redactor.Redact(string(text)) != string(text) {
		return console.Exit(console.ExitFailed, fmt.Errorf("nothing is recorded, because the test would hold a secret; look for it in the inputs, and in the world, the account and the faults"))
	}
	if err := folder.Replace(filepath.Base(file), text); err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	fmt.Fprintf(p.Stdout, "%s\n  try: pdflow test %s\n", file, console.ShellWord(file))
	return nil
}

// A draft makes a test without the output that it compares.
type draft struct {
	workflowFile string
	read         func(name string) ([]byte, error) // reads a file once: it may be a pipe
	secrets      map[string]string                 // the secret inputs, by name, with made-up texts
	conceal      *strings.Replacer                 // replaces the texts that were given by those
}

// newDraft reads the inputs of the run. The redactor then knows the secrets among them.
func newDraft(ctx context.Context, p *console.Console, workflowFile string, r Recording) (*draft, error) {
	texts := map[string][]byte{}
	d := &draft{workflowFile: workflowFile, secrets: map[string]string{}, read: func(name string) (text []byte, err error) {
		text, ok := texts[name]
		if !ok {
			if text, err = setup.ReadNamed(ctx.Done(), name, source.MaxFileSize); err != nil {
				return nil, setup.FileError(err, name)
			}
			texts[name] = text
		}
		return text, nil
	}}
	text, err := d.read(workflowFile)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	declared, _ := workflow.Parse(workflowFile, text) // the run reports its problems
	env := &setup.Environment{Console: p, Getenv: func(string) string { return "" }, ReadInput: d.read}
	given, err := env.ReadInputs(declared.Inputs, r.Inputs, "")
	if err != nil {
		return nil, err
	}
	var pairs []string
	for i := range declared.Inputs.Fields {
		f := &declared.Inputs.Fields[i]
		if !f.TakesSecret() {
			continue
		}
		d.secrets[f.Name] = setup.SimulatedInput(f)
		if text, _ := given[f.Name].(string); len(text) >= redact.MinLength {
			pairs = append(pairs, text, d.secrets[f.Name])
		}
	}
	d.conceal = strings.NewReplacer(pairs...)
	return d, nil
}

// archive returns the test with its input files, and with empty files to compare the output with. It has no
// text of a secret input: every one is replaced by a made-up text.
func (d *draft) archive(r Recording) (*txtar.Archive, error) {
	archive := &txtar.Archive{}
	var b strings.Builder
	fmt.Fprintf(&b, "# Recorded from a run. Keep what matters, and describe what it proves.\n")
	for _, given := range []struct{ word, file string }{{"account", r.Simulation.Seed}, {"world", r.Simulation.World}, {"faults", r.Simulation.Faults}} {
		if given.file == "" {
			continue
		}
		name, err := d.enclose(archive, given.word+".yaml", given.file)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s %s\n", given.word, name)
	}
	b.WriteString("run " + scriptWord(filepath.Base(d.workflowFile)))
	for _, input := range r.Inputs {
		name, text, _ := strings.Cut(input, "=")
		from, isFile := strings.CutPrefix(text, "@")
		if madeUp, ok := d.secrets[strings.TrimSuffix(name, ":")]; ok {
			input = strings.TrimSuffix(name, ":") + "=" + madeUp
		} else if isFile && !strings.HasSuffix(name, ":") {
			enclosed, err := d.enclose(archive, "input-"+filepath.Base(from), from)
			if err != nil {
				return nil, err
			}
			input = name + "=@" + enclosed
		}
		b.WriteString(" -i " + scriptWord(d.conceal.Replace(input)))
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

// enclose reads a file and adds it to the test under a unique name.
func (d *draft) enclose(archive *txtar.Archive, name, file string) (string, error) {
	text, err := d.read(file)
	if err != nil {
		return "", err
	}
	text = []byte(d.conceal.Replace(string(text)))
	if parts := txtar.Parse(text); len(parts.Files) > 0 {
		return "", fmt.Errorf("%s: its line `-- %s --` would end the file inside the test: remove that line", file, parts.Files[0].Name)
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
