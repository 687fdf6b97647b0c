package attempt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

const (
	// maxCalls is how many calls an attempt may record. They stay in memory until the
	// step ends. Two calls every ten seconds for a day are 17,280.
	maxCalls = 20_000
	// maxKept is how many bytes the writes of a task may send and receive together. A
	// retry asks for them, so they stay in memory until the step ends.
	maxKept = 64 << 20
)

// memoize gives a call the result that the history has for it. A script runs again from
// its top in two cases, and they differ. In a replay of an attempt that a crash cut off,
// every recorded call returns its recorded result. In a retry of an attempt that failed,
// reads are made anew, and a write that an earlier attempt completed is recognized by
// its action and input.
type memoize struct {
	*execution

	count  int            // calls of this attempt so far
	replay []RecordedCall // the recorded calls of this attempt, by number
	// done are the calls that earlier attempts completed, by digest, in order.
	done map[string][]*RecordedCall
	// unknown are the last calls of earlier attempts whose outcome is unknown, by
	// digest.
	unknown map[string]*RecordedCall
}

func newMemoize(e *execution, calls []RecordedCall) *memoize {
	m := &memoize{execution: e, done: map[string][]*RecordedCall{}, unknown: map[string]*RecordedCall{}}
	e.recorded.completed, e.recorded.kept = map[string]int{}, kept(calls)
	done, current := map[string]int{}, 0
	for n := range calls {
		c := &calls[n]
		if c.Attempt == e.attempt.Number {
			m.replay = append(m.replay, *c)
			continue
		}
		if c.Attempt != current {
			done, current = map[string]int{}, c.Attempt
		}
		switch {
		case c.Returned && c.Error == nil || c.Decided == run.CallDone:
			if done[c.Digest]++; done[c.Digest] > len(m.done[c.Digest]) {
				m.done[c.Digest] = append(m.done[c.Digest], c)
			}
		case c.Decided == run.CallRepeat:
			delete(m.unknown, c.Digest)
		case c.Unknown() || c.Decided == run.CallFailed:
			m.unknown[c.Digest] = c
		}
	}
	return m
}

func (m *memoize) do(ctx context.Context, c *call) (action.Object, error) {
	if err := m.identify(c); err != nil {
		return nil, err
	}
	digest := c.record.Digest
	if m.count <= len(m.replay) {
		return m.replayed(ctx, c, &m.replay[m.count-1])
	}
	if c.Memoized() {
		if done, n := m.done[digest], m.recorded.completed[digest]; n < len(done) {
			return m.recorded.again(c, done[n])
		}
		if old := m.unknown[digest]; old != nil && c.Effect().LostAnswer() != action.Resend {
			return m.doubted(ctx, c, old)
		}
	}
	if m.recorded.kept > maxKept {
		return nil, &action.Error{
			Kind:    action.Limit,
			Message: fmt.Sprintf("the writes of the step sent and received more than %s together, which a run keeps until the step ends", phrase.Bytes(maxKept)),
			Hint:    "send less at a time, or make a step of each with for_each",
		}
	}
	return m.recorded.do(ctx, c)
}

// identify numbers the call and sets what tells it from other calls: its digest, and
// the key of a Keyed call.
func (m *memoize) identify(c *call) error {
	if m.count++; m.count > maxCalls {
		return &action.Error{
			Kind: action.Limit, Message: fmt.Sprintf("the step has made %d calls, the most that one attempt may make", maxCalls),
			Hint: "look for a loop that does not end; make a step of each with for_each, or pause longer between them",
		}
	}
	var err error
	if c.hidden, err = m.executor.keys.hide(c.Credentials(), m.executor.Redactor); err != nil {
		return err
	}
	digest, err := m.digest(c.Invocation)
	if err != nil {
		return err
	}
	c.record = run.Call{Number: m.count, Action: c.Action.Name, Effect: c.Effect().String(), Input: c.Input, Digest: digest, Transient: !c.Memoized()}
	if c.Effect().NeedsKey() {
		c.record.Key = m.idempotencyKey(digest, m.recorded.completed[digest])
		c.UseKey(c.record.Key)
	}
	return nil
}

// digest returns what makes two calls of a run the same: the action and its input.
// Secrets are part of it by their names.
func (e *execution) digest(i *action.Invocation) (string, error) {
	text, err := json.Marshal(i.Input)
	if err != nil {
		return "", action.Errorf(action.InvalidInput, "the input cannot be recorded: %w", err)
	}
	content := fmt.Appendf(nil, "%s\x00%s\x00%s", e.attempt.Run.ID, i.Action.Name, text)
	sum := sha256.Sum256(appendBytes(content, i.Input))
	return hex.EncodeToString(sum[:16]), nil
}

// appendBytes appends the texts of a value that are not UTF-8: JSON has the same character
// for all bytes that are not.
func appendBytes(to []byte, v any) []byte {
	text := func(s string) {
		if !utf8.ValidString(s) {
			to = append(append(to, 0), s...)
		}
	}
	switch v := v.(type) {
	case string:
		text(v)
	case []any:
		for _, item := range v {
			to = appendBytes(to, item)
		}
	case action.Object:
		for _, name := range phrase.Names(v) {
			text(name)
			to = appendBytes(to, v[name])
		}
	}
	return to
}

