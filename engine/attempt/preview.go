package attempt

import (
	"context"
	"maps"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A DryRun is a run that reads and sends no write. Writes are the writes that it would
// have sent, in order. Each was answered with its action's example, so what comes after
// the first write is likely, not certain.
type DryRun struct {
	Run    string
	Writes []Write
	Result *run.Result

	mu    sync.Mutex
	reads map[readKey]action.Object // made before the first write
}

// NewDryRun returns an empty dry run of a run.
func NewDryRun(id string) *DryRun { return &DryRun{Run: id, reads: map[readKey]action.Object{}} }

// A Write is one call that was not sent.
type Write struct {
	Step     string           `json:"step"`
	Item     int              `json:"item,omitempty"` // of a for_each, from 1
	Action   string           `json:"action"`
	Key      string           `json:"key,omitempty"` // the derived key, if a request has it
	Requests []action.Request `json:"requests"`
}

// A readKey identifies a read of an attempt.
type readKey struct {
	task    run.TaskID
	attempt int
	digest  string
	count   int // reads of that digest before it
}

// preview answers the calls of a dry run: a write shows its requests, and a wait is
// over at once. In a run that was confirmed after a dry run, it answers a read from
// before the first write with what the dry run saw: that is what was confirmed.
type preview struct {
	*execution
	next stage
}

func (p *preview) do(ctx context.Context, c *call) (action.Object, error) {
	now, confirmed := p.executor.DryRun, p.executor.Confirmed
	switch {
	case now != nil && c.Effect().Writes():
		return p.show(ctx, c)
	case now != nil && c.Action.Waits:
		return c.Action.Example, nil
	case now != nil:
		output, err := p.next.do(ctx, c)
		if err == nil {
			now.keep(p.readKey(c), output)
		}
		return output, err
	case confirmed != nil && !c.Effect().Writes():
		if output, ok := confirmed.reads[p.readKey(c)]; ok {
			return output, nil
		}
	}
	return p.next.do(ctx, c)
}

func (p *preview) readKey(c *call) readKey {
	task := run.TaskID{Step: p.attempt.Step, Item: p.attempt.Item}
	return readKey{task, p.attempt.Number, c.record.Digest, p.recorded.completed[c.record.Digest]}
}

// show collects the requests of a write instead of sending them. A write that sends no
// request, since there is nothing to do or it cannot be done, ends as it would.
func (p *preview) show(ctx context.Context, c *call) (action.Object, error) {
	var mu sync.Mutex
	write := Write{Step: p.attempt.Step, Item: p.attempt.Item, Action: c.Action.Name}
	redactor := p.executor.Redactor
	c.preview = func(r action.Request) {
		mu.Lock()
		defer mu.Unlock()
		if c.record.Key != "" && strings.Contains(r.Body, c.record.Key) {
			write.Key = c.record.Key
		}
		r.URL, r.From, r.Body = redactor.Redact(r.URL), redactor.Redact(r.From), redactor.Redact(r.Body)
		write.Requests = append(write.Requests, r)
	}
	output, err := p.next.do(ctx, c)
	mu.Lock()
	defer mu.Unlock()
	if len(write.Requests) == 0 {
		return output, err
	}
	p.executor.DryRun.add(write)
	output = maps.Clone(c.Action.Example)
	if output == nil {
		output = action.Object{}
	}
	maps.Copy(output, c.Known())
	return output, nil
}

func (d *DryRun) add(w Write) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Writes = append(d.Writes, w)
}

// keep keeps the answer of a read that was made before the first write.
func (d *DryRun) keep(key readKey, output action.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.Writes) == 0 {
		d.reads[key] = output
	}
}
