package attempt

import (
	"context"
	"encoding/json"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// record makes the start and the result of a call events of the run. A write is sent
// only after its start is durable. What is recorded is masked, and the script gets what
// is recorded: a replay must not see more than the attempt did.
type record struct {
	*execution
	next stage

	completed map[string]int // the calls of this attempt that succeeded, by digest
	kept      int            // bytes of calls that stay in memory; see maxKept
}

func (r *record) do(ctx context.Context, c *call) (action.Object, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // nothing more is sent
	}
	if c.sequence == 0 {
		if err := r.start(ctx, c); err != nil {
			return nil, err
		}
	}
	output, err := r.next.do(ctx, c)
	result := run.Call{Number: c.record.Number, Action: c.record.Action}
	if err != nil {
		typed := redactedError(err, c.hidden, r.executor.Redactor)
		if typed.Kind == action.UnknownOutcome {
			r.doubtful = c.sequence
		}
		result.Error, result.Stopped = &run.Failure{}, ctx.Err() != nil
		result.Error.Describe(typed)
		err = typed
	} else {
		output = r.masked(c, output)
		result.Output = output
		r.completed[c.record.Digest]++
		if c.Effect().Writes() {
			r.kept += ValueSize(output)
		}
	}
	r.recorder.End(result, c.Effect().LostAnswer() != action.Resend)
	return output, err
}

// start records that a call starts.
func (r *record) start(ctx context.Context, c *call) error {
	if c.record.Before == nil {
		before, err := guard(func() (json.RawMessage, error) { return c.Before(r.scoped(ctx, c)) })
		if err != nil {
			return redactedError(err, c.hidden, r.executor.Redactor)
		}
		c.record.Before = before
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	recorded := c.record
	recorded.Input = r.masked(c, recorded.Input)
	if recorded.Before != nil {
		recorded.Before = json.RawMessage(r.executor.Redactor.Redact(string(recorded.Before)))
	}
	if c.Effect().Writes() {
		r.kept += ValueSize(recorded.Input)
	}
	var err error
	c.sequence, err = r.recorder.Begin(ctx, recorded, c.Effect().Writes() || c.Action.Waits)
	c.since = r.executor.Clock.Now()
	return err
}

// masked returns the object with every known secret masked.
func (r *record) masked(c *call, o action.Object) action.Object {
	o, _ = r.executor.Redactor.RedactValue(c.hidden.RedactValue(o)).(action.Object)
	return o
}

// again records that a call gets the result of an earlier attempt, and returns it.
func (r *record) again(c *call, old *RecordedCall) (action.Object, error) {
	r.completed[c.record.Digest]++
	c.record.Again, c.record.Input, c.record.Output = true, nil, old.output()
	r.recorder.End(c.record, false)
	return c.record.Output, nil
}

// refuse records that a call fails without being sent, and returns the error.
func (r *record) refuse(c *call, err error) (action.Object, error) {
	c.record.Input = r.masked(c, c.record.Input)
	c.record.Error = &run.Failure{}
	c.record.Error.Describe(action.AsError(err))
	r.recorder.End(c.record, false)
	return nil, err
}
