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
	// Elem is the type of a list's items; nil for items of any type.
	Elem *Type
	// Fields are the fields of an object; nil for any fields.
	Fields *Schema
	// Credential says that the value may be text or a secret, and that the text is a key.
	Credential bool
	// Secret says that the value may be text or a secret, and that the text is none.
	Secret bool
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
	// MinLength and MaxLength count characters; 0 means that there is no limit.
	MinLength, MaxLength int
	// Secrets says that secrets may occur anywhere inside the value.
	Secrets bool
	// Target says that [Rules.Targets] reads the value.
	Target bool
	// Exact says that the value identifies something. No note replaces it in the input of
	// a [Lenient] action.
	Exact bool
}

// TakesSecret reports whether a value of the field may be a secret or contain one.
func (f *Field) TakesSecret() bool { return f.Secrets || f.Type.takesCredential() }

// A Schema is the shape of an object, in the order of declaration.
type Schema struct {
	Name   string // the name of a type such as "user", or empty
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
	// Path is the place inside the value, as in `contexts[1].href`; it is empty for the
	// value itself. It ends with the field, also when the field is missing or unknown.
	Path    string
	Message string
	Hint    string
}

// Name returns the last field of the path.
func (p Problem) Name() string { return p.Path[strings.LastIndexByte(p.Path, '.')+1:] }

// String returns the message, and the hint in parentheses when there is a hint.
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

// Dynamic replaces a value that is known only in the run. [Schema.Check] accepts it for
// every field.
var Dynamic any = dynamic{}

// Check returns what is wrong with an object, which may hold [Dynamic].
func (s *Schema) Check(o Object) Problems {
	n := normalizer{root: s}
	n.object(s, o)
	return n.problems
}

// Normalize returns the object with defaults filled in and every value in its canonical
// form, and what is wrong with the object. It leaves out null and absent fields.
func (s *Schema) Normalize(o Object) (Object, Problems) {
	n := normalizer{root: s}
	out := n.object(s, o)
	return out, n.problems
}

// Normalize returns one value in the canonical form of the field, and what is wrong with
// the value.
func (f *Field) Normalize(v any) (any, Problems) {
	n := normalizer{path: []string{"." + f.Name}}
	out := n.field(f, v)
	return out, n.problems
}

// A PlainCredential is the text of a credential that a value contains instead of a
// secret.
type PlainCredential struct {
	Path string // as in [Problem]
	Text string
}

// PlainCredentials returns the credentials that an object contains as text, in the order
// of the fields.
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

// kindOf names a value's type, for a value that may be a secret.
func kindOf(v any) string {
	kind, _, _ := strings.Cut(describe(v), " ")
	switch v.(type) {
	case bool, float64, string:
		return "a " + kind
	}
	return describe(v)
}
