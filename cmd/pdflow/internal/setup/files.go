package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/workflow"
)

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
			files = append(files, path)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// CompileFile reads and compiles a workflow file. The workflow may use Lua files of its folder.
func (t *Target) CompileFile(file string) (*workflow.Plan, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, FileError(err, file))
	}
	// The plan keeps the text. A clone has no unused capacity, unlike the buffer of ReadFile.
	parsed, _ := workflow.Parse(file, bytes.Clone(source)) // Compile reports its problems too
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	defer root.Close()
	parsed.Files = root.FS()
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
