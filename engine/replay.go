package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A past is what the record has of the calls of a step or an item. Two things
// make a script run again from its top, and they differ. In a replay, of an
// attempt that a crash cut off, every recorded call gives its recorded result
// back. In a retry, of an attempt that failed, reads are made anew, and a write
// that an earlier attempt completed is recognised by its action and input.
type past struct {
	replay []RecordedCall // of this attempt, by number
	// successes are those of earlier attempts, by digest: the first that was
	// completed, the second, and so on.
	successes map[string][]*RecordedCall
	// doubts are the last of earlier attempts, by digest, whose outcome is unknown.
	doubts map[string]*RecordedCall
}

func newPast(calls []RecordedCall, attempt int) past {
	p := past{successes: map[string][]*RecordedCall{}, doubts: map[string]*RecordedCall{}}
	done, current := map[string]int{}, 0
	for n := range calls {
		c := &calls[n]
		if c.Attempt == attempt {
			p.replay = append(p.replay, *c)
			continue
		}
		if c.Attempt != current {
			done, current = map[string]int{}, c.Attempt
		}
		switch {
		case c.Returned && c.Error == nil || c.Decided == CallDone:
			if done[c.Digest]++; done[c.Digest] > len(p.successes[c.Digest]) {
				p.successes[c.Digest] = append(p.successes[c.Digest], c)
			}
		case c.Decided == CallRepeat:
			delete(p.doubts, c.Digest)
		case c.unknown() || c.Decided == CallFail:
			p.doubts[c.Digest] = c
		}
	}
	return p
}

// made returns the call of this number that a process which was stopped recorded
// of this attempt, if it did.
func (p *past) made(number int) *RecordedCall {
	if number <= len(p.replay) {
		return &p.replay[number-1]
	}
	return nil
}

// succeeded returns the call of a digest that an earlier attempt completed after
// n others of the same digest.
func (p *past) succeeded(digest string, n int) *RecordedCall {
	if done := p.successes[digest]; n < len(done) {
		return done[n]
	}
	return nil
}

// replay gives back what the record has of a call of this attempt.
func (w *work) replay(ctx context.Context, i *action.Invocation, record Call, old *RecordedCall) (action.Object, error) {
	switch {
	case old.Digest != record.Digest:
		return nil, w.halt(w.mismatch(old, record))
	case !old.Returned:
		return w.unfinished(ctx, i, record, old)
	case old.Error != nil:
		if old.Error.Kind == action.UnknownOutcome {
			w.doubtful = old.Sequence
		}
		return nil, old.Error.asError()
	}
	w.completed[record.Digest]++
	return old.output(), nil
}

// again gives a retry the result of an earlier attempt, and records that.
func (w *work) again(record Call, old *RecordedCall) (action.Object, error) {
	w.completed[record.Digest]++
	record.Again, record.Input, record.Output = true, nil, old.output()
	w.recorder.End(record, false)
	return record.Output, nil
}

// unfinished goes on with a call of this attempt that was begun and has no
// result. It may have been sent or not.
func (w *work) unfinished(ctx context.Context, i *action.Invocation, record Call, old *RecordedCall) (action.Object, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	do := w.do
	switch effect := i.Effect(); {
	case old.Decided == CallDone:
		do = doneBefore
	case old.Decided == CallFail, effect == action.Once && old.Decided == "":
		do = stoppedBefore
	case effect == action.Reconciled && old.Decided == "":
		do = w.lookFirst
	case effect.Writes() && old.Decided == "" && !i.ResendLate() && w.late(old):
		return nil, w.suspend(old)
	}
	old.Returned = true // from here on this process knows what became of it
	record.Before, w.scope.Since = old.Before, old.Time
	return w.finish(ctx, i, record, old.Sequence, do)
}

// doubted makes a call again of which an earlier attempt does not know what
// became.
func (w *work) doubted(ctx context.Context, i *action.Invocation, record Call, old *RecordedCall) (action.Object, error) {
	record.Before = old.Before
	if i.Effect() == action.Reconciled && old.Decided == "" && old.Before != nil {
		return w.begin(ctx, i, record, w.lookFirst)
	}
	w.doubtful = old.Sequence
	err := unknownOutcome(fmt.Errorf("attempt %d made it and never heard of it", old.Attempt))
	record.Error = &Failure{}
	record.Error.describe(action.AsError(err))
	w.recorder.End(record, false)
	return nil, err
}

