package simulator

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// FaultCount says what became of a rule.
type FaultCount struct {
	Name    string    `json:"name"`
	Do      FaultKind `json:"do"`
	Matched int       `json:"matched"` // requests that reached the rule and match it
	Applied int       `json:"applied"` // those with which it made something go wrong
}

// faultPlan is the rules with their counters.
type faultPlan struct {
	rules []*faultRule
	seed  int64
}

// faultRule is one rule with its counters.
type faultRule struct {
	Fault
	number  int // from 1
	matched int
	applied int
}

func newFaultPlan(faults []Fault, seed int64) faultPlan {
	plan := faultPlan{seed: seed}
	for i, fault := range faults {
		fault.Name = orDefault(fault.Name, fmt.Sprintf("fault %d", i+1))
		plan.rules = append(plan.rules, &faultRule{Fault: fault, number: i + 1})
	}
	return plan
}

// choose returns the rule that applies to a request, and counts it; or nil.
func (p *faultPlan) choose(x *exchange, key string) *faultRule {
	for _, rule := range p.rules {
		if rule.isFor(x, key) && p.strikes(rule) {
			rule.applied++
			return rule
		}
	}
	return nil
}

func (r *faultRule) isFor(x *exchange, key string) bool {
	return r.Match.covers(x.endpoint) &&
		(r.Match.Method == "" || r.Match.Method == x.method) &&
		(r.Match.Key == "" || r.Match.Key == key) &&
		(r.Do != StaleRead || x.isRead())
}

// strikes counts a request and reports whether it is one of those meant.
func (p *faultPlan) strikes(r *faultRule) bool {
	r.matched++
	m := r.Match
	switch {
	case m.Nth != 0 && r.matched != m.Nth,
		m.Every != 0 && r.matched%m.Every != 0,
		m.Times != 0 && r.applied >= m.Times:
		return false
	}
	return m.Probability == 0 || chance(p.seed, fmt.Sprintf("fault %d", r.number), r.matched) < m.Probability
}

func (p *faultPlan) counts() []FaultCount {
	counts := make([]FaultCount, 0, len(p.rules))
	for _, rule := range p.rules {
		counts = append(counts, FaultCount{Name: rule.Name, Do: rule.Do, Matched: rule.matched, Applied: rule.applied})
	}
	return counts
}

// longestLag is how far back a read may look.
func (p *faultPlan) longestLag() time.Duration {
	var longest time.Duration
	for _, rule := range p.rules {
		if rule.Do == StaleRead {
			longest = max(longest, time.Duration(rule.Delay))
		}
	}
	return longest
}

func sortedNames[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }

// texts are words as plain strings.
func texts[T ~string](words []T) []string {
	plain := make([]string, 0, len(words))
	for _, word := range words {
		plain = append(plain, string(word))
	}
	return plain
}
