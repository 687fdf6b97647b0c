package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// ReadInputs reads inputs from a file and from flags. A flag replaces an input of the file. Texts of
// flags are read by the declared type of the input. An empty file name means that there is no file.
func (e *Environment) ReadInputs(schema *action.Schema, flags []string, file string) (action.Object, error) {
	inputs, err := e.readInputFile(schema, file)
	if err != nil {
		return nil, err
	}
	for _, flag := range flags {
		name, value, err := e.readInput(schema, flag)
		if err != nil {
			return nil, err
		}
		inputs[name] = value
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
	var data *source.Data
	if len(schema.Fields) > 0 {
		data, err = source.ReadDataOf(file, []byte(text), schema.Names()...)
	} else { // the daemon knows the inputs
		data, err = source.ReadData(file, []byte(text))
	}
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

// readInput reads name=value, name=@file or name:=json.
func (e *Environment) readInput(schema *action.Schema, flag string) (name string, value any, err error) {
	name, text, ok := strings.Cut(flag, "=")
	if !ok || name == "" {
		return "", nil, console.Usage("%q is not an input; write name=value", flag)
	}
	if jsonName, isJSON := strings.CutSuffix(name, ":"); isJSON {
		value, err = decodeJSON(text)
		if err != nil {
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
	if value, err = ReadTyped(f.Type.Name, text); err != nil && isFile { // the file may be any file, so its text is not shown
		return "", nil, console.Usage("the input %s: the text of %s is not of the type %s", name, from, f.Type.Name)
	} else if err != nil {
		return "", nil, console.Usage("the input %s: %w", name, err)
	}
	return name, value, nil
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

// CompileFile reads and compiles a workflow file. A file that was named itself may be a pipe.
func (e *Environment) CompileFile(t *Target, file source.File) (*workflow.Plan, error) {
	if file.Folder != "" {
		return t.CompileFile(file)
	}
	text, err := e.readNamed(file.Path, source.MaxFileSize)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, file.Path))
	}
	return t.compileNextTo(file, text)
}

// CompileFile reads and compiles a workflow file, which must be a regular file. The workflow may use Lua
// files of its folder.
func (t *Target) CompileFile(file source.File) (*workflow.Plan, error) {
	text, err := file.Read(source.MaxFileSize)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, file.Path))
	}
	return t.compileNextTo(file, text)
}

func (t *Target) compileNextTo(file source.File, text []byte) (*workflow.Plan, error) {
	folder, err := file.OpenFolder()
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, filepath.Dir(file.Path)))
	}
	defer folder.Close()
	return t.Compile(file.Path, text, folder)
}

// Compile compiles the text of a workflow file. The workflow may use the Lua files of a folder.
func (t *Target) Compile(file string, text []byte, folder fs.FS) (*workflow.Plan, error) {
	// The plan keeps the text. A clone has no unused capacity, unlike the buffer of a reader.
	parsed, _ := workflow.Parse(file, bytes.Clone(text)) // Compile reports its problems too
	parsed.Files, parsed.Ceilings = folder, t.ceilings
	plan, err := workflow.Compile(parsed, t.Catalog, t.Interpreter)
	if err != nil {
		return nil, recognised(file, text, err)
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
