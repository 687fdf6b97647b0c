package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/timeline"
)

// Rule is a fault with its counters.
type Rule struct {
	Fault
	Matched int `json:"matched"` // the requests that reached the rule and match it
	Applied int `json:"applied"` // the requests with which something went wrong

	number int // its position in the plan, from 1
}

// Count is the counters of a rule.
type Count struct {
	Name    string `json:"name"`
	Do      Kind   `json:"do"`
	Matched int    `json:"matched"` // the requests that reached the rule and match it
	Applied int    `json:"applied"` // the requests with which something went wrong
}

// Config is what an Injector works with. All fields except Seed are required.
type Config struct {
	API      *api.API
	Timeline *timeline.Timeline
	Closing  context.Context // ends the answers that hang or are slow
	Seed     int64           // probabilities follow from it
}

// Injector answers requests, and makes the faults of its rules happen. Only Send is safe
// for concurrent use.
type Injector struct {
	config  Config
	account *account.Account
	rules   []*Rule
}

// NewInjector returns an injector. Reset must be called before its first use.
func NewInjector(config Config) *Injector { return &Injector{config: config} }

// Reset makes the injector work on an account, with rules that have not been counted.
func (i *Injector) Reset(to *account.Account, faults []Fault) {
	i.account = to
	i.SetRules(faults)
}

// SetRules replaces the rules.
func (i *Injector) SetRules(faults []Fault) {
	i.rules = nil
	var lag time.Duration
	for n, f := range faults {
		if f.Name == "" {
			f.Name = fmt.Sprintf("fault %d", n+1)
		}
		if f.Do == StaleRead {
			lag = max(lag, time.Duration(f.Delay))
		}
		i.rules = append(i.rules, &Rule{Fault: f, number: n + 1})
	}
	i.account.KeepVersions(lag)
}

// Rules returns the rules with their counters, in their order.
func (i *Injector) Rules() []Rule {
	return account.Each(i.rules, func(r *Rule) Rule { return *r })
}

// Counts returns the counters of the rules, in their order.
func (i *Injector) Counts() []Count {
	return account.Each(i.rules, func(r *Rule) Count { return Count{r.Name, r.Do, r.Matched, r.Applied} })
}

// Answer answers a request and completes its record. The fault is the one to send the
// answer with; its kind is empty when no rule applies.
func (i *Injector) Answer(x *api.Exchange, record *api.Request) (api.Response, Fault) {
	rule := i.choose(x, record.Key)
	if rule == nil {
		answer := i.config.API.Handle(x)
		record.Status, record.Processed = answer.Status, true
		return answer, Fault{}
	}
	answer := i.spoil(x, rule.Fault)
	does := traitsOf[rule.Do]
	record.Fault, record.Processed = rule.Name, !does.unprocessed
	if !does.unanswered {
		record.Status = answer.Status
	}
	return answer, rule.Fault
}

// choose returns the rule that applies to a request, and counts it; or nil.
func (i *Injector) choose(x *api.Exchange, key string) *Rule {
	for _, r := range i.rules {
		if r.isFor(x, key) && i.applies(r) {
			r.Applied++
			return r
		}
	}
	return nil
}

func (r *Rule) isFor(x *api.Exchange, key string) bool {
	return r.Match.covers(x.Endpoint, x.IsEvent()) &&
		(r.Match.Method == "" || r.Match.Method == x.Method) &&
		(r.Match.Key == "" || r.Match.Key == key) &&
		(r.Do != StaleRead || x.IsRead())
}

// applies counts a request that matches a rule, and reports whether the rule applies to it.
func (i *Injector) applies(r *Rule) bool {
	r.Matched++
	m := r.Match
	switch {
	case m.Nth != 0 && r.Matched != m.Nth,
		m.Every != 0 && r.Matched%m.Every != 0,
		m.Times != 0 && r.Applied >= m.Times:
		return false
	}
	return m.Probability == 0 || seeded.Fraction(i.config.Seed, fmt.Sprintf("fault %d", r.number), r.Matched) < m.Probability
}

// spoil answers a request to which a fault applies. Send then applies the faults that
// delay or cut the answer.
func (i *Injector) spoil(x *api.Exchange, f Fault) api.Response {
	delay := time.Duration(f.Delay)
	switch f.Do {
	case ResetBefore, TimeoutBefore:
		return api.Response{}
	case ChangeHeaders:
		return f.adjust(i.config.API.Handle(x))
	case SlowHeader, SlowBody, TruncatedBody, ResetAfter, TimeoutAfter:
		return i.config.API.Handle(x)
	case Duplicate:
		answer := i.config.API.Handle(x)
		i.config.API.Handle(x)
		return answer
	case StaleRead:
		return i.config.API.HandleAsOf(x, x.Now.Add(-delay))
	case ClockJump:
		i.config.Timeline.Jump(delay)
		x.Now = x.Now.Add(delay)
		i.account.Settle(x.Now)
		return i.config.API.Handle(x)
	}
	return i.respond(x, f)
}
