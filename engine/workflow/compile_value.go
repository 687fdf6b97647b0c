package workflow

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
)

// RuleLuaSyntax is the rule of findings that keep a chunk from compiling.
const RuleLuaSyntax = "lua-syntax"

// maxExpressionEnds bounds how many `}}` are tried as the end of an expression.
const maxExpressionEnds = 20

// template compiles a value. Secrets may stand only where an action is given
// them, in `with`.
func (s *scope) template(v Value, secrets bool) Template {
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
		if !ok || !strings.Contains(text, "${{") {
			t.literal = v.Literal
			return t
		}
		s.scalar(&t, v, text, secrets)
	}
	return t
}

// scalar compiles text that holds expressions.
func (s *scope) scalar(t *Template, v Value, text string, secrets bool) {
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
			t.kind = textTemplate // what it would be is unknown, and no further problem
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
			s.parser.reportAt(t.position, "secret-use", fmt.Sprintf("%s cannot be joined with text", secret), wholeSecret)
		}
	}
	t.kind, t.parts = textTemplate, parts
}

// embedded compiles the expression at the beginning of text, which follows a
// `${{`. It ends at the first `}}` after which it compiles. The length returned
// includes the `}}`; it is negative when there is no expression.
func (s *scope) embedded(text string, at Position, line int, secrets bool) (Template, int) {
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
		if strings.Contains(s.parser.line(at.Line), " #") {
			hint = "in YAML ` #` begins a comment: put the whole value in quotes"
		}
		s.parser.reportAt(at, RuleLuaSyntax, "an expression is not closed", hint)
		return Template{}, -1
	}
	s.expressionFindings(nil, first, at)
	return Template{}, -1
}

func syntaxError(findings []Finding) bool {
	for _, f := range findings {
		if f.Rule == RuleLuaSyntax {
			return true
		}
	}
	return false
}

var secretExpression = regexp.MustCompile(`^\s*secrets\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)\s*$`)

// secret recognises an expression that is one secret.
func (s *scope) secret(source string, at Position, allowed bool) (Template, bool) {
	m := secretExpression.FindStringSubmatch(source)
	if m == nil {
		return Template{}, false
	}
	if !allowed {
		s.parser.reportAt(at, "secret-use", fmt.Sprintf("the secret %s cannot be used here", m[1]), "a secret may stand in `with:` or in a script")
	}
	s.secretReference(Reference{Path: []string{"secrets", m[1]}, Line: at.Line}, s.workflow.File, at)
	return Template{literal: action.Secret{Name: m[1]}, position: at}, true
}

// with compiles and checks the inputs of a `uses:` step.
func (s *scope) with(step *Step, a *action.Action) []OutputTemplate {
	var fields []OutputTemplate
	whole := Template{kind: objectTemplate, position: step.Uses.Position}
	places := map[string]Position{}
	for _, named := range step.With {
		t := s.template(named.Value, true)
		fields = append(fields, OutputTemplate{named.Name, t})
		whole.names, whole.parts = append(whole.names, named.Name), append(whole.parts, t)
		places[named.Name] = named.Position
	}
	if a == nil {
		return fields
	}
	for i := range s.plan.Defaults {
		d := &s.plan.Defaults[i]
		if _, given := places[d.Name]; given || !d.fits(a) {
			continue
		}
		fields = append(fields, *d)
		whole.names, whole.parts = append(whole.names, d.Name), append(whole.parts, d.Value)
	}
	input, _ := whole.shape().(action.Object)
	for _, problem := range a.In.Check(input) {
		s.inputProblem(problem, &whole, places)
	}
	s.usesKey(a, input)
	for _, c := range a.In.PlainCredentials(input) {
		s.parser.reportAt(whole.place(c.Path), "literal-secret", literalSecret(c.Path), credentialHint(c.Path))
	}
	return fields
}

