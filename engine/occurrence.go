package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
)

// An Occurrence is one due instant of a schedule. It is a run: its id follows from
// it, so that a journal takes it once, whoever begins it and however often.
type Occurrence struct {
	Workflow string
	Schedule string    // the id of the schedule in its workflow
	At       time.Time // the nominal instant
}

// Run returns the id of the occurrence's run. It sorts by the instant, as all ids
// of runs do.
func (o Occurrence) Run() string {
	at := o.At.UTC()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", o.Workflow, o.Schedule, at.UnixNano()))
	return runID(at, [10]byte(sum[:10]))
}

// String names the occurrence for people.
func (o Occurrence) String() string {
	return fmt.Sprintf("%s at %s", o.Workflow, o.At.UTC().Format(time.RFC3339))
}

// trigger is why the occurrence's run begins.
func (o Occurrence) trigger() Trigger {
	at := o.At.UTC()
	return Trigger{Kind: "schedule", ScheduledAt: &at, Schedule: o.Schedule}
}

// A ScheduleState is what is known of a schedule beside its runs.
type ScheduleState struct {
	Workflow string
	Schedule string
	// Watermark is the last instant up to which every occurrence is a run, or a run
	// that was skipped.
	Watermark time.Time
	Pause     *Pause // nil: it is not paused
}

// A Pause keeps a schedule from beginning runs.
type Pause struct {
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"` // zero: until somebody resumes it
}

// Active reports whether the pause holds at a time.
func (p *Pause) Active(at time.Time) bool {
	return p != nil && !at.Before(p.At) && (p.Until.IsZero() || at.Before(p.Until))
}

// Skip records that an occurrence does not run, and why. One that is there already
// stays as it is.
func (l *Local) Skip(ctx context.Context, plan *workflow.Plan, o Occurrence, target Target, reason string) error {
	if l.Journal == nil {
		return &InputError{errors.New("there is no journal to keep it")}
	}
	loop := l.loop(plan)
	loop.id = o.Run()
	start := &RunStart{Workflow: plan.Workflow.Name, Source: plan.Sources[0].Hash(), Trigger: o.trigger(), Target: target}
	loop.entry = &Entry{Run: loop.id, Workflow: start.Workflow, Realm: target.Realm(), Trigger: start.Trigger.Kind, Sources: plan.Sources}
	_, err := loop.skip(start, reason)
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// runID writes an id: 48 bits of milliseconds and 80 others (github.com/ulid/spec).
func runID(at time.Time, rest [10]byte) string {
	high := uint64(at.UnixMilli())<<16 | uint64(binary.BigEndian.Uint16(rest[:2]))
	low := binary.BigEndian.Uint64(rest[2:])
	var id [26]byte
	for i := 25; i >= 0; i-- {
		id[i] = crockford[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(id[:])
}
