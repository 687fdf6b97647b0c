package account

import (
	"slices"
	"time"
)

// versions are the account as it was before each of the latest changes.
type versions struct {
	lag  time.Duration // how far back AsOf may look
	kept []version     // in the order of the changes
}

// version is the account as it was before a change.
type version struct {
	until  time.Time // the time of the change
	before *Account
}

// KeepVersions makes the account keep what AsOf needs to look back by lag.
func (a *Account) KeepVersions(lag time.Duration) { a.versions.lag = lag }

// Remember keeps the account as it is before a change at now. It does nothing when no
// versions are kept.
func (a *Account) Remember(now time.Time) {
	v := &a.versions
	if v.lag == 0 {
		v.kept = nil
		return
	}
	v.kept = slices.DeleteFunc(v.kept, func(old version) bool { return !old.until.After(now.Add(-v.lag)) })
	v.kept = append(v.kept, version{until: now, before: a.clone()})
}

// AsOf returns the account as it was at a time, to be read only.
func (a *Account) AsOf(at time.Time) *Account {
	i := slices.IndexFunc(a.versions.kept, func(v version) bool { return v.until.After(at) })
	if i < 0 {
		return a
	}
	return a.versions.kept[i].before
}
