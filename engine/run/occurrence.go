package run

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
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
func (o Occurrence) RunID() string {
	at := o.At.UTC()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", o.Workflow, o.Schedule, at.UnixNano()))
	return ID(at, [10]byte(sum[:10]))
}

// String names the occurrence for people.
func (o Occurrence) String() string {
	return fmt.Sprintf("%s at %s", o.Workflow, o.At.UTC().Format(time.RFC3339))
}

// trigger is why the occurrence's run begins.
func (o Occurrence) Trigger() Trigger {
	at := o.At.UTC()
	return Trigger{Kind: "schedule", ScheduledAt: &at, Schedule: o.Schedule}
}

// runID writes an id: 48 bits of milliseconds and 80 others (github.com/ulid/spec).
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

// crockford is the alphabet of ULIDs: digits and letters that are not mistaken
// for each other (github.com/ulid/spec).
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Actor returns the schedule as the actor of its runs.
func (o Occurrence) Actor() Actor { return Actor{Kind: ActorSchedule, Name: o.Schedule} }
