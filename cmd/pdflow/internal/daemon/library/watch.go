package library

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long no further change may happen before the files are checked: a file
	// that is written or unpacked changes several times.
	quiet = 100 * time.Millisecond
	// patience is the longest time that a change waits for quiet.
	patience = time.Second
	// pollWatched is the interval of checks without a reported change. pollBlind is the
	// interval if not all folders can be watched.
	pollWatched = 30 * time.Second
	pollBlind   = 2 * time.Second
)

// notifier reports changes in folders. fsnotify.Watcher implements it.
type notifier interface {
	Add(folder string) error
	Remove(folder string) error
	Close() error
}

// watch is the state of [Library.Watch].
type watch struct {
	*Library
	notifier notifier // nil: the system cannot report changes
	events   <-chan fsnotify.Event
	errors   <-chan error
	watched  map[string]fs.FileInfo // the folders, as they were when they were added
	blind    error                  // why not all folders are watched; nil: all are

	first, due time.Time // the first change since the last check, and when to check; zero: no change
	polled     time.Time // the last check
}

// Watch checks the files whenever one changes, until the context ends.
func (l *Library) Watch(ctx context.Context) {
	w := &watch{Library: l, watched: map[string]fs.FileInfo{}}
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		w.notifier, w.events, w.errors = watcher, watcher.Events, watcher.Errors
	}
	w.setBlind(err)
	w.run(ctx)
}

// run is the loop of Watch.
func (w *watch) run(ctx context.Context) {
	if w.notifier != nil {
		defer w.notifier.Close()
	}
	w.look()
	for ctx.Err() == nil {
		wake := make(chan struct{})
		stop := w.config.Clock.AfterFunc(w.next().Sub(w.now()), func() { close(wake) })
		select {
		case <-ctx.Done():
		case e := <-w.events:
			if w.forget(e); w.concerns(e) {
				w.heard()
			}
		case err := <-w.errors:
			w.config.Log.Warn("changes of files may have been missed; all files are checked", "error", err)
			w.heard()
		case <-wake:
			w.look()
		}
		stop()
	}
}

func (w *watch) now() time.Time { return w.config.Clock.Now() }

// next returns when to check.
func (w *watch) next() time.Time {
	poll := w.polled.Add(pollWatched)
	if w.blind != nil {
		poll = w.polled.Add(pollBlind)
	}
	if !w.due.IsZero() && w.due.Before(poll) {
		return w.due
	}
	return poll
}

// heard schedules a check after a change. Each further change delays it, up to patience.
func (w *watch) heard() {
	now := w.now()
	if w.due.IsZero() {
		w.first = now
	}
	w.due = now.Add(quiet)
	if last := w.first.Add(patience); last.Before(w.due) {
		w.due = last
	}
}

// look checks the files. It checks them again if it found new folders, because files may
// have been written there before the folders were watched.
func (w *watch) look() {
	w.due = time.Time{}
	for {
		w.Check()
		if !w.follow() {
			break
		}
	}
	w.polled = w.now()
}

// follow watches the folders of the last check and no others. It reports whether some of
// them are new. A folder that replaced another folder is new.
func (w *watch) follow() bool {
	if w.notifier == nil {
		return false
	}
	w.mu.Lock()
	folders := w.folders
	w.mu.Unlock()
	var blind error
	fresh := false
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil {
			continue // it was removed
		}
		if old := w.watched[folder]; old != nil {
			if os.SameFile(old, info) {
				continue
			}
			_ = w.notifier.Remove(folder) // the system may have forgotten it already
		}
		if err := w.notifier.Add(folder); err != nil {
			blind = fmt.Errorf("%s cannot be watched: %w", folder, err)
			delete(w.watched, folder)
			continue
		}
		w.watched[folder], fresh = info, true
	}
	for _, folder := range sortedKeys(w.watched) {
		if !slices.Contains(folders, folder) {
			_ = w.notifier.Remove(folder)
			delete(w.watched, folder)
		}
	}
	w.setBlind(blind)
	return fresh
}

// forget stops watching a folder that was removed, renamed or replaced. Another folder may
// have the same name, and even the same inode.
func (w *watch) forget(e fsnotify.Event) {
	if !e.Has(fsnotify.Remove) && !e.Has(fsnotify.Rename) && !e.Has(fsnotify.Create) {
		return
	}
	name := filepath.Clean(e.Name)
	for _, folder := range sortedKeys(w.watched) {
		if inside, err := filepath.Rel(name, folder); err == nil && filepath.IsLocal(inside) {
			_ = w.notifier.Remove(folder) // the system may have forgotten it already
			delete(w.watched, folder)
		}
	}
}

// setBlind records why not all changes are reported. It logs the first of several errors
// in a row.
func (w *watch) setBlind(err error) {
	if err != nil && w.blind == nil {
		w.config.Log.Warn("the system does not report all changes: files are checked at intervals", "every", pollBlind, "error", err)
	}
	w.blind = err
}

// concerns reports whether an event may be about a workflow. Other files in the folders,
// such as a journal that is always written, are ignored.
func (w *watch) concerns(e fsnotify.Event) bool {
	switch filepath.Ext(e.Name) {
	case ".yaml", ".yml", ".lua":
		return e.Op != fsnotify.Chmod
	}
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		return true // it may have been a folder, or a link to one
	}
	info, err := os.Stat(e.Name)
	return e.Has(fsnotify.Create) && err == nil && info.IsDir()
}
