package attempt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A work is one attempt while it is being made. It belongs to one goroutine.
type work struct {
	executor   *Executor
	attempt    run.Attempt
	recorder   Recorder
	evaluation Evaluation
	scope      *action.Scope
	random     *rand.Rand
	stop       context.CancelCauseFunc
	calls      int            // made so far
	completed  map[string]int // by digest: the calls that succeeded
	past       past
	kept       int              // bytes of the answers that stay in memory
	hidden     *action.Redactor // the keys that the call under way holds as text

	unknown   *action.Error // of the call that was under way when the attempt was stopped
	doubtful  int           // the number of the event with which the last call of unknown outcome began
	halted    *action.Error // why the attempt cannot go on, whatever its script would catch
	suspended bool          // it waits for a person
	defaults  action.Object // inputs that calls of the script get where they have none
}

func newWork(x *Executor, a run.Attempt, recorder Recorder) *work {
	calls := recorder.Recorded()
	w := &work{executor: x, attempt: a, recorder: recorder, past: newPast(calls, a.Number), completed: map[string]int{}, kept: kept(calls)}
	w.scope = &action.Scope{
		Run: a.Run.ID, Step: a.Step, Connection: x.connection(a), Clock: x.Clock, Random: w.draw, Redactor: x.Redactor,
		Permit: w.permit, Reveal: x.Secrets.Reveal, Log: recorder.Log,
	}
	return w
}

func (w *work) environment() Environment {
	env := Environment{Modules: w.executor.Plan.Modules, Clock: w.executor.Clock, Random: w.draw, Call: w.call, Data: w.data}
	if w.attempt.Index >= 0 {
		env.Limits = w.executor.Plan.Steps[w.attempt.Index].Limits
	}
	return env
}

// data returns the value of a name that programs read.
func (w *work) data(name string) (any, bool) {
	switch name {
	case "inputs":
		return w.attempt.Inputs, true
	case "steps":
		steps := make(action.Object, len(w.attempt.Steps))
		for id, result := range w.attempt.Steps {
			steps[id] = result.Object()
		}
		return steps, true
	case "run":
		return w.attempt.Run.Object(), true
	case "secrets":
		return w.executor.Secrets.references(), true
	case "item":
		return w.attempt.Value, true
	case "index":
		return float64(w.attempt.Item), true
	case "failure":
		return w.attempt.Failure.Object(), true
	case "previous":
		return w.attempt.Previous.Object(), true
	}
	return nil, false
}

// draw returns the next number of the stream that derives from the run, the step
// and the item, never from the attempt's number: a retry draws the same.
func (w *work) draw() uint64 {
	if w.random == nil {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", w.attempt.Run.ID, w.attempt.Step, w.attempt.Item))
		w.random = rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
	}
	return w.random.Uint64()
}

// connection is the account that an attempt's calls of PagerDuty go to.
func (x *Executor) connection(a run.Attempt) string {
	if a.Index < 0 {
		return x.Plan.Workflow.Connection.Text
	}
	return x.Plan.Steps[a.Index].Connection.Text
}

// permit refuses a target that the workflow does not list, or the operator does
// not allow.
func (w *work) permit(t action.Target) error {
	permissions := w.executor.Plan.Workflow.Permissions
	if !permissions.AllowsTarget(t, w.attempt.Inputs) {
		return &action.Error{
			Kind: action.Permission, Message: fmt.Sprintf("the workflow may not reach %s", t), Hint: "add it: " + permissions.Line(t),
		}
	}
	return w.executor.Policy.permit(t)
}

// digest is what makes two calls of a run the same: the action and its input.
// Secrets enter it by their names.
func (w *work) digest(i *action.Invocation) (string, error) {
	text, err := json.Marshal(i.Input)
	if err != nil {
		return "", action.Errorf(action.InvalidInput, "the input cannot be recorded: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", w.attempt.Run.ID, i.Action.Name, text))
	return hex.EncodeToString(sum[:16]), nil
}

// idempotencyKey derives the key of a call from the run, the step, the item, the
// call's digest and how many of the same were completed before. So a repeat of
// the call, however it comes about, has the same key.
func (w *work) idempotencyKey(digest string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s\x00%d", w.attempt.Run.ID, w.attempt.Step, w.attempt.Item, digest, w.completed[digest]))
	return hex.EncodeToString(sum[:16])
}
