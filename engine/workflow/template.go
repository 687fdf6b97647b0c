package workflow

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// A Template is a value whose expressions are compiled.
type Template struct {
	kind     templateKind
	literal  any // also a secret
	program  Program
	position source.Position
	parts    []Template // joined as text; items of a list; values of a mapping
	names    []string   // of a mapping
}

type templateKind int

const (
	literalTemplate templateKind = iota
	expressionTemplate
	textTemplate
	listTemplate
	objectTemplate
)

// Position is where the value stands in the file.
func (t *Template) Position() source.Position { return t.position }

// Evaluate returns the value of a template, asking eval for that of each
// expression. A scalar that is one expression keeps the expression's type; text
// with expressions in it is joined as text.
func (t *Template) Evaluate(eval func(Program) (any, error)) (any, error) {
	switch t.kind {
	case expressionTemplate:
		return eval(t.program)
	case textTemplate:
		return t.join(eval)
	case listTemplate:
		list := make([]any, len(t.parts))
		for i := range t.parts {
			v, err := t.parts[i].Evaluate(eval)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case objectTemplate:
		o := make(action.Object, len(t.parts))
		for i := range t.parts {
			v, err := t.parts[i].Evaluate(eval)
			if err != nil {
				return nil, err
			}
			if v != nil {
				o[t.names[i]] = v
			}
		}
		return o, nil
	}
	return t.literal, nil
}

func (t *Template) join(eval func(Program) (any, error)) (any, error) {
	var b strings.Builder
	for i := range t.parts {
		v, err := t.parts[i].Evaluate(eval)
		if err != nil {
			return nil, err
		}
		text, err := textOf(v)
		if err != nil {
			return nil, action.Errorf(action.InvalidInput, "%w", err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// textOf writes a value into text: whole numbers in full, nil as nothing.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return fmt.Sprint(v), nil
	case float64:
		return phrase.Number(v), nil
	case action.Secret:
		return "", fmt.Errorf("%s cannot be joined with text", v)
	case []any:
		return "", fmt.Errorf("a list cannot be joined with text; use table.concat(...) to say how")
	}
	return "", fmt.Errorf("an object cannot be joined with text; name one of its fields")
}

// shape is the template as [action.Schema.Check] sees it: what only the run
// knows is Dynamic.
func (t *Template) shape() any {
	switch t.kind {
	case expressionTemplate, textTemplate:
		return action.Dynamic
	case listTemplate:
		list := make([]any, len(t.parts))
		for i := range t.parts {
			list[i] = t.parts[i].shape()
		}
		return list
	case objectTemplate:
		o := make(action.Object, len(t.parts))
		for i := range t.parts {
			if v := t.parts[i].shape(); v != nil {
				o[t.names[i]] = v
			}
		}
		return o
	}
	return t.literal
}
