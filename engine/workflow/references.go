package workflow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

func (s *scope) inputReference(r Reference, file string, at source.Position) {
	if len(r.Path) < 2 {
		return
	}
	if _, ok := s.workflow.Inputs.Field(r.Path[1]); !ok {
		hint := cmp.Or(phrase.DidYouMean(r.Path[1], s.workflow.Inputs.Names()), fmt.Sprintf("declare it: inputs: {%s: {type: string}}", r.Path[1]))
		s.finding(Finding{Rule: "unknown-input", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("no input %q is declared", source.Clip(r.Path[1])), Hint: hint}, file, at)
		return
	}
	if (s.inputsOnly && !s.unrecorded || s.inForEach) && s.workflow.Secret(r.Path[1]) {
		s.finding(Finding{
			Rule: "secret-use", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("the secret input %s cannot be used in %s", r.Path[1], s.place()),
			Hint: "the value is recorded, and secrets never are",
		}, file, at)
	}
}

// stepFields are the fields of steps.ID.
var stepFields = []string{"outputs", "status", "error", "skipped_because"}

func (s *scope) stepReference(r Reference, file string, at source.Position) {
	if len(r.Path) < 2 { // steps itself, or steps[expression]: everything that ran before
		for i := range s.workflow.Steps {
			if s.after.has(i) {
				s.reads[i] = true
			}
		}
		return
	}
	id := r.Path[1]
	index, ok := s.stepIDs[id]
	switch {
	case !ok:
		s.finding(Finding{
			Rule: "unknown-step", Line: r.Line, Token: id, Message: fmt.Sprintf("there is no step %q", source.Clip(id)),
			Hint: phrase.DidYouMean(id, phrase.Names(s.stepIDs)),
		}, file, at)
		return
	case !s.after.has(index):
		message := fmt.Sprintf("the step %q does not run before %s", id, s.what)
		if index == s.index {
			message = fmt.Sprintf("%s reads its own result", s.what)
		}
		s.finding(Finding{Rule: "step-order", Line: r.Line, Token: id, Message: message, Hint: s.orderHint(index)}, file, at)
		return
	}
	s.reads[index] = true
	fields := stepFields
	if s.workflow.Steps[index].ForEach != nil {
		fields = append(slices.Clone(stepFields), "items")
	}
	s.fieldReference(r, file, at, 2, "steps."+id, fields)
	s.outputReference(r, file, at, index)
}

// orderHint explains how a step can read the results of another.
func (s *scope) orderHint(index int) string {
	other := &s.workflow.Steps[index]
	switch {
	case index == s.index:
		return "a step sees the steps before it, never itself"
	case s.step.Part != other.Part:
		return fmt.Sprintf("the steps of `%s` run after those of `%s`", other.Part, s.step.Part)
	case s.step.Part != Main || s.step.Needs == nil && index > s.index:
		return "a step sees the steps above it"
	case s.view(index).has(s.index):
		return fmt.Sprintf("%s runs after it", other.ID)
	}
	needs := []string{}
	for _, need := range s.order.needs[s.index] {
		needs = append(needs, s.workflow.Steps[need].ID)
	}
	return fmt.Sprintf("a step sees what it needs, directly or through others: needs: [%s]", strings.Join(append(needs, other.ID), ", "))
}

// outputReference checks a field of the outputs of a `uses:` step, whose action
// declares them.
func (s *scope) outputReference(r Reference, file string, at source.Position, index int) {
	if len(r.Path) < 4 {
		return
	}
	step := &s.workflow.Steps[index]
	switch {
	case step.ForEach != nil && (r.Path[2] == "outputs" || r.Path[2] == "items"):
		s.listReference(r, file, at)
	case step.Uses != nil && r.Path[2] == "outputs":
		if a, ok := s.catalog.Lookup(step.Uses.Text); ok {
			s.fieldReference(r, file, at, 3, a.Name, a.Out.Names())
		}
	}
}

// listReference reports the read of a field of the outputs or items of a for_each,
// which are lists.
func (s *scope) listReference(r Reference, file string, at source.Position) {
	if !source.IsIdentifier(r.Path[3]) {
		return
	}
	list := strings.Join(r.Path[:3], ".")
	s.finding(Finding{
		Rule: "unknown-field", Line: r.Line, Token: r.Path[3], Message: fmt.Sprintf("%s is a list, with an entry for each item, and has no field %q", list, source.Clip(r.Path[3])),
		Hint: fmt.Sprintf("for the first: %s[1].%s", list, r.Path[3]),
	}, file, at)
}

