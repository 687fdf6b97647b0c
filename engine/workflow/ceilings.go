package workflow

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// Ceilings are the most that the operator of a machine lets workflows ask for, each in its
// own unit. A zero field means the default. They are not the limits of a step, which a
// workflow sets itself: a step that sets none gets the default limits, and never more
// than the ceilings.
type Ceilings struct {
	Memory       int64 // of one script, in bytes
	Instructions int64 // of one script
	Output       int64 // of one step, in bytes of JSON text
	ScriptTime   time.Duration
	StepTimeout  time.Duration
	RunTimeout   time.Duration
	ResumeWithin time.Duration
	RetryDelay   time.Duration // the pause between two attempts
	Attempts     int64         // of a step
	Parallel     int64         // items of a for_each at a time
}

// DefaultCeilings are the ceilings that an operator has not set.
var DefaultCeilings = Ceilings{
	Memory: 1 << 30, Instructions: 10_000_000_000, Output: MaxOutput, ScriptTime: time.Hour, StepTimeout: 366 * 24 * time.Hour,
	RunTimeout: 366 * 24 * time.Hour, ResumeWithin: 366 * 24 * time.Hour, RetryDelay: 24 * time.Hour, Attempts: maxAttempts, Parallel: maxParallel,
}

// unlimited are the ceilings of a recorded workflow: its run was allowed when it started.
// The ceilings of the machine still bound what its scripts get.
var unlimited = Ceilings{
	Memory: 1 << 62, Instructions: 1 << 62, Output: 1 << 62, ScriptTime: 1 << 62, StepTimeout: 1 << 62,
	RunTimeout: 1 << 62, ResumeWithin: 1 << 62, RetryDelay: 1 << 62, Attempts: 1 << 62, Parallel: 1 << 62,
}

// or returns c with its zero fields taken from other.
func (c Ceilings) or(other Ceilings) Ceilings {
	return Ceilings{
		Memory: cmp.Or(c.Memory, other.Memory), Instructions: cmp.Or(c.Instructions, other.Instructions), Output: cmp.Or(c.Output, other.Output),
		ScriptTime: cmp.Or(c.ScriptTime, other.ScriptTime), StepTimeout: cmp.Or(c.StepTimeout, other.StepTimeout),
		RunTimeout: cmp.Or(c.RunTimeout, other.RunTimeout), ResumeWithin: cmp.Or(c.ResumeWithin, other.ResumeWithin),
		RetryDelay: cmp.Or(c.RetryDelay, other.RetryDelay), Attempts: cmp.Or(c.Attempts, other.Attempts), Parallel: cmp.Or(c.Parallel, other.Parallel),
	}
}

// Below returns the ceilings, each at most that of most. Zero fields of most change
// nothing.
func (c Ceilings) Below(most Ceilings) Ceilings {
	c, most = c.or(DefaultCeilings), most.or(unlimited)
	return Ceilings{
		Memory: min(c.Memory, most.Memory), Instructions: min(c.Instructions, most.Instructions), Output: min(c.Output, most.Output),
		ScriptTime: min(c.ScriptTime, most.ScriptTime), StepTimeout: min(c.StepTimeout, most.StepTimeout),
		RunTimeout: min(c.RunTimeout, most.RunTimeout), ResumeWithin: min(c.ResumeWithin, most.ResumeWithin),
		RetryDelay: min(c.RetryDelay, most.RetryDelay), Attempts: min(c.Attempts, most.Attempts), Parallel: min(c.Parallel, most.Parallel),
	}
}

// Within returns the limits of a step as far as the ceilings allow them.
func (c Ceilings) Within(l Limits) Limits {
	c, l = c.or(DefaultCeilings), l.or(DefaultLimits())
	return Limits{
		Instructions: min(l.Instructions, c.Instructions), Memory: min(l.Memory, c.Memory),
		Output: min(l.Output, c.Output), Time: min(l.Time, c.ScriptTime),
	}
}

