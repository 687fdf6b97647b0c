package workflow

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// A Template is a value with compiled expressions.
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

// Position returns the place of the value in the file.
func (t *Template) Position() source.Position { return t.position }

// Evaluate returns the value of a template. It calls eval for the value of each
// expression. A scalar that is one expression has the type of the expression; a text
// with expressions in it becomes text. When eval is nil, both are [action.Dynamic].
func (t *Template) Evaluate(eval func(Program) (any, error)) (any, error) {
	if eval == nil && (t.kind == expressionTemplate || t.kind == textTemplate) {
		return action.Dynamic, nil
	}
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

// textOf returns a value as a part of a text: whole numbers in full, nil as "".
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

// shape returns the template as a value for [action.Schema.Check], with
// [action.Dynamic] for what is known in the run only.
func (t *Template) shape() any {
	v, _ := t.Evaluate(nil) // without expressions, nothing can fail
	return v
}
