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

	"github.com/pdflow/pdflow/engine/source"
)

// recent is the age from which the time of a file can be trusted. File systems count time
// in steps: a file that changes twice within one step keeps its time.
const recent = 2 * time.Second

// scanned has the files and folders on disk.
type scanned struct {
	files   map[string]source.File // workflow files, by path
	folders []string               // to watch, sorted
	missing map[string]error       // paths that cannot be read, and why
	at      time.Time
}

// scan lists the files of paths.
func scan(paths []string, now time.Time) *scanned {
	s := &scanned{files: map[string]source.File{}, missing: map[string]error{}, at: now}
	for _, path := range paths {
		if err := s.path(path); err != nil {
			s.missing[path] = err
		}
	}
	slices.Sort(s.folders)
	s.folders = slices.Compact(s.folders)
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
	name := filepath.Clean(path)
	s.files[name] = source.File{Path: name}
	// Its Lua files are here or in the folder lib, which need not exist.
	s.folders = append(s.folders, filepath.Dir(path))
	if info, err := os.Stat(filepath.Join(filepath.Dir(path), "lib")); err == nil && info.IsDir() {
		s.folders = append(s.folders, filepath.Join(filepath.Dir(path), "lib"))
	}
	return nil
}

// reason returns an error without its path, which the message has already.
func reason(err error) error {
	if failed, ok := err.(*fs.PathError); ok {
		return failed.Err
	}
	return err
}

// folder lists a folder and the folders below it. The folder itself may be a link. Hidden
// files and folders are ignored: editors and Kubernetes use them for files that are not
// complete yet.
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
		if err != nil && at != root { // the other folders can be read
			s.missing[filepath.Join(path, inside)] = err
			return filepath.SkipDir
		}
		if err != nil {
			return err
		}
		return s.entry(path, filepath.Join(path, inside), entry, at != root && strings.HasPrefix(entry.Name(), "."))
	})
}

// entry lists one file or folder.
func (s *scanned) entry(path, name string, entry fs.DirEntry, hidden bool) error {
	switch {
	case entry.IsDir() && hidden:
		return filepath.SkipDir
	case entry.IsDir():
		s.folders = append(s.folders, name)
	case !hidden && workflowName(name):
		s.files[name] = source.File{Path: name, Folder: path}
	}
	return nil
}

// workflowName reports whether the name is one of a workflow file. A *.world.yaml is not a
// workflow: it has the fake answers of a test.
func workflowName(name string) bool {
	extension := filepath.Ext(name)
	return (extension == ".yaml" || extension == ".yml") && !strings.HasSuffix(name, ".world"+extension)
}

// stamp shows whether a file may have changed. The zero stamp means that the file does not
// exist.
type stamp struct {
	info fs.FileInfo
	// young says that the file changed so recently that it may change again and keep its
	// time.
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
	return !s.young && s.info.Size() == now.info.Size() && s.info.ModTime().Equal(now.info.ModTime()) && changeTime(s.info) == changeTime(now.info) && os.SameFile(s.info, now.info)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
