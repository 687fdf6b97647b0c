package workflow

import (
	"cmp"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// The rule `trigger-needs-key` warns where the author should set the key of a call
// whose action is Keyed. The engine derives a key from the run, the step and the
// input when the author sets none. A repeat of the same call then joins what the
// first one opened (an incident, say), but
//
//   - every run of a schedule has another key, and so opens another incident;
//   - a script that is retried, and builds its input from what it reads, may build
//     another input in its second attempt, and so opens a second incident.
//
// There is no warning where the check cannot know: where the script builds its
// input elsewhere, or where the inputs of a step are fixed before its first attempt.

// An unkeyedCall is a call of a script without a key, whose input the check does not
// know in full.
type unkeyedCall struct {
	action    *action.Action
	reference Reference
	file      string
	at        source.Position
}

// exampleKey is a key as a hint shows it.
const exampleKey = "disk-db1"

// unkeyed reports whether an input leaves the key of a call to the engine.
func unkeyed(a *action.Action, input action.Object, open bool) bool {
	return a.Key != "" && a.Effect == action.Keyed && !open && input[a.Key] == nil
}

// scheduledCall is the finding of a call without a key in a scheduled workflow.
func scheduledCall(a *action.Action, line int, hint string) Finding {
	return Finding{
		Rule: "trigger-needs-key", Severity: source.SeverityWarning, Line: line, Hint: hint,
		Message: fmt.Sprintf("without %s every run of the schedule opens another %s", a.Key, joins(a)),
	}
}

// usesKey checks the call of a `uses:` step.
func (s *scope) usesKey(a *action.Action, input action.Object) {
	if len(s.workflow.Schedules) > 0 && unkeyed(a, input, false) {
		f := scheduledCall(a, s.step.Uses.Position.Line, fmt.Sprintf("add what it is about to `with`, such as %s: %s", a.Key, exampleKey))
		f.Column = s.step.Uses.Position.Column
		s.finding(f, s.workflow.File, s.step.Uses.Position)
	}
}

// callKey checks a call of a script with a literal table, and notes whether a second
// attempt may read something else.
func (s *scope) callKey(a *action.Action, r Reference, file string, at source.Position) {
	s.varies = s.varies || r.Called && seenAnew(a, r.Input)
	switch {
	case r.Input == nil || !unkeyed(a, r.Input, r.Open):
	case len(s.workflow.Schedules) > 0:
		f := scheduledCall(a, r.Line, keyHint(a))
		f.Token = r.Path[1]
		s.finding(f, file, at)
	case s.step.Retry.MaxAttempts > 1 && dynamic(r.Input):
		s.unkeyed = append(s.unkeyed, unkeyedCall{a, r, file, at})
	}
}

// keyHint is the hint for a call of a script.
func keyHint(a *action.Action) string {
	return fmt.Sprintf("add what it is about, such as %s = %q", a.Key, exampleKey)
}

// joins names what a call with a known key joins.
func joins(a *action.Action) string { return cmp.Or(a.Joins, "one") }

// warnOfKeys reports the calls of a step's script without a key, once everything
// that the script calls is known.
func (s *scope) warnOfKeys() {
	for _, call := range s.unkeyed {
		if s.varies {
			s.finding(Finding{
				Rule: "trigger-needs-key", Severity: source.SeverityWarning, Line: call.reference.Line, Token: call.reference.Path[1],
				Message: fmt.Sprintf("without %s a retry that reads something else and builds another page opens another %s", call.action.Key, joins(call.action)),
				Hint:    keyHint(call.action),
			}, call.file, call.at)
		}
	}
}

// seenAnew reports whether a call reads again in each attempt. A retry gets the
// recorded result of writes that were done, and of calls such as `time.now`.
func seenAnew(a *action.Action, input action.Object) bool {
	if a.Effect != action.Reads || a.Waits {
		return false
	}
	call, err := a.Prepare(input)
	return err != nil || !call.Memoized()
}

// dynamic reports whether a part of a literal input is known in the run only.
func dynamic(v any) bool {
	if o, ok := v.(action.Object); ok {
		for _, name := range phrase.Names(o) {
			if dynamic(o[name]) {
				return true
			}
		}
		return false
	}
	return v == action.Dynamic
}
