package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		text, err := io.ReadAll(e.Stdin)
		return string(text), err
	}
	text, err := os.ReadFile(name)
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
	if from, isFile := strings.CutPrefix(text, "@"); isFile {
		if text, err = e.readFile(from); err != nil {
			return "", nil, console.Usage("the input %s: %v", name, err)
		}
		text = strings.TrimSuffix(text, "\n")
	}
	f, ok := schema.Field(name)
	if !ok {
		return name, text, nil // the engine reports that it is unknown, with a suggestion
	}
	if value, err = ReadTyped(f.Type.Name, text); err != nil {
		return "", nil, console.Usage("the input %s: %v", name, err)
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
// exist, or a folder without workflow files, is an error.
func WorkflowFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, FileError(err, path)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		found, err := FolderFiles(path)
		if err != nil {
			return nil, err
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
func FolderFiles(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != folder && strings.HasPrefix(name, ".") {
			return filepath.SkipDir
		}
		extension := filepath.Ext(name)
		if !entry.IsDir() && (extension == ".yaml" || extension == ".yml") && !strings.HasSuffix(name, ".world"+extension) && !strings.HasPrefix(name, ".") {
			if err := source.CheckLink(folder, path, entry); err != nil {
				return err
			}
			files = append(files, path)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// CompileFile reads and compiles a workflow file. The workflow may use Lua files of its folder.
func (t *Target) CompileFile(file string) (*workflow.Plan, error) {
	text, err := source.ReadFile(file, source.MaxFileSize)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, file))
	}
	folder, err := source.OpenFolder(filepath.Dir(file))
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	defer folder.Close()
	return t.Compile(file, text, folder)
}

// Compile compiles the text of a workflow file. The workflow may use the Lua files of a folder.
func (t *Target) Compile(file string, text []byte, folder fs.FS) (*workflow.Plan, error) {
	// The plan keeps the text. A clone has no unused capacity, unlike the buffer of a reader.
	parsed, _ := workflow.Parse(file, bytes.Clone(text)) // Compile reports its problems too
	parsed.Files, parsed.Ceilings = folder, t.ceilings
	return workflow.Compile(parsed, t.Catalog, t.Interpreter)
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

// IsFile reports whether a path is a regular file.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
