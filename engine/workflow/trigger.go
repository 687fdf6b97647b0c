package workflow

import "github.com/pdflow/pdflow/engine/action"

// The rule `trigger-needs-key` warns of a page whose key the engine derives where
// that cannot do what the author means. The key is made of the run, the step and
// the input, so a repeat of the same page always joins its incident; but
//
//   - every run of a schedule has another key, and so opens another incident;
//   - a script that is retried, and builds its page from what it reads, may build
//     another one in its second attempt, and so opens a second incident.
//
// What cannot be known is not warned of: an input that the script builds
// elsewhere, or a step whose inputs are fixed before its first attempt.

// A page is a call of a script that sends a page without a key, built from what
// only the run knows.
type page struct {
	reference Reference
	file      string
	at        Position
}

// unkeyed reports whether an input leaves the key of a page to the engine.
func unkeyed(a *action.Action, input action.Object, open bool) bool {
	_, takes := a.In.Field("incident_key")
	return takes && a.Effect == action.Keyed && !open && input["incident_key"] == nil
}

// scheduledPage is the finding of a page without a key in a scheduled workflow.
func scheduledPage(line int, hint string) Finding {
	return Finding{
		Rule: "trigger-needs-key", Severity: SeverityWarning, Line: line, Hint: hint,
		Message: "without incident_key every run of the schedule opens another incident",
	}
}

// usesKey checks the page that a `uses:` step sends.
func (s *scope) usesKey(a *action.Action, input action.Object) {
	if len(s.workflow.Schedules) > 0 && unkeyed(a, input, false) {
		f := scheduledPage(s.step.Uses.Position.Line, "add what it is about to `with`, such as incident_key: disk-db1")
		f.Column = s.step.Uses.Position.Column
		s.finding(f, s.workflow.File, s.step.Uses.Position)
	}
}

// callKey checks the page that a script sends with a literal table, and notes
// what a second attempt may see anew.
func (s *scope) callKey(a *action.Action, r Reference, file string, at Position) {
	s.varies = s.varies || r.Called && seenAnew(a, r.Input)
	switch {
	case r.Input == nil || !unkeyed(a, r.Input, r.Open):
	case len(s.workflow.Schedules) > 0:
		f := scheduledPage(r.Line, "add what it is about, such as incident_key = \"disk-db1\"")
		f.Token = r.Path[1]
		s.finding(f, file, at)
	case s.step.Retry.MaxAttempts > 1 && dynamic(r.Input):
		s.pages = append(s.pages, page{r, file, at})
	}
}

// warnOfKeys reports the pages of a step's script, once everything that it calls
// is known.
func (s *scope) warnOfKeys() {
	for _, p := range s.pages {
		if s.varies {
			s.finding(Finding{
				Rule: "trigger-needs-key", Severity: SeverityWarning, Line: p.reference.Line, Token: p.reference.Path[1],
				Message: "without incident_key a retry that reads something else and builds another page opens another incident",
				Hint:    "add what it is about, such as incident_key = \"disk-db1\"",
			}, p.file, p.at)
		}
	}
}

// seenAnew reports whether a call looks at the world again in each attempt. Writes
// that were done, and `time.now`, give a retry what they gave before.
func seenAnew(a *action.Action, input action.Object) bool {
	if a.Effect != action.Reads || a.Waits {
		return false
	}
	call, err := a.Prepare(input)
	return err != nil || !call.Memoized()
}

// dynamic reports whether a part of a literal input is known to the run only.
func dynamic(v any) bool {
	if o, ok := v.(action.Object); ok {
		for _, name := range action.SortedNames(o) {
			if dynamic(o[name]) {
				return true
			}
		}
		return false
	}
	return v == action.Dynamic
}
