package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A record is the row of an event. Its body holds what no other column holds.
type record struct {
	sequence int
	time     int64
	kind     run.EventKind
	step     string
	item     int
	attempt  int
	number   int    // of the call within its attempt, in `calls`
	origin   []byte // the body of the origin; nil unless the event has a run.Start
	body     []byte
}

// call reports whether the record belongs in the table `calls`.
func (r *record) call() bool {
	return r.kind == run.EventCallStarted || r.kind == run.EventCallReturned || r.kind == run.EventCallDecided
}

// encode returns the record of an event.
func encode(e run.Event) (record, error) {
	at, err := nanoseconds(e.Time)
	if err != nil {
		return record{}, fmt.Errorf("event %d (%s) cannot be recorded: %w", e.Sequence, e.Kind, err)
	}
	r := record{sequence: e.Sequence, time: at, kind: e.Kind, step: e.Step, item: e.Item, attempt: e.Attempt}
	rest := e // what no other column holds
	rest.Sequence, rest.Time, rest.Kind, rest.Run, rest.Step, rest.Item, rest.Attempt = 0, time.Time{}, "", "", "", 0, 0
	if e.Started != nil {
		own, common := split(*e.Started)
		rest.Started = &own
		if r.origin, err = encodeBody(e, run.Event{Started: &common}); err != nil {
			return record{}, err
		}
	}
	if r.call() && e.Call != nil {
		call := *e.Call
		r.number, call.Number = call.Number, 0
		rest.Call = &call
	}
	r.body, err = encodeBody(e, rest)
	return r, err
}

// split divides what a run starts from into the part of this run alone and the part that
// many runs share.
func split(start run.Start) (own, common run.Start) {
	own = start
	own.Workflow, own.Source, own.Target = "", "", run.Target{Keys: start.Target.Keys}
	common = run.Start{Workflow: start.Workflow, Source: start.Source, Target: start.Target}
	common.Target.Keys = nil
	return own, common
}

// join reverses split: it adds the shared part to own.
func join(own, common *run.Start) {
	keys := own.Target.Keys
	own.Workflow, own.Source, own.Target = common.Workflow, common.Source, common.Target
	own.Target.Keys = keys
}

// encodeBody encodes a part of e. Its error names e.
func encodeBody(e, part run.Event) ([]byte, error) {
	text, err := journal.Encode(part)
	if err != nil {
		return nil, fmt.Errorf("event %d (%s) cannot be recorded: %w", e.Sequence, e.Kind, errors.Unwrap(err))
	}
	if string(text) == "{}" {
		text = nil
	}
	return text, nil
}

// decode returns the event of a record. The id is the id of the run.
func (r *record) decode(id string) (run.Event, error) {
	e, err := decodeBody(r.body)
	if err != nil {
		return run.Event{}, err
	}
	e.Run, e.Sequence, e.Time, e.Kind = id, r.sequence, instant(r.time), r.kind
	e.Step, e.Item, e.Attempt = r.step, r.item, r.attempt
	if e.Call != nil && r.call() {
		e.Call.Number = r.number
	}
	if e.Started == nil {
		return e, nil
	}
	common, err := decodeBody(r.origin)
	if err != nil {
		return run.Event{}, err
	}
	if common.Started == nil {
		return run.Event{}, errors.New("its origin is missing")
	}
	join(e.Started, common.Started)
	return e, nil
}

func decodeBody(text []byte) (run.Event, error) {
	if len(text) == 0 {
		return run.Event{}, nil
	}
	return journal.Decode(text)
}

// check returns the checksum of the record. The id is the id of the run.
func (r *record) check(id string) int64 {
	var c checksum
	c.texts(id, string(r.kind), r.step)
	c.integers(int64(r.sequence), r.time, int64(r.item), int64(r.attempt), int64(r.number))
	c.texts(string(r.origin), string(r.body))
	return c.sum()
}

// A checksum computes the CRC-32C of values. Each text is preceded by its length.
type checksum struct{ text []byte }

func (c *checksum) texts(texts ...string) {
	for _, text := range texts {
		c.text = binary.AppendUvarint(c.text, uint64(len(text)))
		c.text = append(c.text, text...)
	}
}

func (c *checksum) integers(integers ...int64) {
	for _, n := range integers {
		c.text = binary.AppendVarint(c.text, n)
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum returns the CRC as it is stored. SQLite stores a signed 32-bit number in fewer bytes.
func (c *checksum) sum() int64 { return int64(int32(crc32.Checksum(c.text, castagnoli))) }

// nanoseconds returns a time as it is stored. The zero time is the smallest number.
func nanoseconds(t time.Time) (int64, error) {
	if t.IsZero() {
		return math.MinInt64, nil
	}
	n := t.UnixNano()
	if !time.Unix(0, n).Equal(t) || n == math.MinInt64 {
		return 0, fmt.Errorf("the year %d is out of range", t.Year())
	}
	return n, nil
}

// instant reverses nanoseconds.
func instant(n int64) time.Time {
	if n == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
