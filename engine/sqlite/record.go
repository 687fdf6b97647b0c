package sqlite

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// kinds are the kinds of events by their numbers in the file. A new one comes at
// the end.
var kinds = []engine.EventKind{
	engine.RunQueued, engine.RunSkipped, engine.RunStarted, engine.RunResumed, engine.RunRetried, engine.RunSuspended,
	engine.RunCancelled, engine.RunTimedOut, engine.RunFinished, engine.StepExpanded, engine.AttemptStarted,
	engine.AttemptFinished, engine.AttemptSuspended, engine.CallStarted, engine.CallReturned, engine.CallDecided, engine.Logged,
}

// A record is an event as a row has it.
type record struct {
	sequence int
	kind     int
	time     int64
	data     []byte
	crc      uint32
}

// body is what the columns do not say of an event.
type body struct {
	Step    string            `json:"s,omitempty"`
	Item    int               `json:"i,omitempty"`
	Attempt int               `json:"a,omitempty"`
	Started *engine.RunStart  `json:"started,omitempty"`
	Items   *[]any            `json:"items,omitempty"`
	Outcome *engine.Outcome   `json:"o,omitempty"`
	Call    *engine.Call      `json:"c,omitempty"`
	Log     *action.LogRecord `json:"log,omitempty"`
	Status  engine.Status     `json:"status,omitempty"`
	Outputs action.Object     `json:"outputs,omitempty"`
	Error   *engine.Failure   `json:"error,omitempty"`
	Reason  string            `json:"reason,omitempty"`
}

// encode writes an event as a row.
func encode(e engine.Event) (record, error) {
	kind := slices.Index(kinds, e.Kind)
	if kind < 0 {
		return record{}, fmt.Errorf("there is no event %q", e.Kind)
	}
	b := body{
		Step: e.Step, Item: e.Item, Attempt: e.Attempt, Started: e.Started, Outcome: e.Outcome, Call: e.Call,
		Log: e.Log, Status: e.Status, Outputs: e.Outputs, Error: e.Error, Reason: e.Reason,
	}
	if e.Items != nil {
		b.Items = &e.Items
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(b); err != nil {
		return record{}, fmt.Errorf("the event %d cannot be written: %w", e.Sequence, err)
	}
	r := record{sequence: e.Sequence, kind: kind, time: e.Time.UnixNano(), data: bytes.TrimSuffix(text.Bytes(), []byte("\n"))}
	r.crc = r.sum()
	return r, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the CRC-32C over everything that the row says.
func (r *record) sum() uint32 {
	var head [24]byte
	binary.LittleEndian.PutUint64(head[0:], uint64(r.sequence))
	binary.LittleEndian.PutUint64(head[8:], uint64(r.kind))
	binary.LittleEndian.PutUint64(head[16:], uint64(r.time))
	return crc32.Update(crc32.Checksum(head[:], castagnoli), castagnoli, r.data)
}

// decode reads a row of a run. What does not fit its checksum is an error.
func (r *record) decode(run string) (engine.Event, error) {
	var b body
	switch {
	case r.sum() != r.crc:
		return engine.Event{}, fmt.Errorf("the event %d of the run %s is damaged: its checksum does not fit", r.sequence, run)
	case r.kind < 0 || r.kind >= len(kinds):
		return engine.Event{}, fmt.Errorf("the event %d of the run %s is of a kind that this pdflow does not know", r.sequence, run)
	}
	if err := json.Unmarshal(r.data, &b); err != nil {
		return engine.Event{}, fmt.Errorf("the event %d of the run %s cannot be read: %w", r.sequence, run, err)
	}
	e := engine.Event{
		Sequence: r.sequence, Time: time.Unix(0, r.time).UTC(), Kind: kinds[r.kind], Run: run, Step: b.Step, Item: b.Item,
		Attempt: b.Attempt, Started: b.Started, Outcome: b.Outcome, Call: b.Call, Log: b.Log, Status: b.Status,
		Outputs: b.Outputs, Error: b.Error, Reason: b.Reason,
	}
	if b.Items != nil {
		e.Items = *b.Items
	}
	if e.Started != nil {
		restoreSecrets(e.Started.Inputs)
	}
	return e, nil
}

// restoreSecrets turns the references of secret inputs, which JSON has as
// {"$secret": "inputs.NAME"}, back into secrets.
func restoreSecrets(inputs action.Object) {
	for name, v := range inputs {
		if o, ok := v.(action.Object); ok && len(o) == 1 && o["$secret"] == "inputs."+name {
			inputs[name] = action.Secret{Name: "inputs." + name}
		}
	}
}
