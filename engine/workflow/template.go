package workflow

import (
	"cmp"
	"encoding/json"
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
	return t.evaluate(eval, textOf)
}

// maxNote is how many characters of an error stand in the place of a value.
const maxNote = 200

// EvaluateAny returns the value of a template for the input of a lenient action. An
// expression that fails is replaced by a note, and failed is the first such error. A
// list or an object within text is written as JSON, and a secret as its mask.
func (t *Template) EvaluateAny(eval func(Program) (any, error)) (value any, failed error) {
	noted := func(p Program) (any, error) {
		v, err := eval(p)
		if err == nil {
			return v, nil
		}
		failed = cmp.Or(failed, err)
		return "(" + phrase.Clip(action.AsError(err).Message, maxNote) + ")", nil
	}
	value, _ = t.evaluate(noted, func(v any) (string, error) { return anyText(v), nil })
	return value, failed
}

// evaluate returns the value of a template. text returns a value as a part of a text.
func (t *Template) evaluate(eval func(Program) (any, error), text func(any) (string, error)) (any, error) {
	if eval == nil && (t.kind == expressionTemplate || t.kind == textTemplate) {
		return action.Dynamic, nil
	}
	switch t.kind {
	case expressionTemplate:
		return eval(t.program)
	case textTemplate:
		return t.join(eval, text)
	case listTemplate:
		list := make([]any, len(t.parts))
		for i := range t.parts {
			v, err := t.parts[i].evaluate(eval, text)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case objectTemplate:
		o := make(action.Object, len(t.parts))
		for i := range t.parts {
			v, err := t.parts[i].evaluate(eval, text)
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

func (t *Template) join(eval func(Program) (any, error), text func(any) (string, error)) (any, error) {
	var b strings.Builder
	for i := range t.parts {
		v, err := t.parts[i].evaluate(eval, text)
		if err != nil {
			return nil, err
		}
		part, err := text(v)
		if err != nil {
			return nil, action.Errorf(action.InvalidInput, "%w", err)
		}
		b.WriteString(part)
	}
	return b.String(), nil
}

// anyText returns any value as a part of a text.
func anyText(v any) string {
	if text, err := textOf(v); err == nil {
		return text
	}
	switch v := v.(type) {
	case action.Secret:
		return v.String()
	case action.Note:
		return "(" + string(v) + ")"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "(" + err.Error() + ")"
	}
	return strings.TrimSuffix(b.String(), "\n")
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
