package workflow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// RuleLuaSyntax is the rule of findings for a chunk that does not compile.
const RuleLuaSyntax = "lua-syntax"

// maxExpressionEnds bounds how many `}}` are tried as the end of an expression.
const maxExpressionEnds = 20

// template compiles a value. secrets says that it may hold secrets, as an input of an
// action may.
func (s *scope) template(v source.Value, secrets bool) Template {
	t := Template{position: v.Position}
	switch {
	case v.IsMap:
		t.kind = objectTemplate
		for _, f := range v.Fields {
			t.names = append(t.names, f.Name)
			t.parts = append(t.parts, s.template(f.Value, secrets))
		}
	case v.IsList:
		t.kind = listTemplate
		for _, item := range v.Items {
			t.parts = append(t.parts, s.template(item, secrets))
		}
	default:
		text, ok := v.Literal.(string)
		if !ok || !source.HasExpression(text) {
			t.literal = v.Literal
			return t
		}
		s.scalar(&t, v, text, secrets)
	}
	return t
}

// scalar compiles text that holds expressions.
func (s *scope) scalar(t *Template, v source.Value, text string, secrets bool) {
	var parts []Template
	rest, line := text, v.Position.Line
	if v.Block {
		line++
	}
	for {
		start := strings.Index(rest, "${{")
		if start < 0 {
			break
		}
		if start > 0 {
			parts = append(parts, Template{literal: rest[:start], position: v.Position})
			line += strings.Count(rest[:start], "\n")
		}
		part, length := s.embedded(rest[start+3:], v.Position, line, secrets)
		if length < 0 {
			t.kind = textTemplate // the expression was reported
			return
		}
		parts = append(parts, part)
		line += strings.Count(rest[start:start+3+length], "\n")
		rest = rest[start+3+length:]
	}
	if rest != "" {
		parts = append(parts, Template{literal: rest, position: v.Position})
	}
	s.joined(t, parts)
}

func (s *scope) joined(t *Template, parts []Template) {
	if len(parts) == 1 {
		parts[0].position = t.position
		*t = parts[0]
		return
	}
	for _, part := range parts {
		if secret, ok := part.literal.(action.Secret); ok {
			s.document.Report(t.position, "secret-use", fmt.Sprintf("%s cannot be joined with text", secret), wholeSecret)
		}
	}
	t.kind, t.parts = textTemplate, parts
}

// embedded compiles the expression at the beginning of a text that follows `${{`. The
// expression ends at the first `}}` for which it compiles. The length includes the
// `}}`. It is negative when no expression compiles, which is reported.
func (s *scope) embedded(text string, at source.Position, line int, secrets bool) (Template, int) {
	var first []Finding
	end := 0
	for range maxExpressionEnds {
		next := strings.Index(text[end:], "}}")
		if next < 0 {
			break
		}
		end += next
		source := text[:end]
		if t, ok := s.secret(source, at, secrets); ok {
			return t, end + 2
		}
		program, findings := s.checker.Check(s.chunk(source, line))
		if !syntaxError(findings) {
			s.expressionFindings(program, findings, at)
			return Template{kind: expressionTemplate, program: program, position: at}, end + 2
		}
		if first == nil {
			first = findings
		}
		end++
	}
	if first == nil {
		hint := "write ${{ expression }}"
		if strings.Contains(s.document.Line(at.Line), " #") {
			hint = "in YAML ` #` begins a comment: put the whole value in quotes"
		}
		s.document.Report(at, RuleLuaSyntax, "an expression is not closed", hint)
		return Template{}, -1
	}
	s.expressionFindings(nil, first, at)
	return Template{}, -1
}

func syntaxError(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Rule == RuleLuaSyntax })
}

var secretExpression = regexp.MustCompile(`^\s*secrets\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)\s*$`)

// secret compiles an expression that is one secret. It returns false for every other
// expression.
func (s *scope) secret(source string, at source.Position, allowed bool) (Template, bool) {
	m := secretExpression.FindStringSubmatch(source)
	if m == nil {
		return Template{}, false
	}
	if !allowed {
		s.document.Report(at, "secret-use", fmt.Sprintf("the secret %s cannot be used here", m[1]), "use secrets in `with:` or in a script")
	}
	s.secretReference(Reference{Path: []string{"secrets", m[1]}, Line: at.Line}, s.workflow.File, at)
	return Template{literal: action.Secret{Name: m[1]}, position: at}, true
}

