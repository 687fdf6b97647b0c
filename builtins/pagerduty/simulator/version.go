package simulator

import (
	"slices"
	"time"
)

// version is the account as it was before a change.
type version struct {
	until  time.Time // when the change was made
	before account
}

// rememberVersion keeps the account as it is, if a rule may want to look back at
// it, and drops what none will.
func (s *Simulator) rememberVersion(now time.Time) {
	lag := s.faults.longestLag()
	if lag == 0 {
		s.versions = nil
		return
	}
	s.versions = slices.DeleteFunc(s.versions, func(v version) bool { return !v.until.After(now.Add(-lag)) })
	s.versions = append(s.versions, version{until: now, before: s.account.clone()})
}

// asOf answers a request from the account as it was at a time.
func (s *Simulator) asOf(at time.Time, x *exchange) response {
	i := slices.IndexFunc(s.versions, func(v version) bool { return v.until.After(at) })
	if i < 0 {
		return x.handle(s, x)
	}
	current := s.account
	defer func() { s.account = current }()
	s.account = s.versions[i].before
	return x.handle(s, x)
}
