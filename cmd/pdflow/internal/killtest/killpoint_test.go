package killtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A moment is a point in the work on a run at which its process can be killed.
type moment string

// The moments. The first two occur at every event, the others at every call that writes.
const (
	heard        moment = "event heard"   // the engine has applied an event
	kept         moment = "event kept"    // an event is in the journal
	beforeIntent moment = "before intent" // a call is about to be recorded
	afterIntent  moment = "after intent"  // it is recorded and not sent
	afterReply   moment = "after reply"   // its answer was read
	beforeDone   moment = "before done"   // its result is about to be recorded
	afterDone    moment = "after done"    // its result is recorded
)

var moments = []moment{heard, kept, beforeIntent, afterIntent, afterReply, beforeDone, afterDone}

// A killPoint is the nth occurrence of a moment.
type killPoint struct {
	At    moment `json:",omitempty"`
	Count int    `json:",omitempty"`
}

// A killer kills its process at a kill point. It watches the events, the journal and the network of the
// process.
type killer struct {
	killPoint
	journal.Journal
	network http.RoundTripper
	kill    func()

	passed atomic.Int32
	mu     sync.Mutex
	writes map[callPlace]bool // the calls that write
}

var (
	_ journal.Journal   = (*killer)(nil)
	_ run.Observer      = (*killer)(nil)
	_ http.RoundTripper = (*killer)(nil)
)

func (s *killer) pass(m moment) {
	if m == s.At && int(s.passed.Add(1)) == s.Count {
		s.kill()
	}
}

// Observe takes an event, which may not be in the journal yet.
func (s *killer) Observe(run.Event) { s.pass(heard) }

// Begin adds a run.
func (s *killer) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	return s.write(events, func() error { return s.Journal.Begin(ctx, entry, events) })
}

// Append adds events to a run.
func (s *killer) Append(ctx context.Context, run string, events []run.Event) error {
	return s.write(events, func() error { return s.Journal.Append(ctx, run, events) })
}

// Events returns the events of earlier processes, and learns which calls write.
func (s *killer) Events(ctx context.Context, run string) ([]run.Event, error) {
	events, err := s.Journal.Events(ctx, run)
	for _, e := range events {
		s.of(e)
	}
	return events, err
}

func (s *killer) write(events []run.Event, do func() error) error {
	for _, e := range events {
		switch s.of(e) {
		case run.EventCallStarted:
			s.pass(beforeIntent)
		case run.EventCallReturned:
			s.pass(beforeDone)
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, e := range events {
		switch s.of(e) {
		case run.EventCallStarted:
			s.pass(afterIntent)
		case run.EventCallReturned:
			s.pass(afterDone)
		}
		s.pass(kept)
	}
	return nil
}

// of returns the kind of an event of a call that writes; empty for other events.
func (s *killer) of(e run.Event) run.EventKind {
	if e.Call == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Kind == run.EventCallStarted && e.Call.Effect != action.Reads.String() {
		s.writes[placeOf(e)] = true
	}
	if !s.writes[placeOf(e)] {
		return ""
	}
	return e.Kind
}

// RoundTrip sends a request and reads the whole answer.
func (s *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.network.RoundTrip(r)
	if err != nil || r.Method == http.MethodGet {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		return nil, err
	}
	s.pass(afterReply)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// A defect breaks a protection, to prove that the kill test would notice.
type defect string

// The defects.
const (
	keysOff    defect = "keys off"    // every event is sent with a new key
	resultsOff defect = "results off" // results are not recorded, and the journal reports success
	commitsOff defect = "commits off" // only the start is recorded, and the journal reports success
)

// apply puts the defect between a process and its journal and network.
func (s defect) apply(journal journal.Journal, network http.RoundTripper) (journal.Journal, http.RoundTripper) {
	switch s {
	case keysOff:
		network = rekeying{network}
	case resultsOff:
		journal = &forgetfulJournal{Journal: journal}
	case commitsOff:
		journal = lyingJournal{journal}
	}
	return journal, network
}

// A rekeying is a network that gives every event a random key.
type rekeying struct{ http.RoundTripper }

// RoundTrip sends the request, with another key if it has a key.
func (n rekeying) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/create_event.json") {
		return n.RoundTripper.RoundTrip(r)
	}
	var event map[string]any
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		return nil, err
	}
	event["incident_key"] = rand.Text()
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	changed := r.Clone(r.Context())
	changed.Body, changed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return n.RoundTripper.RoundTrip(changed)
}

// A forgetfulJournal drops the results of calls. From the end of the first attempt it drops all events,
// because later events are not valid without the results. It reports success.
type forgetfulJournal struct {
	journal.Journal
	last int // the sequence number of the last event that was kept
	deaf bool
}

// Begin adds a run with the events that are kept.
func (j *forgetfulJournal) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	return j.Journal.Begin(ctx, entry, j.keep(events))
}

// Append adds the events that are kept.
func (j *forgetfulJournal) Append(ctx context.Context, run string, events []run.Event) error {
	if events = j.keep(events); len(events) == 0 {
		return nil
	}
	return j.Journal.Append(ctx, run, events)
}

func (j *forgetfulJournal) keep(events []run.Event) []run.Event {
	var left []run.Event
	for _, e := range events {
		if j.deaf = j.deaf || e.Kind == run.EventAttemptFinished; j.deaf {
			break
		}
		if e.Kind != run.EventCallReturned {
			j.last++
			e.Sequence = j.last
			left = append(left, e)
		}
	}
	return left
}

// A lyingJournal drops all events after the first and reports success.
type lyingJournal struct{ journal.Journal }

// Append does nothing and reports success.
func (lyingJournal) Append(context.Context, string, []run.Event) error { return nil }
