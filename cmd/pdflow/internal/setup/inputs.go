package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// ReadInputs reads inputs from a file and from flags. A flag replaces an input of the file. Texts of
// flags are read by the declared type of the input. An empty file name means that there is no file. A
// schema without fields means that only the daemon knows the inputs.
//
// Secret inputs are read first: the redactor knows their texts before there is any message. No message
// quotes a text that may be a secret.
func (e *Environment) ReadInputs(schema *action.Schema, flags []string, file string) (action.Object, error) {
	inputs, err := e.readInputFile(schema, file)
	if err != nil {
		return nil, err
	}
	e.Redactor.Add(secretTexts(schema, inputs)...)
	for _, secret := range []bool{true, false} {
		for _, flag := range flags {
			if takesSecret(schema, flag) != secret {
				continue
			}
			name, value, err := e.readInput(schema, flag)
			if err != nil {
				return nil, err
			}
			inputs[name] = value
		}
		e.Redactor.Add(secretTexts(schema, inputs)...)
	}
	return inputs, nil
}

func (e *Environment) readInputFile(schema *action.Schema, file string) (action.Object, error) {
	if file == "" {
		return action.Object{}, nil
	}
	text, err := e.readFile(file)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	read := source.ReadPrivateData
	if !mayTakeSecrets(schema) {
		read = source.ReadDataOf
	}
	data, err := read(file, []byte(text), schema.Names()...)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	o, ok := data.Value.(action.Object)
	if !ok && data.Value != nil {
		return nil, console.Usage("%s must hold a mapping from inputs to values", file)
	}
	if o == nil {
		o = action.Object{}
	}
	return o, nil
}

// readFile reads a file, or standard input if the name is "-".
func (e *Environment) readFile(name string) (string, error) {
	if e.ReadInput != nil {
		text, err := e.ReadInput(name)
		return string(text), err
	}
	if name == "-" {
		text, err := readStream(e.stop, e.Stdin, "standard input", MaxInputFile)
		return string(text), err
	}
	text, err := e.readNamed(name, MaxInputFile)
	if err != nil {
		return "", FileError(err, name)
	}
	return string(text), nil
}

// takesSecret reports whether a flag gives an input that is a secret or contains one.
func takesSecret(schema *action.Schema, flag string) bool {
	name, _, _ := strings.Cut(flag, "=")
	f, ok := schema.Field(strings.TrimSuffix(name, ":"))
	return ok && f.TakesSecret() || len(schema.Fields) == 0
}

// mayTakeSecrets reports whether one of the inputs is a secret. Without a schema, any may be one.
func mayTakeSecrets(schema *action.Schema) bool {
	return len(schema.Fields) == 0 || slices.ContainsFunc(schema.Fields, func(f action.Field) bool { return f.TakesSecret() })
}

// secretTexts returns the texts of the secrets in inputs.
func secretTexts(schema *action.Schema, inputs action.Object) (texts []string) {
	for _, c := range schema.PlainCredentials(inputs) {
		texts = append(texts, c.Text)
	}
	return texts
}

// readInput reads name=value, name=@file or name:=json.
func (e *Environment) readInput(schema *action.Schema, flag string) (name string, value any, err error) {
	name, text, ok := strings.Cut(flag, "=")
	if !ok || name == "" {
		return "", nil, notAnInput(schema, flag)
	}
	secret := takesSecret(schema, flag)
	if jsonName, isJSON := strings.CutSuffix(name, ":"); isJSON {
		value, err = decodeJSON(text)
		if err != nil && secret {
			return "", nil, console.Usage("the input %s is not valid JSON", jsonName)
		} else if err != nil {
			return "", nil, console.Usage("the input %s is not valid JSON: %v", jsonName, err)
		}
		return jsonName, value, nil
	}
	from, isFile := strings.CutPrefix(text, "@")
	if isFile {
		if text, err = e.readFile(from); err != nil {
			return "", nil, console.Usage("the input %s: %w", name, err)
		}
		text = strings.TrimSuffix(text, "\n")
	}
	f, ok := schema.Field(name)
	if !ok {
		return name, text, nil // the engine reports that it is unknown, with a suggestion
	}
	value, err = ReadTyped(f.Type.Name, text)
	switch {
	case err != nil && isFile: // the file may be any file, so its text is not shown
		return "", nil, console.Usage("the input %s: the text of %s is not of the type %s", name, from, f.Type.Name)
	case err != nil && secret:
		return "", nil, console.Usage("the input %s: its text is not of the type %s", name, f.Type.Name)
	case err != nil:
		return "", nil, console.Usage("the input %s: %w", name, err)
	}
	return name, value, nil
}

// notAnInput is the error of a flag without a name and a value. It quotes the flag only if no secret can
// be in it: it may be a secret without its name.
func notAnInput(schema *action.Schema, flag string) error {
	if _, declared := schema.Field(flag); declared || !mayTakeSecrets(schema) {
		return console.Usage("%q is not an input; write name=value", flag)
	}
	return console.Usage("an input is written name=value; one has no name, or no = after it")
}

// ReadTyped reads a text as a value of a type.
func ReadTyped(typeName, text string) (any, error) {
	switch typeName {
	case action.IntegerType, action.NumberType:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", text)
		}
		return f, nil
	case action.BooleanType:
		switch text {
		case "true", "false":
			return text == "true", nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", text)
	case action.ListType:
		return readList(text)
	case action.StringType, action.DurationType:
		return text, nil
	}
	return decodeJSON(text)
}

// readList reads a JSON list, or one item for each line.
func readList(text string) (any, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return decodeJSON(text)
	}
	list := []any{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list, nil
}

