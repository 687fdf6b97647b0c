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

// An alert is the state of one key, as it is in the file.
type alert struct {
	Key     string            `json:"key"`
	Wish    string            `json:"wish"` // triggered or resolved
	Since   time.Time         `json:"since"`
	Summary string            `json:"summary,omitempty"`
	Details map[string]string `json:"details,omitempty"`
	// Accepted says that PagerDuty has accepted the wish.
	Accepted bool `json:"accepted"`
	// Sent says that a trigger was sent, accepted or not, so that PagerDuty may know the key.
	Sent bool `json:"sent"`

	version int // counts the wishes, so that an answer is not taken for the answer to another wish
	failed  int // how often in a row PagerDuty refused the wish
	due     time.Time
}

// wish sets whether the alert should be open. It is sent at once, unless PagerDuty has just refused the
// same wish.
func (a *alert) wish(w string, now time.Time) {
	a.version++
	if a.Wish == w && !a.Accepted && a.failed > 0 {
		return // the next attempt is already due at its time
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

// load reads the file. Every alert in it may have been sent just before the process ended.
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
		return nil, fmt.Errorf("%s is not a list of open alerts of this version of pdflow; move it away, and resolve the incidents that it names by hand", file)
	}
	for _, entry := range s.Alerts {
		entry.Sent = true
		alerts[entry.Key] = entry
	}
	return alerts, nil
}

// sorted returns the alerts, sorted by key. The lock is held.
func (a *Alerts) sorted() []*alert {
	all := make([]*alert, 0, len(a.alerts))
	for _, entry := range a.alerts {
		all = append(all, entry)
	}
	slices.SortFunc(all, func(x, y *alert) int { return cmp.Compare(x.Key, y.Key) })
	return all
}

// save writes the file if an alert has changed since the last save.
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
		return fmt.Errorf("the open alerts cannot be written: %w", err)
	}
	return nil
}

// replace replaces a file. A crash leaves the old file or the new file.
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
