package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/pdflow/pdflow/engine/journal"
)

// An owner is a process that has the journal open. Its lock file is locked for as
// long as it lives: the system frees the lock when it ends, however it ends, and
// keeps it while it is stopped. No name is ever used twice, so that an owner that
// is gone once is gone for good.
type owner struct {
	folder string
	name   string
	lock   *flock.Flock
}

const lockSuffix = ".lock"

// lockMode lets every user of the data folder look whether the owner lives: that of a
// command of root's, too. The folder decides who comes that far.
const lockMode = 0o644

// newOwner makes and locks the lock file of this process.
func newOwner(dir string) (*owner, error) {
	o := &owner{folder: filepath.Join(dir, "owners")}
	if err := os.MkdirAll(o.folder, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of lock files cannot be made: %w", err)
	}
	for {
		o.name = rand.Text()[:16] // 80 random bits
		o.lock = flock.New(o.file(o.name), flock.SetFlag(os.O_CREATE|os.O_EXCL|os.O_RDWR), flock.SetPermissions(lockMode))
		mine, err := o.take()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s cannot be locked, and without locks two processes could do one run twice: %w; use a folder on a local disk", o.lock.Path(), err), o.close())
		}
		if mine {
			return o, nil
		}
		_ = o.close()
	}
}

// take locks the file. Between its making and its locking, whoever clears up may
// have taken it for one of an owner that is gone: then it is not mine.
func (o *owner) take() (mine bool, err error) {
	if locked, err := o.lock.TryLock(); err != nil || !locked {
		return false, err
	}
	held, err := o.lock.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(o.lock.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !os.SameFile(held, there) {
		return false, err
	}
	// Some network file systems grant every lock.
	if lives, err := o.lives(o.name); err != nil || !lives {
		return false, errors.Join(errors.New("its file system does not keep locks"), err)
	}
	return true, nil
}

func (o *owner) file(name string) string { return filepath.Join(o.folder, name+lockSuffix) }

// lives reports whether the owner of a name lives. When that cannot be found out
// the error says so: to take a living one for dead would do its runs twice.
//
// It tries a lock that any number may hold at the same time, and which only the
// owner's own keeps from being taken: those who look do not see each other.
func (o *owner) lives(name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	lock := flock.New(o.file(name), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("whether the process with the lock file %s lives cannot be found out: %w", lock.Path(), err)
	}
	return !free, lock.Close()
}

// bury removes the lock file of an owner that is gone.
func (o *owner) bury(name string) {
	if name != "" && name != o.name {
		_ = os.Remove(o.file(name)) // one that stays does no harm
	}
}

// buryAll removes the lock files of all owners that are gone.
func (o *owner) buryAll() error {
	entries, err := os.ReadDir(o.folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), lockSuffix)
		if !ok {
			continue
		}
		lives, err := o.lives(name)
		if err != nil {
			return err
		}
		if !lives {
			o.bury(name)
		}
	}
	return nil
}

// close frees the lock and removes its file.
func (o *owner) close() error {
	if err := o.lock.Close(); err != nil {
		return err
	}
	if err := os.Remove(o.lock.Path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Adopt makes this journal the owner of a run; see [journal.Journal]. Of two that
// try at the same time one comes second, and finds that the run has a living
// owner. The lock file of the owner that is gone is removed.
func (j *Journal) Adopt(ctx context.Context, id string) error {
	var gone string
	err := j.writer.write(ctx, func(ctx context.Context, s *session) error {
		before, err := s.find(ctx, id)
		if err != nil || before.owner == s.owner {
			return err
		}
		switch lives, err := j.owner.lives(before.owner); {
		case err != nil:
			return err
		case lives:
			return refusal{journal.ErrOwned}
		}
		after := *before
		after.owner, after.epoch = s.owner, before.epoch+1
		after.Adopted()
		gone = before.owner
		return s.pass(ctx, before, &after)
	})
	if err == nil {
		j.owner.bury(gone)
	}
	return err
}

// Release gives a run up; see [journal.Journal].
func (j *Journal) Release(ctx context.Context, id string) error {
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		delete(s.held, id)
		before, err := s.own(ctx, id)
		if err != nil {
			return err
		}
		after := *before
		after.owner = ""
		return s.pass(ctx, before, &after)
	})
}

// pass gives a run, whose row was read in this transaction, to another owner.
func (s *session) pass(ctx context.Context, before, after *storedRun) error {
	_, err := after.update(ctx, s, before)
	s.hold(after)
	return err
}
