package workflow

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"gopkg.in/yaml.v3"
)

// A Value is a piece of YAML that may hold ${{ expressions }}. Exactly one of
// its parts is used: Fields for a mapping, Items for a list, else Literal.
type Value struct {
	Position Position
	// Literal is nil, a bool, a float64 or a string; a string may hold
	// expressions.
	Literal any
	IsList  bool
	Items   []Value
	IsMap   bool
	Fields  []NamedValue
	// Block says that a string was written as a block scalar, whose first line is
	// below Position.
	Block bool
}

// A NamedValue is an entry of a mapping, in the order of the file.
type NamedValue struct {
	Name     string
	Position Position // of the name
	Value    Value
}

// value reads any YAML value.
func (p *parser) value(n *yaml.Node, what string) Value {
	return p.nested(n, what, 0)
}

func (p *parser) nested(n *yaml.Node, what string, depth int) Value {
	v := Value{Position: Position{n.Line, n.Column}}
	if depth > maxDepth {
		p.report(n, "too-deep", fmt.Sprintf("values nest deeper than %d levels", maxDepth), "")
		return v
	}
	if n = p.resolve(n); n == nil {
		return v
	}
	switch n.Kind {
	case yaml.MappingNode:
		v.IsMap = true
		p.entries(n, what, func(name string, keyNode, item *yaml.Node) {
			if strings.Contains(name, "${{") {
				p.report(keyNode, "expression-refused", "a name cannot hold ${{ }}", "expressions stand in values; a script can build names")
			}
			v.Fields = append(v.Fields, NamedValue{name, Position{keyNode.Line, keyNode.Column}, p.nested(item, what, depth+1)})
		})
	case yaml.SequenceNode:
		v.IsList = true
		for _, item := range n.Content {
			v.Items = append(v.Items, p.nested(item, what, depth+1))
		}
	default:
		v.Literal = p.scalar(n)
		if text, ok := v.Literal.(string); ok && strings.Contains(text, "${{") {
			// What is wrong with an expression is wrong where it stands, not where an
			// alias repeats it.
			v.Position = Position{n.Line, n.Column}
		}
		v.Block = n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	}
	return v
}

// plain returns the value in the model of JSON, for places where expressions
// have no meaning; they are reported.
func (p *parser) plain(v Value, what string) any {
	switch {
	case v.IsMap:
		o := make(map[string]any, len(v.Fields))
		for _, f := range v.Fields {
			if item := p.plain(f.Value, what); item != nil {
				o[f.Name] = item
			}
		}
		return o
	case v.IsList:
		list := make([]any, len(v.Items))
		for i := range v.Items {
			list[i] = p.plain(v.Items[i], what)
		}
		return list
	}
	if s, ok := v.Literal.(string); ok && strings.Contains(s, "${{") {
		p.reportAt(v.Position, "expression-refused", what+" cannot hold ${{ }}", "write the value itself")
	}
	return v.Literal
}

// ParseData reads a YAML or JSON document as a value in the model of JSON: an
// input file, or a world file. Its rules for scalars are those of workflows.
func ParseData(name string, src []byte) (any, error) {
	p := newParser(name, src)
	if json.Valid(src) {
		src = jsonEscapes.ReplaceAllFunc(src, yamlEscape)
	}
	root := p.document(src)
	var v any
	if root != nil {
		v = p.plain(p.value(root, "the file"), "a data file")
	}
	return v, p.diagnostics.err()
}

// jsonEscapes finds the escapes of a JSON text; those that take a second one,
// the halves of a character beyond U+FFFF, together with it.
var jsonEscapes = regexp.MustCompile(`(?i)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u[0-9a-f]{4}|\\.`)

// yamlEscape writes an escape of JSON as YAML has it. The YAML library knows
// neither `\/` nor halves of characters.
func yamlEscape(escape []byte) []byte {
	if string(escape) == `\/` {
		return []byte("/")
	}
	if escape[1] != 'u' {
		return escape
	}
	first, _ := strconv.ParseUint(string(escape[2:6]), 16, 32)
	if !utf16.IsSurrogate(rune(first)) {
		return escape
	}
	whole := unicode.ReplacementChar // for half a character alone, as encoding/json has it
	if len(escape) == 12 {
		second, _ := strconv.ParseUint(string(escape[8:]), 16, 32)
		whole = utf16.DecodeRune(rune(first), rune(second))
	}
	return fmt.Appendf(nil, `\U%08x`, whole)
}
