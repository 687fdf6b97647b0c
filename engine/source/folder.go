package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A LeavesError says that a name, or a link behind it, leads out of a [Folder].
type LeavesError struct {
	Path   string // of the link, or the name
	Folder string
	IsName bool
}

// Error says what to do instead.
func (e *LeavesError) Error() string {
	if e.IsName {
		return fmt.Sprintf("%q is not the name of a file in the folder %s", Clip(e.Path), e.Folder)
	}
	return fmt.Sprintf("%s is a link that leaves the folder %s, and such links are not followed: replace it by the file", e.Path, e.Folder)
}

// A Folder is a folder whose files are not trusted, and are read without leaving it. A name
// may not lead out of the folder, and neither may a link. Only regular files are opened, and
// nothing waits: a named pipe or a device is refused before it is opened.
//
// A Folder is an [fs.FS]. It stays the same folder when the folder is renamed or replaced.
type Folder struct {
	root *os.Root
	path string // for messages, and to resolve links
}

var _ fs.StatFS = (*Folder)(nil)

// OpenFolder opens a folder. The folder itself may be a link.
func OpenFolder(name string) (*Folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Folder{root, name}, nil
}

// Sub opens a folder inside the folder.
func (f *Folder) Sub(name string) (*Folder, error) {
	root, err := at(f, name, f.root.OpenRoot)
	if err != nil {
		return nil, err
	}
	return &Folder{root, f.Path(name)}, nil
}

// Close closes the folder. Files that were opened in it stay open.
func (f *Folder) Close() error { return f.root.Close() }

// Path returns the path of a file of the folder, as messages show it.
func (f *Folder) Path(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

// Stat describes the file that a name leads to.
func (f *Folder) Stat(name string) (fs.FileInfo, error) { return at(f, name, f.root.Stat) }

// Open opens a regular file for reading.
func (f *Folder) Open(name string) (fs.File, error) {
	file, err := f.open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: reasonOf(err)}
	}
	return file, nil
}

func (f *Folder) open(name string) (*os.File, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := CheckRegular(info, f.Path(name)); err != nil {
		return nil, err
	}
	return at(f, name, func(name string) (*os.File, error) { return f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) })
}

// Read returns the text of a regular file of at most most bytes.
func (f *Folder) Read(name string, most int64) ([]byte, error) {
	file, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadOpen(file, f.Path(name), most)
}

// Replace writes a file as a whole: others see the old text or the new one. A link is not
// followed but refused, since the file that it leads to may be another person's.
func (f *Folder) Replace(name string, text []byte) error {
	mode := fs.FileMode(0o644)
	switch info, err := f.root.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return f.refusal(name, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not written, because it is not a regular file but %s: write the file itself", f.Path(name), kindOf(info.Mode()))
	default:
		mode = info.Mode().Perm()
	}
	draft, err := f.draft(name, mode)
	if err != nil {
		return f.refusal(name, err)
	}
	defer func() { _ = f.root.Remove(draft.name) }() // has no effect after the rename
	_, err = draft.Write(text)
	if err = errors.Join(err, draft.Close()); err == nil {
		err = f.root.Rename(draft.name, name)
	}
	if err != nil {
		return f.refusal(name, err)
	}
	return nil
}

// A draft is a new file that is going to replace another.
type draft struct {
	*os.File
	name string
}

// draft makes a new file next to a file. It opens no file that exists.
func (f *Folder) draft(name string, mode fs.FileMode) (draft, error) {
	for n := 0; ; n++ {
		d := draft{name: path.Join(path.Dir(name), "."+path.Base(name)+"-"+strconv.Itoa(n)+"~")}
		var err error
		d.File, err = f.root.OpenFile(d.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) || n == 1000 {
			return d, err
		}
	}
}

// at does something with a name. A link with an absolute target is refused by [os.Root] even
// if the target is in the folder: then at does it with the name that the link leads to.
func at[T any](f *Folder, name string, do func(string) (T, error)) (result T, err error) {
	if !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
		return result, &LeavesError{name, f.path, true}
	}
	name = filepath.FromSlash(name)
	result, err = do(name)
	if err == nil || !escapes(err) {
		return result, f.refusal(name, err)
	}
	if inside, ok := f.resolve(name); ok {
		if found, err := do(inside); err == nil {
			return found, nil
		}
	}
	return result, f.refusal(name, err)
}

// resolve returns the name of the file that a name leads to, if it is in the folder.
func (f *Folder) resolve(name string) (string, bool) {
	root, unread := filepath.EvalSymlinks(f.path)
	target, err := filepath.EvalSymlinks(filepath.Join(f.path, name))
	if err != nil || unread != nil {
		return "", false
	}
	inside, err := filepath.Rel(root, target)
	return inside, err == nil && filepath.IsLocal(inside)
}

// refusal returns an error of [os.Root] with the path that messages show.
func (f *Folder) refusal(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case escapes(err):
		return &LeavesError{f.Path(name), f.path, false}
	}
	return &fs.PathError{Op: "open", Path: f.Path(name), Err: reasonOf(err)}
}

// escapes reports whether an error says that a link leads out of an [os.Root]. The package
// os does not export the error.
func escapes(err error) bool {
	return err != nil && reasonOf(err).Error() == "path escapes from parent"
}

// reasonOf returns an error without the path that it may begin with.
func reasonOf(err error) error {
	var failed *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &failed):
		return failed.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// A File is a file that a person named, or that was found in a folder that a person named.
type File struct {
	Path   string // as messages show it
	Folder string // in which it was found, and which it may not leave; empty: it was named itself

	unread error // why Find could not read it
}

// Read returns the text of a regular file of at most most bytes.
func (f File) Read(most int64) ([]byte, error) {
	if f.unread != nil {
		return nil, f.unread
	}
	if f.Folder == "" {
		return ReadFile(f.Path, most)
	}
	folder, err := OpenFolder(f.Folder)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	inside, err := filepath.Rel(f.Folder, f.Path)
	if err != nil {
		return nil, err
	}
	return folder.Read(filepath.ToSlash(inside), most)
}

// OpenFolder opens the folder that holds the file, for the other files next to it.
func (f File) OpenFolder() (*Folder, error) {
	if f.Folder == "" {
		return OpenFolder(filepath.Dir(f.Path))
	}
	folder, err := OpenFolder(f.Folder)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	inside, err := filepath.Rel(f.Folder, filepath.Dir(f.Path))
	if err != nil {
		return nil, err
	}
	return folder.Sub(filepath.ToSlash(inside))
}

// Find returns the files in a folder and below it whose names are wanted, in lexical order. It
// leaves out files and folders whose names begin with a dot. It does not follow links to other
// folders, though the folder itself may be a link. A folder below that cannot be read is one
// of the files, and its Read says why.
func Find(folder string, wanted func(name string) bool) (found []File, err error) {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		inside, outside := filepath.Rel(root, at)
		path := filepath.Join(folder, inside)
		switch {
		case outside != nil:
			return outside
		case err != nil && at == root:
			return err
		case at != root && strings.HasPrefix(filepath.Base(at), "."):
			if err == nil && entry.IsDir() {
				return filepath.SkipDir
			}
		case errors.Is(err, fs.ErrNotExist): // it was removed since
		case err != nil:
			found = append(found, File{path, folder, fmt.Errorf("the folder %s cannot be read: %w", path, reasonOf(err))})
		case !entry.IsDir() && wanted(entry.Name()):
			found = append(found, File{path, folder, nil})
		}
		return nil
	})
	return found, err
}
