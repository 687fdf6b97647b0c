package workflow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parts reads the steps of every part, in the order in which the parts run.
func (p *parser) parts(parts [Finally + 1]*yaml.Node, w *Workflow) {
	ids := map[string]Position{}
	for part, n := range parts {
		if n != nil {
			p.steps(n, Part(part), w, ids)
		}
	}
}

func (p *parser) steps(n *yaml.Node, part Part, w *Workflow, ids map[string]Position) {
	target := p.resolve(n)
	if target != nil {
		w.Steps = slices.Grow(w.Steps, len(target.Content))
	}
	p.items(n, part.String(), func(v *yaml.Node) {
		s := p.step(v, len(w.Steps)+1, part)
		if first, ok := ids[s.ID]; ok {
			p.reportAt(s.Position, "duplicate-step", fmt.Sprintf("there are two steps %q", s.ID), fmt.Sprintf("the other begins in line %d", first.Line))
		}
		ids[s.ID] = s.Position
		w.Steps = append(w.Steps, s)
	})
	if part == Main && target != nil && target.Kind == yaml.SequenceNode && len(target.Content) == 0 {
		p.report(n, "no-steps", "there are no steps", "a step has `uses:` or `lua:`")
	}
}

// step reads one step. Its number names it when it has no id.
func (p *parser) step(n *yaml.Node, number int, part Part) Step {
	s := Step{
		ID: fmt.Sprintf("step_%d", number), Position: Position{n.Line, n.Column}, Part: part,
		MaxParallel: 1, FailFast: true, Retry: Retry{MaxAttempts: 1},
	}
	var places flowPlaces
	p.mapping(n, "a step", append([]key{
		{name: "id", read: func(v *yaml.Node) { p.id(v, "a step's id", &s.ID) }},
		{name: "name", refused: true, read: func(v *yaml.Node) {
			p.report(v, "unknown-key", `a step has no key "name"`, "its `id` names it; comments describe it")
		}},
		{name: "if", read: func(v *yaml.Node) { s.If = p.condition(v) }},
		{name: "uses", read: func(v *yaml.Node) { s.Uses = p.wholeText(v, "uses") }},
		{name: "with", read: func(v *yaml.Node) {
			p.entries(v, "with", func(name string, keyNode, item *yaml.Node) {
				s.With = append(s.With, NamedValue{name, Position{keyNode.Line, keyNode.Column}, p.value(item, "with")})
			})
		}},
		{name: "lua", read: func(v *yaml.Node) { s.Lua = p.luaBlock(v) }},
		{name: "lua_file", read: func(v *yaml.Node) { s.LuaFile = p.wholeText(v, "lua_file") }},
		{name: "timeout", read: func(v *yaml.Node) { s.Timeout = p.duration(v, "timeout") }},
		{name: "continue_on_error", read: func(v *yaml.Node) { s.ContinueOnError = p.boolean(v, "continue_on_error") }},
		{name: "limits", read: func(v *yaml.Node) { s.Limits = p.limits(v) }},
		{name: "connection", read: func(v *yaml.Node) { s.Connection = p.connection(v) }},
	}, p.flow(&s, &places)...)...)
	p.checkFlow(&s, &places)
	p.stepKind(n, &s)
	return s
}

// stepKind checks that a step does exactly one thing.
func (p *parser) stepKind(n *yaml.Node, s *Step) {
	var kinds []string
	if s.Uses != nil {
		kinds = append(kinds, "uses")
	}
	if s.Lua != nil {
		kinds = append(kinds, "lua")
	}
	if s.LuaFile != nil {
		kinds = append(kinds, "lua_file")
	}
	if target := n; target.Kind != yaml.MappingNode && target.Kind != yaml.AliasNode {
		return // reported already
	}
	switch {
	case len(kinds) == 0:
		p.report(n, "step-kind", fmt.Sprintf("the step %q does nothing", s.ID), "give it `uses: ACTION`, `lua: |` or `lua_file: FILE`")
	case len(kinds) > 1:
		p.report(n, "step-kind", fmt.Sprintf("the step %q has %s", s.ID, strings.Join(kinds, " and ")), "keep one of them")
	case len(s.With) > 0 && s.Uses == nil:
		p.reportAt(s.With[0].Position, "step-kind", fmt.Sprintf("`with` goes with `uses`, and the step %q has none", s.ID), "a script reads inputs and steps itself")
	}
}

// wholeText reads a text in which expressions have no meaning.
func (p *parser) wholeText(n *yaml.Node, what string) *Text {
	text := p.someText(n, what)
	return &Text{Text: text, Position: Position{n.Line, n.Column}, Line: n.Line}
}

// condition reads `if:`, a bare expression; `${{ x }}` means x.
func (p *parser) condition(n *yaml.Node) *Text {
	target := p.resolve(n)
	if target == nil {
		return nil
	}
	t := &Text{Position: Position{target.Line, target.Column}, Line: target.Line}
	if target.Kind != yaml.ScalarNode {
		p.report(n, "wrong-type", "if must be an expression, got "+p.kindOf(target), "")
		return nil
	}
	switch v := p.scalar(target).(type) {
	case string:
		t.Text = v
	case bool:
		t.Text = target.Value
	default:
		p.report(n, "wrong-type", "if must be an expression, got "+p.kindOf(target), `for example: steps.lookup.outputs.found`)
		return nil
	}
	if target.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		t.Line++
	}
	if trimmed := strings.TrimSpace(t.Text); strings.HasPrefix(trimmed, "${{") && strings.HasSuffix(trimmed, "}}") {
		t.Text = strings.TrimSpace(trimmed[3 : len(trimmed)-2])
	}
	if strings.Contains(t.Text, "${{") {
		p.report(n, "expression-refused", "if is one expression by itself, without ${{ }} inside it", `for example: inputs.role == "admin" and steps.lookup.outputs.found`)
		return nil
	}
	return t
}

// luaBlock reads `lua:`. Only the literal block keeps every line of a script at
// its place.
func (p *parser) luaBlock(n *yaml.Node) *Text {
	target := p.resolve(n)
	if target == nil {
		return nil
	}
	if target.Kind != yaml.ScalarNode || target.Style&yaml.LiteralStyle == 0 {
		p.report(target, "lua-style", "a script must be a literal block", "write `lua: |` and the script below it, indented; other styles join or shift its lines")
		return &Text{Position: Position{n.Line, n.Column}, Line: n.Line}
	}
	if target.Anchor != "" || target.Style&yaml.TaggedStyle != 0 {
		p.report(target, "lua-style", "a script cannot have an anchor or a tag", "put shared functions into a file and use require")
	}
	if strings.Contains(target.Value, "${{") {
		p.reportAt(p.find(target.Line, "${{"), "expression-refused", "a script cannot hold ${{ }}: text is never pasted into code",
			"read the value itself, such as inputs.email")
	}
	return &Text{Text: target.Value, Position: Position{target.Line, target.Column}, Line: target.Line + 1}
}

// find returns the first place from a line on that holds the text.
func (p *parser) find(from int, text string) Position {
	for n := from; n <= len(p.lines); n++ {
		if at := strings.Index(p.line(n), text); at >= 0 {
			return Position{n, utf8.RuneCountInString(p.line(n)[:at]) + 1}
		}
	}
	return Position{from, 1}
}