func decodeJSON(text string) (any, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, err
	}
	return v, nil
}

// InputProblems returns the problems of inputs, one on each line. If the command has a flag for inputs,
// the line of a missing input says how to give it.
func InputProblems(problems action.Problems, flag string) error {
	lines := make([]string, len(problems))
	for i, problem := range problems {
		lines[i] = problem.String()
		if problem.Rule == action.RuleMissingInput && flag != "" {
			lines[i] += fmt.Sprintf("; give it with %s %s=VALUE", flag, problem.Path)
		}
	}
	return errors.New(strings.Join(lines, "\npdflow: "))
}

// WorkflowFiles returns files, and the workflow files in folders and below them. A path that does not
// exist, or a folder without workflow files, is an error. Whether a file of a folder can be read is found
// out when it is read, so that one file does not keep the others from being used.
func WorkflowFiles(paths []string) ([]source.File, error) {
	var files []source.File
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, FileError(err, path)
		}
		if !info.IsDir() {
			files = append(files, source.File{Path: path})
			continue
		}
		found, err := FolderFiles(path)
		if err != nil {
			return nil, FileError(err, path)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("there is no .yaml file in %s", path)
		}
		files = append(files, found...)
	}
	return files, nil
}

// FolderFiles returns the workflow files in a folder and below it, sorted. World files and hidden
// files are left out.
func FolderFiles(folder string) ([]source.File, error) {
	return source.Find(folder, func(name string) bool {
		extension := filepath.Ext(name)
		return (extension == ".yaml" || extension == ".yml") && !strings.HasSuffix(name, ".world"+extension)
	})
}

// CheckFile returns the plan of a workflow file, or what is wrong with it. That a file of a folder cannot be
// read is a problem of this file, among others. That a file cannot be read which was named itself is an error.
func (e *Environment) CheckFile(t *Target, file source.File) (*workflow.Plan, source.Problems, error) {
	plan, err := e.CompileFile(t, file)
	var problems source.Problems
	switch {
	case err == nil:
		return plan, append(plan.Warnings, t.Objections(plan)...), nil
	case errors.As(err, &problems):
		return nil, problems, nil
	case file.Folder != "":
		return nil, source.Problems{{File: file.Path, Line: 1, Column: 1, Rule: "unreadable-file", Severity: source.SeverityError, Message: err.Error()}}, nil
	}
	return nil, nil, err
}

// A WorkflowText is a workflow that was read and is not compiled yet. It is compiled once.
type WorkflowText struct {
	file   source.File
	parsed *workflow.Workflow
}

// ReadWorkflow reads a workflow file. A file that was named itself may be a pipe. The redactor then knows
// the secrets that the workflow declares.
func (e *Environment) ReadWorkflow(file source.File) (*WorkflowText, error) {
	read := file.Read
	if file.Folder == "" {
		read = func(most int64) ([]byte, error) { return e.readNamed(file.Path, most) }
	}
	w, err := readWorkflow(file, read)
	if err == nil {
		e.keyring().learnSecrets(w.parsed)
	}
	return w, err
}

func readWorkflow(file source.File, read func(most int64) ([]byte, error)) (*WorkflowText, error) {
	text, err := read(source.MaxFileSize)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, file.Path))
	}
	return &WorkflowText{file, parsed(file.Path, text)}, nil
}

// parsed returns the workflow of a text. Its problems are reported when it is compiled.
func parsed(file string, text []byte) *workflow.Workflow {
	// The workflow keeps the text. A clone has no unused capacity, unlike the buffer of a reader.
	w, _ := workflow.Parse(file, bytes.Clone(text))
	return w
}

// Inputs returns the inputs that the workflow declares.
func (w *WorkflowText) Inputs() *action.Schema { return w.parsed.Inputs }

// Compile compiles the workflow, which may use Lua files of its folder.
func (w *WorkflowText) Compile(t *Target) (*workflow.Plan, error) {
	folder, err := w.file.OpenFolder()
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, filepath.Dir(w.file.Path)))
	}
	defer folder.Close()
	return t.compile(w.parsed, folder)
}

// CompileFile reads and compiles a workflow file. A file that was named itself may be a pipe.
func (e *Environment) CompileFile(t *Target, file source.File) (*workflow.Plan, error) {
	w, err := e.ReadWorkflow(file)
	if err != nil {
		return nil, err
	}
	return w.Compile(t)
}

// CompileFile reads and compiles a workflow file, which must be a regular file. The workflow may use Lua
// files of its folder.
func (t *Target) CompileFile(file source.File) (*workflow.Plan, error) {
	w, err := readWorkflow(file, file.Read)
	if err != nil {
		return nil, err
	}
	return w.Compile(t)
}

// Compile compiles the text of a workflow file. The workflow may use the Lua files of a folder.
func (t *Target) Compile(file string, text []byte, folder fs.FS) (*workflow.Plan, error) {
	return t.compile(parsed(file, text), folder)
}

// compile compiles a workflow. The redactor then knows the secrets that the workflow declares, also if the
// workflow has problems.
func (t *Target) compile(w *workflow.Workflow, folder fs.FS) (*workflow.Plan, error) {
	if t.learn != nil {
		t.learn(w)
	}
	w.Files, w.Ceilings = folder, t.ceilings
	plan, err := workflow.Compile(w, t.Catalog, t.Interpreter)
	if err != nil {
		return nil, recognised(w.File, w.Source, err)
	}
	return plan, nil
}

// FileError returns an error about a file as a sentence that names the file.
func FileError(err error, file string) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no file %s", file)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s may not be read", file)
	}
	return err
}
