package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/workflow"
)

// WorkflowFiles lists the files given and those in the folders given.
func WorkflowFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, FileError(err, arg)
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		inFolder, err := FolderFiles(arg)
		if err != nil {
			return nil, err
		}
		if len(inFolder) == 0 {
			return nil, fmt.Errorf("there is no .yaml file in %s", arg)
		}
		files = append(files, inFolder...)
	}
	return files, nil
}

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
			files = append(files, path)
		}
		return nil
	})
	sort.Strings(files)
	return files, err
}

// Load reads and checks a workflow file. Warnings are printed.
func (p *Environment) Load(file string, site *Target) (*workflow.Plan, error) {
	plan, err := CompileFile(file, site)
	if err != nil {
		return nil, err
	}
	for _, d := range plan.Warnings {
		fmt.Fprintln(p.Stderr, d)
	}
	return plan, nil
}

// CompileFile reads a workflow and the Lua files beside it, which it cannot leave
// the folder for.
func CompileFile(file string, site *Target) (*workflow.Plan, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, file))
	}
	// The plan keeps the text; what was read into is larger.
	parsed, _ := workflow.Parse(file, bytes.Clone(source)) // Compile reports its problems too
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	defer root.Close()
	parsed.Files = root.FS()
	return workflow.Compile(parsed, site.Catalog, site.Interpreter)
}

func FileError(err error, file string) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no file %s", file)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s may not be read", file)
	}
	return err
}

func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
