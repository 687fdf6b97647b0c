package workflow

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
)

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
		return action.FormatNumber(v), nil
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

// place returns the place of a path such as `contexts[1].href` inside the
// template, or of the deepest part of it that exists.
func (t *Template) place(path string) Position {
	at := t
	for path != "" {
		name, rest := nextSegment(path)
		next := at.child(name)
		if next == nil {
			break
		}
		at, path = next, rest
	}
	return at.position
}

func nextSegment(path string) (name, rest string) {
	path = strings.TrimPrefix(path, ".")
	if strings.HasPrefix(path, "[") {
		if end := strings.IndexByte(path, ']'); end > 0 {
			return path[1:end], path[end+1:]
		}
	}
	if end := strings.IndexAny(path, ".["); end > 0 {
		return path[:end], path[end:]
	}
	return path, ""
}

func (t *Template) child(name string) *Template {
	for i := range t.parts {
		if t.kind == objectTemplate && t.names[i] == name || t.kind == listTemplate && fmt.Sprint(i+1) == name {
			return &t.parts[i]
		}
	}
	return nil
}
