package library

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// recent is how old a file must be for its time to be trusted. File systems store times in steps, so a
// file that changes twice in one step has the same time.
const recent = 2 * time.Second

// A scanned is the files on disk.
type scanned struct {
	files   map[string]string // workflow files, with the path of the configuration that each is in
	scripts []string          // Lua files, sorted
	folders []string          // to watch, sorted
	missing map[string]error  // paths that cannot be read
	at      time.Time
}

// scan lists the files of paths.
func scan(paths []string, now time.Time) *scanned {
	s := &scanned{files: map[string]string{}, missing: map[string]error{}, at: now}
	for _, path := range paths {
		if err := s.path(path); err != nil {
			s.missing[path] = err
		}
	}
	slices.Sort(s.scripts)
	slices.Sort(s.folders)
	s.scripts, s.folders = slices.Compact(s.scripts), slices.Compact(s.folders)
	return s
}

// path lists a file or a folder.
func (s *scanned) path(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, reason(err))
	}
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 || !info.IsDir() {
		s.folders = append(s.folders, filepath.Dir(path)) // the folder in which it may be replaced
	}
	if info.IsDir() {
		return s.folder(path)
	}
	s.files[filepath.Clean(path)] = path
	s.luaFiles(filepath.Dir(path))
	return nil
}

// reason returns the reason without the path, which the message already has.
func reason(err error) error {
	if failed, ok := err.(*fs.PathError); ok {
		return failed.Err
	}
	return err
}

// luaFiles lists the Lua files next to a single workflow and in its lib folder.
func (s *scanned) luaFiles(folder string) {
	for _, at := range []string{folder, filepath.Join(folder, "lib")} {
		entries, err := os.ReadDir(at)
		if err != nil {
			continue // the workflow need not have one
		}
		s.folders = append(s.folders, at)
		for _, entry := range entries {
			if filepath.Ext(entry.Name()) == ".lua" {
				s.scripts = append(s.scripts, filepath.Join(at, entry.Name()))
			}
		}
	}
}

// folder lists a folder and the folders below it. The folder itself may be a link. Hidden folders are left
// out, because editors and Kubernetes keep unfinished files in them.
func (s *scanned) folder(path string) error {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, reason(err))
	}
	return filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if at != root && errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed after its folder was read
		}
		inside, outside := filepath.Rel(root, at)
		if outside != nil {
			return outside
		}
		if err != nil {
			err = fmt.Errorf("%s cannot be read: %w", filepath.Join(path, inside), reason(err))
		}
		if err != nil && at != root { // the rest can be read
			s.missing[filepath.Join(path, inside)] = err
			return filepath.SkipDir
		}
		if err != nil {
			return err
		}
		return s.entry(path, filepath.Join(path, inside), entry, at != root && strings.HasPrefix(entry.Name(), "."))
	})
}

// entry lists one entry of a folder.
func (s *scanned) entry(path, name string, entry fs.DirEntry, hidden bool) error {
	switch {
	case entry.IsDir() && hidden:
		return filepath.SkipDir
	case entry.IsDir():
		s.folders = append(s.folders, name)
	case hidden:
	case filepath.Ext(name) == ".lua":
		s.scripts = append(s.scripts, name)
	case workflowName(name) && entry.Type()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) == 0:
		s.files[name] = path
	}
	return nil
}

// workflowName reports whether a name is the name of a workflow file. World files are not.
func workflowName(name string) bool {
	extension := filepath.Ext(name)
	return (extension == ".yaml" || extension == ".yml") && !strings.HasSuffix(name, ".world"+extension)
}

// below returns the scripts below a folder.
func (s *scanned) below(folder string) []string {
	var scripts []string
	for _, script := range s.scripts {
		if inside, err := filepath.Rel(folder, script); err == nil && filepath.IsLocal(inside) {
			scripts = append(scripts, script)
		}
	}
	return scripts
}

// A stamp shows whether a file may have changed. A file that does not exist has the zero stamp.
type stamp struct {
	info fs.FileInfo
	// young says that the file had changed shortly before, so that it may change again without a
	// difference in its time.
	young bool
}

func stampOf(name string, now time.Time) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info, info.ModTime().After(now.Add(-recent))}
}

// same reports whether the file has certainly not changed.
func (s stamp) same(now stamp) bool {
	if s.info == nil || now.info == nil {
		return s.info == nil && now.info == nil
	}
	return !s.young && s.info.Size() == now.info.Size() && s.info.ModTime().Equal(now.info.ModTime()) && os.SameFile(s.info, now.info)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