// previousReference checks a read of `previous`, the last run. An unknown output is a
// warning only, since the last run may have had other outputs.
func (s *scope) previousReference(r Reference, file string, at source.Position) {
	s.plan.ReadsPrevious = true
	s.fieldReference(r, file, at, 1, "previous", previousFields)
	if len(r.Path) < 3 || r.Path[1] != "outputs" {
		return
	}
	var known []string
	for _, named := range s.workflow.Outputs {
		known = append(known, named.Name)
	}
	if slices.Contains(known, r.Path[2]) {
		return
	}
	hint := cmp.Or(phrase.DidYouMean(r.Path[2], known), fmt.Sprintf("declare it: outputs: {%s: ...}", r.Path[2]))
	s.finding(Finding{
		Rule: "unknown-output", Severity: source.SeverityWarning, Line: r.Line, Token: r.Path[2],
		Message: fmt.Sprintf("the workflow has no output %q, so its previous run does not have it", source.Clip(r.Path[2])), Hint: hint,
	}, file, at)
}

// fieldReference checks the field at a place of the path.
func (s *scope) fieldReference(r Reference, file string, at source.Position, place int, owner string, known []string) {
	if len(r.Path) <= place || slices.Contains(known, r.Path[place]) {
		return
	}
	name := r.Path[place]
	hint := phrase.Suggest(name, known, "it has: ")
	s.finding(Finding{Rule: "unknown-field", Line: r.Line, Token: name, Message: fmt.Sprintf("%s has no field %q", owner, source.Clip(name)), Hint: hint}, file, at)
}

func (s *scope) secretReference(r Reference, file string, at source.Position) {
	var known []string
	for _, b := range s.workflow.Secrets {
		if !strings.HasPrefix(b.Name, "inputs.") {
			known = append(known, b.Name)
		}
	}
	if len(r.Path) < 2 || slices.Contains(known, r.Path[1]) {
		return
	}
	hint := cmp.Or(phrase.DidYouMean(r.Path[1], known), fmt.Sprintf("declare it: secrets: {%s: {hosts: [hooks.example.com]}}", r.Path[1]))
	s.finding(Finding{Rule: "unknown-secret", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("no secret %q is declared", source.Clip(r.Path[1])), Hint: hint}, file, at)
}

// callReference checks a use of a module of the catalogue.
func (s *scope) callReference(r Reference, file string, at source.Position) {
	if len(r.Path) < 2 {
		return
	}
	name := r.Path[0] + "." + r.Path[1]
	a, ok := s.catalog.Lookup(name)
	if !ok {
		hint := phrase.Suggest(r.Path[1], s.catalog.Functions(r.Path[0]), "it has: ")
		s.finding(Finding{Rule: "unknown-action", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("%s has no function %q", r.Path[0], source.Clip(r.Path[1])), Hint: hint}, file, at)
		return
	}
	if p := s.workflow.Permissions; !p.AllowsAction(a) {
		s.finding(Finding{Rule: "permission", Line: r.Line, Token: r.Path[1], Message: notAllowed(a), Hint: "add it: " + p.ActionLine(a)}, file, at)
	}
	if r.Input != nil {
		given := r.Input
		r.Input = s.plan.withDefaults(a, given)
		s.callInput(a, r, given, file, at)
	}
	s.callKey(a, r, file, at)
}

// refused returns the endpoints of a literal input that the workflow may not reach.
func (c *compiler) refused(a *action.Action, input action.Object) []action.Target {
	return slices.DeleteFunc(a.LiteralTargets(input), func(t action.Target) bool { return !c.workflow.Permissions.Refuses(t) })
}

func notReached(t action.Target) string { return fmt.Sprintf("the workflow may not reach %s", t) }

// callInput checks the literal table of a call. given is the table without the
// defaults.
func (s *scope) callInput(a *action.Action, r Reference, given action.Object, file string, at source.Position) {
	if len(a.Args) > 0 {
		if f, _ := a.In.Field(a.Args[0]); f != nil && f.Type.Name == action.AnyType {
			return // the table is the value itself
		}
	}
	for _, problem := range a.Check(r.Input) {
		if r.Open && problem.Rule == action.RuleMissingInput {
			continue
		}
		if s.defaultProblem(problem, given) {
			continue
		}
		token := r.Path[1]
		if problem.Rule == action.RuleUnknownInput {
			token = problem.Name()
		}
		s.finding(Finding{Rule: problem.Rule, Line: r.Line, Token: token, Message: a.Name + ": " + problem.Message, Hint: problem.Hint}, file, at)
	}
	for _, t := range s.refused(a, r.Input) {
		s.finding(Finding{Rule: "permission", Line: r.Line, Token: r.Path[1], Message: notReached(t), Hint: "add it: " + s.workflow.Permissions.Line(t)}, file, at)
	}
	for _, c := range a.In.PlainCredentials(given) {
		s.finding(Finding{Rule: "literal-secret", Line: r.Line, Token: action.Problem{Path: c.Path}.Name(), Message: literalSecret(c.Path), Hint: s.credentialHint(c.Path)}, file, at)
	}
}
