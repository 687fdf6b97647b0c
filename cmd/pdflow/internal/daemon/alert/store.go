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

	"github.com/pdflow/pdflow/engine/source"
)

// The wishes: what an alert should become.
const (
	triggered = "triggered"
	resolved  = "resolved"
)

// alert is the state of one key, as it is stored in the file.
type alert struct {
	Key     string            `json:"key"`
	Wish    string            `json:"wish"` // triggered or resolved
	Since   time.Time         `json:"since"`
	Summary string            `json:"summary,omitempty"`
	Details map[string]string `json:"details,omitempty"`
	// Workflow and File are the fingerprints of the workflow and the file whose names are
	// masked in Details. They are empty otherwise.
	Workflow string `json:"workflow_fingerprint,omitempty"`
	File     string `json:"file_fingerprint,omitempty"`
	// Accepted says that PagerDuty has accepted the wish.
	Accepted bool `json:"accepted"`
	// Sent says that a trigger was sent. PagerDuty may know the key, even if it has not
	// accepted the trigger.
	Sent bool `json:"sent"`

	version int       // number of wishes so far; relates an answer to its wish
	failed  int       // failures in a row
	due     time.Time // when to send the wish
}

// wish sets the wish. It is due at once, unless PagerDuty has refused the same wish
// before.
func (a *alert) wish(w string, now time.Time) {
	a.version++
	if a.Wish == w && !a.Accepted && a.failed > 0 {
		return // it stays due after its pause
	}
	if a.Wish != w {
		a.Since = now.UTC()
	}
	a.Wish, a.Accepted, a.failed, a.due = w, false, 0, now
}

// state is the content of the file.
type state struct {
	Version int      `json:"version"`
	Salt    []byte   `json:"salt,omitempty"` // of the fingerprints
	Alerts  []*alert `json:"alerts"`
}

const stateVersion = 1

// maxFile bounds the file, in bytes: an alert has at most 160 KB, and few are open at a time.
const maxFile = 64 << 20

// load reads the file. It assumes that every alert was sent, because the daemon may have
// ended just after.
func load(file string) (alerts map[string]*alert, salt []byte, err error) {
	alerts = map[string]*alert{}
	if file == "" {
		return alerts, nil, nil
	}
	text, err := source.ReadFile(file, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return alerts, nil, err
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the open alerts cannot be read: %w", err)
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Version != stateVersion {
		return nil, nil, fmt.Errorf("%s is not a list of open alerts of this version of pdflow; move it away, and resolve its incidents by hand", file)
	}
	for _, entry := range s.Alerts {
		entry.Sent = true
		alerts[entry.Key] = entry
	}
	return alerts, s.Salt, nil
}

// sorted returns the alerts by key. The caller holds the lock.
func (a *Alerts) sorted() []*alert {
	all := make([]*alert, 0, len(a.alerts))
	for _, entry := range a.alerts {
		all = append(all, entry)
	}
	slices.SortFunc(all, func(x, y *alert) int { return cmp.Compare(x.Key, y.Key) })
	return all
}

// save writes the file if an alert has changed.
func (a *Alerts) save() error {
	a.mu.Lock()
	if !a.changed || a.config.File == "" {
		a.changed = false
		a.mu.Unlock()
		return nil
	}
	all := a.sorted()
	for _, entry := range all {
		a.conceal(entry) // secrets that are known since it was opened
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(state{stateVersion, a.salt, all})
	a.changed = false
	a.mu.Unlock()
	if err == nil {
		err = replace(a.config.File, text.Bytes())
	}
	if err != nil {
		a.mu.Lock()
		a.changed = true
		a.mu.Unlock()
		return fmt.Errorf("the open alerts cannot be stored: %w", err)
	}
	return nil
}

// replace writes a file as a whole: a crash leaves the old file or the new one.
func replace(file string, text []byte) error {
	folder := filepath.Dir(file)
	temporary, err := os.CreateTemp(folder, "."+filepath.Base(file)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // has no effect after the rename
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
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // makes the rename durable; some systems refuse this and do not need it
	return nil
}
