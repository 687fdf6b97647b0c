package sqlite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
)

// An owner is a process that has the journal open. Its lock file is locked for as
// long as it lives: the system frees the lock when it ends, however it ends.
type owner struct {
	folder string
	name   string
	lock   *flock.Flock

	mu sync.Mutex
	// gone are owners that were found dead. A name is never used again.
	gone map[string]bool
}

// newOwner makes and locks the lock file of this process.
func newOwner(dir string) (*owner, error) {
	folder := filepath.Join(dir, "owners")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be made: %w", folder, err)
	}
	o := &owner{folder: folder, name: rand.Text(), gone: map[string]bool{}}
	o.lock = flock.New(o.file(o.name), flock.SetPermissions(0o600))
	locked, err := o.lock.TryLock()
	if err == nil && !locked {
		err = errors.New("it is locked already")
	}
	if err == nil {
		err = o.provesLocks()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s cannot be locked, and without locks two processes could do one run twice: %w; use a folder on a local disk", o.file(o.name), err), o.lock.Close())
	}
	return o, nil
}

// provesLocks finds out whether locks keep others out: some network file systems
// grant every one.
func (o *owner) provesLocks() error {
	second := flock.New(o.file(o.name), flock.SetPermissions(0o600))
	defer second.Close()
	if locked, err := second.TryLock(); err != nil || locked {
		return errors.Join(errors.New("its file system does not keep locks"), err)
	}
	return nil
}

func (o *owner) file(name string) string { return filepath.Join(o.folder, name+".lock") }

// lives reports whether the owner of a name does.
func (o *owner) lives(name string) bool {
	if name == o.name {
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if name == "" || o.gone[name] {
		return false
	}
	if _, err := os.Stat(o.file(name)); err == nil {
		lock := flock.New(o.file(name))
		locked, err := lock.TryLock()
		_ = lock.Close()
		if err != nil || !locked {
			return true
		}
	}
	o.gone[name] = true
	return false
}

// close frees the lock and removes its file.
func (o *owner) close() error {
	if o == nil {
		return nil
	}
	err := os.Remove(o.file(o.name))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, o.lock.Close())
}

// sweep removes the lock files of owners that are gone.
func (o *owner) sweep() {
	entries, _ := os.ReadDir(o.folder)
	for _, entry := range entries {
		name, ok := cutLock(entry.Name())
		if ok && !o.lives(name) {
			_ = os.Remove(o.file(name))
		}
	}
}

func cutLock(file string) (string, bool) {
	const suffix = ".lock"
	if len(file) <= len(suffix) || file[len(file)-len(suffix):] != suffix {
		return "", false
	}
	return file[:len(file)-len(suffix)], true
}
