package workflow

import (
	"fmt"
	"strings"

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
			v.Fields = append(v.Fields, NamedValue{name, Position{keyNode.Line, keyNode.Column}, p.nested(item, what, depth+1)})
		})
	case yaml.SequenceNode:
		v.IsList = true
		for _, item := range n.Content {
			v.Items = append(v.Items, p.nested(item, what, depth+1))
		}
	default:
		v.Literal = p.scalar(n)
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
	root := p.document(src)
	var v any
	if root != nil {
		v = p.plain(p.value(root, "the file"), "a data file")
	}
	return v, p.diagnostics.err()
}
