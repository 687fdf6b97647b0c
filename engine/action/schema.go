package action

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
)

// An Object is a value in the model of JSON: its fields are nil, bool, float64,
// string, []any, Object or [Secret]. Whole numbers are float64 too; one that a
// float64 cannot hold exactly is text.
type Object = map[string]any

// The names of the basic types.
const (
	StringType   = "string"
	IntegerType  = "integer"
	NumberType   = "number"
	BooleanType  = "boolean"
	ListType     = "list"
	ObjectType   = "object"
	DurationType = "duration"
	AnyType      = "any"
)

// InputTypes are the types that an input of a workflow may have.
func InputTypes() []string {
	return []string{StringType, IntegerType, NumberType, BooleanType, ListType, ObjectType, DurationType}
}

// A Type is the type of a field.
type Type struct {
	// Name is one of the basic types, or the name of an object with known
	// fields, such as "user".
	Name string
	// Elem is the type of a list's items; nil when they may be anything.
	Elem *Type
	// Fields are the fields of an object; nil when they may be anything.
	Fields *Schema
	// Credential says that text and secrets are both taken.
	Credential bool
}

// String returns the type as the reference pages write it: "string", "[]object".
func (t Type) String() string {
	if t.Name == ListType && t.Elem != nil {
		return "[]" + t.Elem.String()
	}
	return t.Name
}

// A Field is one input or output.
type Field struct {
	Name     string
	Type     Type
	Doc      string
	Required bool
	Default  any // nil when there is none
	Enum     []string
	// Format narrows a string: "email", "url", "hostname", "ip", "date" or
	// "date-time".
	Format string
	// MinLength and MaxLength count characters; 0 is no limit.
	MinLength, MaxLength int
	// Secrets says that secrets may stand anywhere inside the value.
	Secrets bool
	// Bindable says that the text of a credential leaves the process for a place that
	// is not a host of the author's choice. A workflow binds a secret to it by the name
	// of the field, and the action reveals it for [ToInput] of that name.
	Bindable bool
}

// A Schema is the shape of an object, in the order of declaration.
type Schema struct {
	Name   string // the name of a shared object such as "user"; else empty
	Fields []Field
}

// Field returns a field by name.
func (s *Schema) Field(name string) (*Field, bool) {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i], true
		}
	}
	return nil, false
}

// Names returns the names of the fields, in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i := range s.Fields {
		names[i] = s.Fields[i].Name
	}
	return names
}

// The rules that a value can break.
const (
	RuleUnknownInput = "unknown-input"
	RuleMissingInput = "missing-input"
	RuleBadInput     = "bad-input"
)

// A Problem is one thing that is wrong with a value.
type Problem struct {
	Rule string
	// Path leads to the place inside the value, as in `contexts[1].href`; empty
	// for the value itself. A field that is missing or unknown is its end.
	Path    string
	Message string
	Hint    string
}

// Name returns the last field of the path.
func (p Problem) Name() string { return p.Path[strings.LastIndexByte(p.Path, '.')+1:] }

// String returns the message, and the hint in parentheses where there is one.
func (p Problem) String() string { return phrase.WithHint(p.Message, p.Hint) }

// Problems is a list of problems as an error.
type Problems []Problem

// Error joins the problems into one line.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, problem := range p {
		texts[i] = problem.String()
	}
	return strings.Join(texts, "; ")
}

// dynamic is the type of Dynamic.
type dynamic struct{}

// Dynamic stands for a value that is known only in the run: [Schema.Check]
// takes it for right, whatever the field.
var Dynamic any = dynamic{}

// Check returns what is wrong with an object, which may hold [Dynamic].
func (s *Schema) Check(o Object) Problems {
	n := normalizer{}
	n.object(s, o)
	return n.problems
}

// Normalize returns the object with defaults filled in and every value in its
// canonical form, or what is wrong with it. Null and absent fields are left out.
func (s *Schema) Normalize(o Object) (Object, Problems) {
	n := normalizer{}
	out := n.object(s, o)
	return out, n.problems
}

// Normalize returns one value in the canonical form of the field, or what is
// wrong with it.
func (f *Field) Normalize(v any) (any, Problems) {
	n := normalizer{path: []string{"." + f.Name}}
	out := n.field(f, v)
	return out, n.problems
}

// A PlainCredential is a credential that stands in a value as text, where a
// secret could.
type PlainCredential struct {
	Path string // as in [Problem]
	Text string
}

// PlainCredentials returns the credentials that stand in an object as text, in
// the order of the fields.
func (s *Schema) PlainCredentials(o Object) []PlainCredential {
	var found []PlainCredential
	for i := range s.Fields {
		f := &s.Fields[i]
		found = append(found, f.Type.plainCredentials(f.Name, o[f.Name])...)
	}
	return found
}

func (t *Type) plainCredentials(path string, v any) []PlainCredential {
	var found []PlainCredential
	switch v := v.(type) {
	case string:
		if t.Credential {
			found = append(found, PlainCredential{path, v})
		}
	case []any:
		for i := range v {
			if t.Elem != nil {
				found = append(found, t.Elem.plainCredentials(fmt.Sprintf("%s[%d]", path, i+1), v[i])...)
			}
		}
	case Object:
		if t.Fields != nil {
			for _, inner := range t.Fields.PlainCredentials(v) {
				found = append(found, PlainCredential{path + "." + inner.Path, inner.Text})
			}
		}
	}
	return found
}

// describe names a value's type and, where it is short, the value itself.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean " + strconv.FormatBool(v)
	case float64:
		return "number " + phrase.Number(v)
	case string:
		return "string " + strconv.Quote(phrase.Clip(v, 40))
	case []any:
		return "a list"
	case Object:
		return "an object"
	case Secret:
		return "secret " + v.Name
	}
	return fmt.Sprintf("a %T", v)
}