// doneBefore is a call that a person says was done: its output is what the input
// tells of it.
func doneBefore(_ context.Context, i *action.Invocation, _ Call) (action.Object, error) {
	return i.Known(), nil
}

// stoppedBefore is a call that must not be sent again.
func stoppedBefore(context.Context, *action.Invocation, Call) (action.Object, error) {
	return nil, unknownOutcome(fmt.Errorf("pdflow was stopped before it knew"))
}

// lookFirst finds out whether a Reconciled call was done, and does it if not.
func (w *work) lookFirst(ctx context.Context, i *action.Invocation, record Call) (action.Object, error) {
	return w.reconcile(ctx, i, record, &action.Error{Kind: action.Unavailable, Message: "pdflow was stopped before it knew", Ambiguous: true})
}

// late reports whether a call was begun so long ago that the service may have
// forgotten its key.
func (w *work) late(old *RecordedCall) bool {
	return w.executor.Clock.Now().Sub(old.Time) > w.resumeWithin()
}

func (w *work) resumeWithin() time.Duration {
	if within := w.executor.Plan.Workflow.ResumeWithin; within > 0 {
		return within
	}
	return workflow.DefaultResumeWithin
}

// halt ends the attempt with an error that its script cannot catch.
func (w *work) halt(err *action.Error) error {
	w.halted = err
	w.stop(err)
	return err
}

// suspend ends the attempt until a person has decided a call.
func (w *work) suspend(old *RecordedCall) error {
	w.suspended, w.doubtful = true, old.Sequence
	return w.halt(&action.Error{
		Kind: action.UnknownOutcome, Action: old.Action,
		Message: fmt.Sprintf("the call was begun at %s and has no result; that is more than %s ago (resume_within), so it is not sent again by itself",
			old.Time.UTC().Format(time.RFC3339), w.resumeWithin()),
		Hint: fmt.Sprintf("look whether it was done, then: pdflow runs resume %s --call %d=done, =repeat or =fail", w.attempt.Run.ID, old.Sequence),
	})
}

// mismatch says that a replay asked for another call than the one recorded.
func (w *work) mismatch(old *RecordedCall, record Call) *action.Error {
	return &action.Error{
		Kind: action.Script,
		Message: fmt.Sprintf("this attempt was interrupted, and asks for another call now than then. Recorded: %s. Now: %s",
			w.callText(old.Call), w.callText(record)),
		Hint: "nothing was sent. A script must ask for the same calls in the same order whenever it is run; start the workflow again once it does",
	}
}

// unasked refuses an end of the script that leaves out recorded calls.
func (w *work) unasked() error {
	if w.calls >= len(w.past.replay) {
		return nil
	}
	return w.halt(w.mismatch(&w.past.replay[w.calls], Call{}))
}

// unresolved is the error of a write that was begun before a crash, when the
// attempt is stopped before it could find out what became of it.
func (w *work) unresolved() *action.Error {
	for n := range w.past.replay {
		c := &w.past.replay[n]
		if !c.Returned && c.Decided == "" && c.Effect != action.Reads.String() {
			w.doubtful = c.Sequence
			err := *action.AsError(unknownOutcome(fmt.Errorf("pdflow was stopped before it knew, and the run was cancelled")))
			err.Action = c.Action
			return &err
		}
	}
	return nil
}

// callText shows a call in one line.
func (w *work) callText(c Call) string {
	if c.Action == "" {
		return "no further call"
	}
	var parts []string
	for _, name := range action.SortedNames(c.Input) {
		parts = append(parts, fmt.Sprintf("%s = %v", name, w.executor.Redactor.RedactValue(c.Input[name])))
	}
	text := w.executor.Redactor.Redact(strings.Join(parts, ", "))
	return fmt.Sprintf("%s{%s}", c.Action, action.Clip(text, 300))
}
