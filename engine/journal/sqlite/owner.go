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

// An owner is a process that has the journal open. It keeps its lock file locked: the
// system frees the lock when the process ends in any way, and keeps it while the process
// is stopped. Names are never used again, so an owner that is gone never returns.
type owner struct {
	folder string
	name   string
	lock   *flock.Flock
}

const lockSuffix = ".lock"

// lockMode lets every user who can enter the folder see whether the owner lives, even
// when the owner is a process of root.
const lockMode = 0o644

// newOwner makes and locks the lock file of this process.
func newOwner(dir string) (*owner, error) {
	o := &owner{folder: filepath.Join(dir, "owners")}
	if err := os.MkdirAll(o.folder, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of lock files cannot be created: %w", err)
	}
	for {
		o.name = rand.Text()[:16] // 80 random bits
		o.lock = flock.New(o.file(o.name), flock.SetFlag(os.O_CREATE|os.O_EXCL|os.O_RDWR), flock.SetPermissions(lockMode))
		mine, err := o.take()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s cannot be locked, and without locks two processes could continue the same run: %w; use a folder on a local disk", o.lock.Path(), err), o.close())
		}
		if mine {
			return o, nil
		}
		_ = o.close()
	}
}

// take locks the file. Another process may have removed the file between its creation
// and its locking, as a lock file that was left behind; then mine is false.
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
	// Some network file systems grant every lock to everyone.
	if lives, err := o.lives(o.name); err != nil || !lives {
		return false, errors.Join(errors.New("its file system does not keep locks"), err)
	}
	return true, nil
}

func (o *owner) file(name string) string { return filepath.Join(o.folder, name+lockSuffix) }

// lives reports whether the owner with a name lives. When it cannot tell, it returns an
// error: if a living owner counted as gone, two processes would continue its runs.
//
// It tries to take a shared lock. Only the owner's exclusive lock prevents that, so
// processes that look at the same time do not disturb each other.
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
		return false, fmt.Errorf("it is unknown whether the process with the lock file %s lives: %w", lock.Path(), err)
	}
	return !free, lock.Close()
}

// removeLock removes the lock file of an owner that is gone.
func (o *owner) removeLock(name string) {
	if name != "" && name != o.name {
		_ = os.Remove(o.file(name)) // a file that stays does no harm
	}
}

// removeLocks removes the lock files of all owners that are gone.
func (o *owner) removeLocks() error {
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
			o.removeLock(name)
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

// Adopt makes this journal the owner of a run; see [journal.Appender]. When two try at the
// same time, the second finds that the run has a living owner. The lock file of the
// owner that is gone is removed.
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
		return s.handOver(ctx, before, &after)
	})
	if err == nil {
		j.owner.removeLock(gone)
	}
	return err
}

// Release gives a run up; see [journal.Appender].
func (j *Journal) Release(ctx context.Context, id string) error {
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		delete(s.held, id)
		before, err := s.own(ctx, id)
		if err != nil {
			return err
		}
		after := *before
		after.owner = ""
		return s.handOver(ctx, before, &after)
	})
}

// handOver gives a run to another owner. Its row was read in this transaction, so update
// matches.
func (s *session) handOver(ctx context.Context, before, after *storedRun) error {
	_, err := after.update(ctx, s, before)
	s.hold(after)
	return err
}

// giveUp releases the runs that this owner still holds when it is closed, so that they do
// not look as if the process had died. What cannot be written stays as it is.
func (s *session) giveUp() {
	if len(s.held) == 0 {
		return
	}
	_, _ = s.commit([]*change{{do: func(ctx context.Context, s *session) error {
		for _, before := range s.held {
			after := *before
			after.owner = ""
			if err := s.handOver(ctx, before, &after); err != nil {
				return err
			}
		}
		return nil
	}}})
}