// with compiles and checks the inputs of a `uses:` step, including its defaults.
func (s *scope) with(step *Step, a *action.Action) []NamedTemplate {
	var fields []NamedTemplate
	whole := Template{kind: objectTemplate}
	written := source.Value{Position: step.Uses.Position, IsMap: true, Fields: step.With}
	add := func(field NamedTemplate) {
		fields = append(fields, field)
		whole.names, whole.parts = append(whole.names, field.Name), append(whole.parts, field.Value)
	}
	for _, named := range step.With {
		add(NamedTemplate{named.Name, s.template(named.Value, true)})
	}
	if a == nil {
		return fields
	}
	for _, d := range s.plan.Defaults {
		if d.fits(a) && !slices.ContainsFunc(step.With, func(f source.Field) bool { return f.Name == d.Name }) {
			add(d)
			written.Fields = append(slices.Clip(written.Fields), s.defaultValue(d.Name))
		}
	}
	input, _ := whole.shape().(action.Object)
	for _, problem := range a.Check(input) {
		at := written.Place(problem.Path, 1)
		if problem.Rule == action.RuleUnknownInput && problem.Path == problem.Name() {
			at = written.PlaceOfName(problem.Path, 1)
		}
		s.document.Report(at, problem.Rule, problem.Message, problem.Hint)
	}
	for _, t := range s.refused(a, input) {
		first := slices.IndexFunc(a.In.Fields, func(f action.Field) bool { return f.Target })
		s.document.Report(written.Place(a.In.Fields[first].Name, 1), "permission", notReached(t), "add it: "+s.workflow.Permissions.Line(t))
	}
	s.usesKey(a, input)
	for _, c := range a.In.PlainCredentials(input) {
		s.document.Report(written.Place(c.Path, 1), "literal-secret", literalSecret(c.Path), s.credentialHint(c.Path))
	}
	return fields
}

// defaultValue returns an entry of `defaults.with`.
func (c *compiler) defaultValue(name string) source.Field {
	return c.workflow.Defaults[slices.IndexFunc(c.workflow.Defaults, func(d source.Field) bool { return d.Name == name })]
}

// literalSecret is the message for a key that the file itself contains.
func literalSecret(path string) string {
	return fmt.Sprintf("%q holds a key in the file itself", path)
}

func (c *compiler) credentialHint(path string) string {
	binding := "hosts: [hooks.example.com]"
	if slices.Contains(c.catalog.Places(), path) {
		binding = path + ": true"
	}
	return fmt.Sprintf("declare `secrets: {NAME: {%s}}` and give secrets.NAME; its text comes from the environment", binding)
}

// defaults compiles `defaults.with`: inputs for every call whose action has an input
// of that name, unless the call gives it. They are evaluated once for each attempt, and
// read `inputs` and secrets only, so they have the same value in every step.
func (c *compiler) defaults() {
	if len(c.workflow.Defaults) == 0 {
		return
	}
	scope := &scope{compiler: c, index: -1, what: "defaults", inputsOnly: true, unrecorded: true, reads: map[int]bool{}}
	taken := c.inputNames()
	for _, named := range c.workflow.Defaults {
		if !taken[named.Name] {
			c.document.Report(named.Position, "unknown-input", fmt.Sprintf("no action has an input %q", source.Clip(named.Name)),
				phrase.DidYouMean(named.Name, phrase.Names(taken)))
			continue
		}
		d := NamedTemplate{named.Name, scope.template(named.Value, true)}
		if _, literal := d.Value.literal.(string); literal && c.isCredential(named.Name) {
			c.document.Report(d.Value.position, "literal-secret", literalSecret(named.Name), c.credentialHint(named.Name))
		}
		c.plan.Defaults = append(c.plan.Defaults, d)
	}
}

// isCredential reports whether an action has a credential as an input of this name.
func (c *compiler) isCredential(input string) bool {
	return slices.ContainsFunc(c.catalog.All(), func(a *action.Action) bool {
		f, ok := a.In.Field(input)
		return ok && f.Type.Credential
	})
}

// defaultProblem reports a problem of an input that comes from the defaults, at the
// default. It returns false for every other problem. A problem of a default is reported
// once, even if several calls use the default.
func (s *scope) defaultProblem(problem action.Problem, given action.Object) bool {
	name, _ := source.CutPath(problem.Path)
	if _, own := given[name]; own || problem.Rule == action.RuleMissingInput && name == problem.Path {
		return false
	}
	for i := range s.plan.Defaults {
		if d := &s.plan.Defaults[i]; d.Name == name {
			s.document.Report(d.Value.position, problem.Rule, problem.Message, problem.Hint)
			return true
		}
	}
	return false
}

// inputNames returns the names of the inputs of all actions.
func (c *compiler) inputNames() map[string]bool {
	names := map[string]bool{}
	for _, a := range c.catalog.All() {
		for _, input := range a.In.Names() {
			names[input] = true
		}
	}
	return names
}

// fits reports whether an action has an input of this name.
func (t *NamedTemplate) fits(a *action.Action) bool {
	_, ok := a.In.Field(t.Name)
	return ok
}

// withDefaults returns the literal input of a call of a script, with the defaults that
// the action gets.
func (p *Plan) withDefaults(a *action.Action, input action.Object) action.Object {
	filled := input
	for i := range p.Defaults {
		d := &p.Defaults[i]
		if _, given := input[d.Name]; given || !d.fits(a) {
			continue
		}
		if len(filled) == len(input) { // not copied yet
			filled = make(action.Object, len(input)+len(p.Defaults))
			maps.Copy(filled, input)
		}
		filled[d.Name] = d.Value.shape()
	}
	return filled
}
