package engine

import (
	"context"
	"maps"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Rehearsal is a run that looked at the world and changed nothing: the writes
// that it would have made, in order. Each was answered with its action's example,
// so what came after the first write is likely, not certain.
type Rehearsal struct {
	Run    string
	Writes []Write
	Result *Result

	mu    sync.Mutex
	reads map[readKey]action.Object // made before the first write
}

// A Write is one call that was not sent.
type Write struct {
	Step     string           `json:"step"`
	Item     int              `json:"item,omitempty"` // of a for_each, from 1
	Action   string           `json:"action"`
	Key      string           `json:"key,omitempty"` // the derived key, where it is sent
	Requests []action.Request `json:"requests"`
}

// A readKey is a read of an attempt: what it asked, and how often before.
type readKey struct {
	unit    unitID
	attempt int
	digest  string
	count   int
}

// Rehearse runs a plan without making a write and without recording anything. The
// error is that of [Local.Run]; a run that fails is a Rehearsal too.
func (l *Local) Rehearse(ctx context.Context, plan *workflow.Plan, request Request) (*Rehearsal, error) {
	dry := *l
	dry.Journal = nil
	loop, start, err := dry.prepare(plan, request)
	if err != nil {
		return nil, err
	}
	defer loop.live()()
	if l.Journal != nil {
		loop.local = l // for what the last run left
		start.Previous, err = loop.previous(start)
		if loop.local = &dry; err != nil {
			return nil, &JournalError{loop.id, err}
		}
	}
	r := &Rehearsal{Run: loop.id, reads: map[readKey]action.Object{}}
	loop.executor.rehearsing = r
	r.Result, err = loop.begin(ctx, start)
	return r, err
}

// rehearse makes a call of a rehearsal, or answers one from the rehearsal before.
// done is false when it has to be made for real.
func (w *work) rehearse(ctx context.Context, i *action.Invocation, record Call) (output action.Object, err error, done bool) {
	switch now, before := w.executor.rehearsing, w.executor.rehearsed; {
	case now != nil && i.Effect().Writes():
		output, err = w.preview(ctx, i, record)
		return output, err, true
	case now != nil && i.Action.Waits:
		return i.Action.Example, nil, true
	case now != nil:
		output, err = i.Do(ctx, record.Before)
		if err == nil {
			now.remember(w.readKey(record.Digest), output)
		}
		return output, err, true
	case before != nil && !i.Effect().Writes():
		output, done = before.reads[w.readKey(record.Digest)]
		return output, nil, done
	}
	return nil, nil, false
}

func (w *work) readKey(digest string) readKey {
	return readKey{unitID{w.attempt.Step, w.attempt.Item}, w.attempt.Number, digest, w.completed[digest]}
}

// preview has a write show its requests instead of sending them. One that would
// send none, since there is nothing to do or it cannot be done, ends as it would.
func (w *work) preview(ctx context.Context, i *action.Invocation, record Call) (action.Object, error) {
	var mu sync.Mutex
	write := Write{Step: w.attempt.Step, Item: w.attempt.Item, Action: i.Action.Name}
	w.scope.Preview = func(r action.Request) {
		mu.Lock()
		defer mu.Unlock()
		if record.Key != "" && strings.Contains(r.Body, record.Key) {
			write.Key = record.Key
		}
		write.Requests = append(write.Requests, w.executor.redactedRequest(r))
	}
	defer func() { w.scope.Preview = nil }()
	output, err := i.Do(action.WithScope(ctx, *w.scope), record.Before)
	mu.Lock()
	defer mu.Unlock()
	if len(write.Requests) == 0 {
		return output, err
	}
	w.executor.rehearsing.add(write)
	output = maps.Clone(i.Action.Example)
	if output == nil {
		output = action.Object{}
	}
	maps.Copy(output, i.Known())
	return output, nil
}

func (x *Executor) redactedRequest(r action.Request) action.Request {
	r.URL, r.From, r.Body = x.Redactor.Redact(r.URL), x.Redactor.Redact(r.From), x.Redactor.Redact(r.Body)
	return r
}

func (r *Rehearsal) add(w Write) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Writes = append(r.Writes, w)
}

// remember keeps what was read as long as nothing was written: that is what whoever
// approves the writes has approved them for.
func (r *Rehearsal) remember(key readKey, output action.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.Writes) == 0 {
		r.reads[key] = output
	}
}
