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

// recent is how old a file must be for its time to be trusted: file systems count
// time in steps, and one that changes twice in a step looks the same.
const recent = 2 * time.Second

// A scanned tree is what is on disk.
type scanned struct {
	files   map[string]string // workflow files, and the path of the config that has each
	scripts []string          // Lua files, sorted
	folders []string          // to watch, sorted
	missing map[string]error  // paths that cannot be looked at
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
		return fmt.Errorf("%s cannot be looked at: %w", path, reason(err))
	}
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 || !info.IsDir() {
		s.folders = append(s.folders, filepath.Dir(path)) // where it is replaced
	}
	if info.IsDir() {
		return s.folder(path)
	}
	s.files[filepath.Clean(path)] = path
	s.beside(filepath.Dir(path))
	return nil
}

// reason leaves out the path, which is said already.
func reason(err error) error {
	if failed, ok := err.(*fs.PathError); ok {
		return failed.Err
	}
	return err
}

// beside lists the Lua files beside a single workflow, and those of its lib; the rest
// of the folder may be anything.
func (s *scanned) beside(folder string) {
	for _, at := range []string{folder, filepath.Join(folder, "lib")} {
		entries, err := os.ReadDir(at)
		if err != nil {
			continue // it may have none
		}
		s.folders = append(s.folders, at)
		for _, entry := range entries {
			if filepath.Ext(entry.Name()) == ".lua" {
				s.scripts = append(s.scripts, filepath.Join(at, entry.Name()))
			}
		}
	}
}

// folder lists a folder and those below it; the folder itself may be a link. Hidden
// ones are left out: editors and Kubernetes keep in them what is not there yet.
func (s *scanned) folder(path string) error {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("%s cannot be looked at: %w", path, reason(err))
	}
	return filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if at != root && errors.Is(err, fs.ErrNotExist) {
			return nil // it went since its folder was read
		}
		inside, outside := filepath.Rel(root, at)
		if outside != nil {
			return outside
		}
		if err != nil {
			err = fmt.Errorf("%s cannot be looked at: %w", filepath.Join(path, inside), reason(err))
		}
		if err != nil && at != root { // the rest can be
			s.missing[filepath.Join(path, inside)] = err
			return filepath.SkipDir
		}
		if err != nil {
			return err
		}
		return s.entry(path, filepath.Join(path, inside), entry, at != root && strings.HasPrefix(entry.Name(), "."))
	})
}

// entry lists what lies in the folder of a path.
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

// workflowName reports whether a file of that name is a workflow; a *.world.yaml is
// what a test meets.
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

// A stamp tells whether a file may have changed. The zero stamp is that of one that
// is not there.
type stamp struct {
	info fs.FileInfo
	// young says that the file had changed so shortly before that it may change again
	// without showing it.
	young bool
}

func stampOf(name string, now time.Time) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info, info.ModTime().After(now.Add(-recent))}
}

// same reports whether nothing has changed for sure.
func (s stamp) same(now stamp) bool {
	if s.info == nil || now.info == nil {
		return s.info == nil && now.info == nil
	}
	return !s.young && s.info.Size() == now.info.Size() && s.info.ModTime().Equal(now.info.ModTime()) && os.SameFile(s.info, now.info)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