// Timeout returns the timeout of a step as far as the ceilings allow it.
func (c Ceilings) Timeout(d time.Duration) time.Duration {
	return min(d, c.or(DefaultCeilings).StepTimeout)
}

// ReadCeilings reads the ceilings of a machine. more are further keys of the mapping.
func ReadCeilings(n source.Node, more ...source.Key) (c Ceilings) {
	n.Mapping("limits", append([]source.Key{
		{Name: "memory", Read: func(v source.Node) { c.Memory = v.Size("memory", 1<<20, 1<<40) }},
		{Name: "instructions", Read: func(v source.Node) { c.Instructions = v.Whole("instructions") }},
		{Name: "output", Read: func(v source.Node) { c.Output = v.Size("output", 1, MaxOutput) }},
		{Name: "time", Read: func(v source.Node) { c.ScriptTime = v.Duration("time") }},
		{Name: "step_timeout", Read: func(v source.Node) { c.StepTimeout = v.Duration("step_timeout") }},
		{Name: "run_timeout", Read: func(v source.Node) { c.RunTimeout = v.Duration("run_timeout") }},
		{Name: "resume_within", Read: func(v source.Node) { c.ResumeWithin = v.Duration("resume_within") }},
		{Name: "retry_delay", Read: func(v source.Node) { c.RetryDelay = v.Duration("retry_delay") }},
		{Name: "max_attempts", Read: func(v source.Node) { c.Attempts = int64(readCount(v, "max_attempts", maxAttempts)) }},
		{Name: "max_parallel", Read: func(v source.Node) { c.Parallel = int64(readCount(v, "max_parallel", maxParallel)) }},
	}, more...)...)
	return c
}

// A demand is something that a file asks for and that has a ceiling.
type demand struct {
	what     string // the key in the file
	amount   int64
	ceiling  func(Ceilings) int64
	name     string // the key of the ceiling in the operator's configuration
	show     func(int64) string
	position source.Position
}

func showCount(n int64) string    { return strconv.FormatInt(n, 10) }
func showDuration(n int64) string { return time.Duration(n).String() }

// demands are what a file asks for, in its order.
type demands []demand

func (d *demands) bytes(v source.Node, name string, amount int64, ceiling func(Ceilings) int64) {
	*d = append(*d, demand{name, amount, ceiling, name, phrase.Bytes, v.Position()})
}

func (d *demands) count(v source.Node, what, name string, amount int64, ceiling func(Ceilings) int64) {
	*d = append(*d, demand{what, amount, ceiling, name, showCount, v.Position()})
}

func (d *demands) duration(v source.Node, what, name string, amount time.Duration, ceiling func(Ceilings) time.Duration) {
	*d = append(*d, demand{what, int64(amount), func(c Ceilings) int64 { return int64(ceiling(c)) }, name, showDuration, v.Position()})
}

// ceilings reports what the file asks for beyond the ceilings.
func (c *compiler) ceilings() {
	w, ceilings := c.workflow, c.workflow.Ceilings.or(DefaultCeilings)
	report := func(d demand) {
		if most := d.ceiling(ceilings); d.amount > most {
			c.document.Report(d.position, "ceiling", fmt.Sprintf("%s is %s, more than the %s that this machine allows", d.what, d.show(d.amount), d.show(most)),
				fmt.Sprintf("ask for less, or have the operator raise `limits: {%s: ...}` in pdflow.yaml", d.name))
		}
	}
	for _, d := range w.demands {
		report(d)
	}
	// What the file does not set is bounded too.
	w.Timeout, w.ResumeWithin = min(w.Timeout, ceilings.RunTimeout), min(w.ResumeWithin, ceilings.ResumeWithin)
	for i := range w.Steps {
		for _, d := range w.Steps[i].demands {
			report(d)
		}
		retry := &w.Steps[i].Retry
		retry.Delay, retry.MaxDelay = min(retry.Delay, ceilings.RetryDelay), min(retry.MaxDelay, ceilings.RetryDelay)
	}
}
