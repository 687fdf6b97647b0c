package run

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// An Occurrence is one scheduled time of a schedule. It determines the id of its run, so
// a journal accepts the run only once, even if several processes start it.
type Occurrence struct {
	Workflow string
	Schedule string    // the id of the schedule in its workflow
	At       time.Time // the scheduled time, which may be before the run starts
}

// RunID returns the id of the occurrence's run. Like all run ids, it sorts by time.
func (o Occurrence) RunID() string {
	at := o.At.UTC()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", o.Workflow, o.Schedule, at.UnixNano()))
	return ID(at, [10]byte(sum[:10]))
}

// String returns the occurrence as WORKFLOW at TIME.
func (o Occurrence) String() string {
	return fmt.Sprintf("%s at %s", o.Workflow, o.At.UTC().Format(time.RFC3339))
}

// Trigger returns the trigger of the occurrence's run.
func (o Occurrence) Trigger() Trigger {
	at := o.At.UTC()
	return Trigger{Kind: "schedule", ScheduledAt: &at, Schedule: o.Schedule}
}

// Actor returns the schedule as the actor of its runs.
func (o Occurrence) Actor() Actor { return Actor{Kind: ActorSchedule, Name: o.Schedule} }

// ID returns a run id, which is a ULID: 48 bits of milliseconds and 80 other bits
// (github.com/ulid/spec).
func ID(at time.Time, rest [10]byte) string {
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

// crockford is the alphabet of ULIDs, without letters that look like digits
// (github.com/ulid/spec).
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
