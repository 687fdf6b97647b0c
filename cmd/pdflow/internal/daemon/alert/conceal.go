package alert

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// A secret may be in the name of a workflow, in the path of a file, or in a message. What an
// alert sends and stores is masked, also its key. So that two workflows or two files whose
// masked names are the same still have two keys, a masked name ends in a fingerprint of the
// whole name. It depends on the salt of the file of alerts, so nobody who only sees the key
// can try out secrets.

// newSalt returns the salt of a new file of alerts.
func newSalt() []byte {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// fingerprint returns a text that distinguishes a name from all others.
func (a *Alerts) fingerprint(name string) string {
	sum := hmac.New(sha256.New, a.salt)
	sum.Write([]byte(name))
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// masked returns a name without its secrets. The print is empty if it has none.
func (a *Alerts) masked(name string) (shown, print string) {
	if shown = a.config.Redact(name); shown == name {
		return name, ""
	}
	return shown, a.fingerprint(name)
}

// key returns the key of a workflow and a cause: [Key], unless the name of the workflow has
// a secret. An incident that was opened before the secret was known keeps its key.
func (a *Alerts) key(workflow string, cause Cause) string {
	plain := Key(workflow, cause)
	shown, print := a.masked(workflow)
	if print == "" || a.alerts[plain] != nil {
		return plain
	}
	return Key(shown+"~"+print, cause)
}

// fileKey returns the key of a broken file: [FileKey], unless it has a secret.
func (a *Alerts) fileKey(workflow, file string) string {
	plain := FileKey(workflow, file)
	name, ofName := a.masked(workflow)
	path, ofPath := a.masked(absolute(file))
	if ofName+ofPath == "" || a.alerts[plain] != nil {
		return plain
	}
	return pathKey(name, path+"~"+a.fingerprint(workflow+"\x00"+absolute(file)))
}

// conceal masks the secrets in an alert, and reports whether there were any. Where it masks
// the name of the workflow or the path of the file, it keeps their fingerprints.
func (a *Alerts) conceal(entry *alert) (changed bool) {
	if _, print := a.masked(entry.Details[workflowDetail]); print != "" && entry.Workflow == "" {
		entry.Workflow = print
	}
	if path := entry.Details[fileDetail]; path != "" && entry.File == "" {
		if _, print := a.masked(absolute(path)); print != "" {
			entry.File = print
		}
	}
	before := entry.Summary
	entry.Summary = a.config.Redact(before)
	changed = entry.Summary != before
	for name, text := range entry.Details {
		shown := a.config.Redact(text)
		entry.Details[name], changed = shown, changed || shown != text
	}
	return changed
}

// isOf reports whether an alert is about a workflow.
func (a *Alerts) isOf(entry *alert, workflow string) bool {
	if entry.Workflow != "" {
		return entry.Workflow == a.fingerprint(workflow)
	}
	return entry.Details[workflowDetail] == workflow
}

// isAbout reports whether an alert is about a broken file.
func (a *Alerts) isAbout(entry *alert, file string) bool {
	switch {
	case entry.Details["cause"] != string(BrokenFile):
		return false
	case entry.File != "":
		return entry.File == a.fingerprint(absolute(file))
	}
	return absolute(entry.Details[fileDetail]) == absolute(file)
}