// idempotencyKey derives the key of a call from the run, the task, the digest, and how
// many calls of that digest were completed before. A repeat of the call has the same
// key, whatever causes the repeat.
func (e *execution) idempotencyKey(digest string, completed int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s\x00%d", e.attempt.Run.ID, e.attempt.Step, e.attempt.Item, digest, completed))
	return hex.EncodeToString(sum[:16])
}

// replayed returns the recorded result of a call of this attempt.
func (m *memoize) replayed(ctx context.Context, c *call, old *RecordedCall) (action.Object, error) {
	switch {
	case old.Digest != c.record.Digest:
		c.record.Input = m.recorded.masked(c, c.record.Input)
		return nil, m.halt(m.mismatch(old, c.record))
	case !old.Returned:
		return m.unfinished(ctx, c, old)
	case old.Error != nil:
		if old.Error.Kind == action.UnknownOutcome {
			m.doubtful = old.Sequence
		}
		return nil, old.Error.ActionError()
	}
	m.recorded.completed[c.record.Digest]++
	return old.output(), nil
}

// unfinished continues a call of this attempt that was started and has no result. It
// may have been sent or not.
func (m *memoize) unfinished(ctx context.Context, c *call, old *RecordedCall) (action.Object, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	switch effect := c.Effect(); {
	case old.Decided == run.CallDone:
		c.earlier = decidedDone
	case old.Decided == run.CallFailed, effect.LostAnswer() == action.AskPerson && old.Decided == "":
		c.earlier = neverRepeat
	case effect.LostAnswer() == action.Reconcile && old.Decided == "":
		c.earlier = maybeDone
	case effect.Writes() && old.Decided == "" && !c.ResendLate() && m.late(old):
		return nil, m.suspend(old)
	}
	old.Returned = true // this process is about to find out
	c.record.Before, c.since, c.sequence = old.Before, old.Time, old.Sequence
	return m.recorded.do(ctx, c)
}

// doubted makes a call whose outcome in an earlier attempt is unknown.
func (m *memoize) doubted(ctx context.Context, c *call, old *RecordedCall) (action.Object, error) {
	if c.Effect().LostAnswer() == action.Reconcile && old.Decided == "" && old.Before != nil {
		c.record.Before, c.earlier = old.Before, maybeDone
		return m.recorded.do(ctx, c)
	}
	m.doubtful = old.Sequence
	return m.recorded.refuse(c, unknownOutcome(fmt.Errorf("attempt %d sent it and got no answer", old.Attempt)))
}

// late reports whether a call was started so long ago that the service may have
// forgotten its key.
func (m *memoize) late(old *RecordedCall) bool {
	return m.executor.Clock.Now().Sub(old.Time) > m.resumeWithin()
}

func (m *memoize) resumeWithin() time.Duration {
	if within := m.executor.Plan.Workflow.ResumeWithin; within > 0 {
		return within
	}
	return workflow.DefaultResumeWithin
}

// suspend ends the attempt until a person has decided about a call.
func (m *memoize) suspend(old *RecordedCall) error {
	m.suspension, m.doubtful = &run.Suspension{Reason: run.CallUnknown, Call: old.Sequence}, old.Sequence
	return m.halt(&action.Error{
		Kind: action.UnknownOutcome, Action: old.Action,
		Message: fmt.Sprintf("the call was started at %s and has no result; that is more than %s ago (resume_within), so it is not sent again automatically",
			old.Time.UTC().Format(time.RFC3339), m.resumeWithin()),
		Hint: fmt.Sprintf("check at the service whether it was done, then decide call %d: done, repeat or fail", old.Sequence),
	})
}

// mismatch says that a replay made another call than the history has.
func (m *memoize) mismatch(old *RecordedCall, record run.Call) *action.Error {
	return &action.Error{
		Kind: action.Script,
		Message: fmt.Sprintf("this attempt was interrupted, and its script now makes another call than before. Recorded: %s. Now: %s",
			callText(old.Call), callText(record)),
		Hint: "nothing was sent. A script must make the same calls in the same order whenever it runs; start the workflow again once it does",
	}
}

// callText shows a call in one line.
func callText(c run.Call) string {
	if c.Action == "" {
		return "no further call"
	}
	var parts []string
	for _, name := range phrase.Names(c.Input) {
		parts = append(parts, fmt.Sprintf("%s = %v", name, c.Input[name]))
	}
	return fmt.Sprintf("%s{%s}", c.Action, phrase.Clip(strings.Join(parts, ", "), 300))
}

// missing returns an error when the script ended before it made every recorded call.
func (m *memoize) missing() error {
	if m == nil || m.count >= len(m.replay) {
		return nil
	}
	return m.halt(m.mismatch(&m.replay[m.count], run.Call{}))
}

// unresolved returns an error when the history has a write of this attempt without a
// result: the attempt was stopped before it could find out.
func (m *memoize) unresolved() *action.Error {
	if m == nil {
		return nil
	}
	for n := range m.replay {
		c := &m.replay[n]
		if !c.Returned && c.Decided == "" && c.Effect != action.Reads.String() {
			m.doubtful = c.Sequence
			err := *action.AsError(unknownOutcome(fmt.Errorf("the process was stopped before it knew, and the run was cancelled")))
			err.Action = c.Action
			return &err
		}
	}
	return nil
}