// inputProblem reports a problem of `with` at the value, or at the name when the
// name is the problem.
func (s *scope) inputProblem(problem action.Problem, whole *Template, places map[string]Position) {
	at := whole.place(problem.Path)
	if place, ok := places[problem.Path]; ok && problem.Rule == action.RuleUnknownInput {
		at = place
	}
	s.parser.reportAt(at, problem.Rule, problem.Message, problem.Hint)
}

// literalSecret says that a key stands in the file.
func literalSecret(path string) string {
	return fmt.Sprintf("%q holds a key in the file itself", path)
}

func credentialHint(path string) string {
	binding := "hosts: [hooks.example.com]"
	if path == "service_key" {
		binding = "service_key: true"
	}
	return fmt.Sprintf("declare `secrets: {NAME: {%s}}` and give secrets.NAME; its text comes from the environment", binding)
}

// maxLuaFile bounds the Lua files beside a workflow.
const maxLuaFile = 256 << 10

// luaFile compiles the script of `lua_file:`.
func (c *compiler) luaFile(s *scope, file *Text) Program {
	if file.Text == "" {
		return nil // reported already
	}
	name := strings.TrimPrefix(file.Text, "./")
	text, err := c.read(name)
	if err != nil {
		c.parser.reportAt(file.Position, "lua-file", fmt.Sprintf("lua_file: %v", err), "it names a .lua file in the folder of the workflow")
		return nil
	}
	return s.script(Chunk{Kind: Script, File: c.beside(name), Line: 1, Text: text})
}

// require compiles a module, once, and follows it.
func (s *scope) require(r Require, file string) {
	if s.modules[r.Name] {
		return // a circle of modules ends here
	}
	s.modules[r.Name] = true
	if module, done := s.plan.Modules[r.Name]; done {
		if module != nil {
			s.follow(module, s.moduleFiles[r.Name])
		}
		return
	}
	var text string
	var err error
	name := r.Name + ".lua"
	if text, err = s.read(name); err != nil {
		var inLib error
		name = "lib/" + r.Name + ".lua"
		if text, inLib = s.read(name); inLib != nil {
			s.finding(Finding{Rule: "lua-file", Line: r.Line, Token: r.Name, Message: fmt.Sprintf("require: %v", err), Hint: fmt.Sprintf("it looks for %s.lua and lib/%s.lua in the folder of the workflow", r.Name, r.Name)}, file, Position{})
			s.plan.Modules[r.Name] = nil
			return
		}
	}
	s.moduleFiles[r.Name] = s.beside(name)
	s.plan.Modules[r.Name] = s.script(Chunk{Kind: Module, File: s.beside(name), Line: 1, Text: text})
}

// beside returns the path of a file in the folder of the workflow, written as the
// workflow's own path is.
func (c *compiler) beside(name string) string {
	folder := strings.LastIndexAny(c.workflow.File, `/\`) + 1
	return c.workflow.File[:folder] + name
}

// read returns a Lua file beside the workflow and keeps it as a source.
func (c *compiler) read(name string) (string, error) {
	switch {
	case c.workflow.Files == nil:
		return "", fmt.Errorf("%s cannot be read: the workflow has no folder", name)
	case path.Ext(name) != ".lua":
		return "", fmt.Errorf("%q is not a .lua file", name)
	case !fs.ValidPath(name):
		return "", fmt.Errorf("%s is not a path inside the folder of the workflow", name)
	}
	info, err := fs.Stat(c.workflow.Files, name)
	if err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("there is no file %s", name)
	}
	if info.Size() > maxLuaFile {
		return "", fmt.Errorf("%s has %d bytes, at most %d are read", name, info.Size(), maxLuaFile)
	}
	text, err := fs.ReadFile(c.workflow.Files, name)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read", name)
	}
	if !slices.ContainsFunc(c.plan.Sources, func(s Source) bool { return s.Name == name }) {
		c.plan.Sources = append(c.plan.Sources, Source{name, text})
	}
	return string(text), nil
}
