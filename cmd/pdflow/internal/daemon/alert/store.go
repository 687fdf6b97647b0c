package alert

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The wishes for an alert.
const (
	triggered = "triggered"
	resolved  = "resolved"
)

// An alert is what is known of one key, as the file has it.
type alert struct {
	Key     string            `json:"key"`
	Wish    string            `json:"wish"` // triggered or resolved
	Since   time.Time         `json:"since"`
	Summary string            `json:"summary,omitempty"`
	Details map[string]string `json:"details,omitempty"`
	// Accepted says that PagerDuty has accepted the wish.
	Accepted bool `json:"accepted"`
	// Sent says that PagerDuty may know the key: a trigger was sent, whether or not
	// it was accepted.
	Sent bool `json:"sent"`

	version int // counts the wishes, so that an answer is held against its own
	failed  int // how often in a row
	due     time.Time
}

// wish sets what should become of the alert. It is due at once, unless the service
// refuses the same wish already.
func (a *alert) wish(w string, now time.Time) {
	a.version++
	if a.Wish == w && !a.Accepted && a.failed > 0 {
		return // it is sent again in its time: PagerDuty refuses it, and more often than that helps nobody
	}
	if a.Wish != w {
		a.Since = now.UTC()
	}
	a.Wish, a.Accepted, a.failed, a.due = w, false, 0, now
}

// A state is the content of the file.
type state struct {
	Version int      `json:"version"`
	Alerts  []*alert `json:"alerts"`
}

const stateVersion = 1

// load reads the file. What was there may have been sent just before the end.
func load(file string) (map[string]*alert, error) {
	alerts := map[string]*alert{}
	if file == "" {
		return alerts, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return alerts, err
	}
	if err != nil {
		return nil, fmt.Errorf("the open alerts cannot be read: %w", err)
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Version != stateVersion {
		return nil, fmt.Errorf("%s is no list of open alerts of this version of pdflow; move it away, and resolve by hand what it names", file)
	}
	for _, entry := range s.Alerts {
		entry.Sent = true
		alerts[entry.Key] = entry
	}
	return alerts, nil
}

// sorted returns the alerts by key. The lock is held.
func (a *Alerts) sorted() []*alert {
	all := make([]*alert, 0, len(a.alerts))
	for _, entry := range a.alerts {
		all = append(all, entry)
	}
	slices.SortFunc(all, func(x, y *alert) int { return cmp.Compare(x.Key, y.Key) })
	return all
}

// save writes the file if something has changed since.
func (a *Alerts) save() error {
	a.mu.Lock()
	if !a.changed || a.config.File == "" {
		a.changed = false
		a.mu.Unlock()
		return nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(state{stateVersion, a.sorted()})
	a.changed = false
	a.mu.Unlock()
	if err == nil {
		err = replace(a.config.File, text.Bytes())
	}
	if err != nil {
		a.mu.Lock()
		a.changed = true
		a.mu.Unlock()
		return fmt.Errorf("the open alerts cannot be kept: %w", err)
	}
	return nil
}

// replace writes a file whole: a crash leaves the old one or the new one.
func replace(file string, text []byte) error {
	folder := filepath.Dir(file)
	temporary, err := os.CreateTemp(folder, "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // of no effect once it was renamed
	_, err = temporary.Write(text)
	if err == nil {
		err = temporary.Sync()
	}
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), file); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes a renaming durable, where folders can be synced.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // some systems and file systems refuse this, and need it not
	return nil
}
