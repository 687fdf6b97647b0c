package action

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/phrase"
)

// maxExactInteger is 2^53: above it a float64 skips whole numbers.
const maxExactInteger = 1 << 53

// A normalizer compares a value with its schema, collects problems and returns the
// canonical form.
type normalizer struct {
	root     *Schema  // the whole schema; nil when only a field is checked
	path     []string // ".name" and "[index]" segments from the root
	problems Problems
}

func (n *normalizer) at() string {
	return strings.TrimPrefix(strings.Join(n.path, ""), ".")
}

func (n *normalizer) problem(message, hint string) {
	n.problems = append(n.problems, Problem{Rule: RuleBadInput, Path: n.at(), Message: message, Hint: hint})
}

// wrong reports a value of the wrong type, and quotes it where it is short.
func (n *normalizer) wrong(expected string, v any, hint string) {
	n.problem(fmt.Sprintf("%q must be %s, got %s", n.at(), expected, describe(v)), hint)
}

func (n *normalizer) object(s *Schema, o Object) Object {
	out, known := make(Object, len(s.Fields)), 0
	for i := range s.Fields {
		f := &s.Fields[i]
		v, given := o[f.Name]
		if given {
			known++
		}
		if v == nil {
			if f.Default != nil {
				out[f.Name] = f.Default
			} else if f.Required {
				n.problems = append(n.problems, Problem{
					Rule: RuleMissingInput, Path: n.joined(f.Name),
					Message: fmt.Sprintf("required input %q is missing", n.joined(f.Name)), Hint: f.Doc,
				})
			}
			continue
		}
		n.path = append(n.path, "."+f.Name)
		if v = n.field(f, v); v != nil {
			out[f.Name] = v
		}
		n.path = n.path[:len(n.path)-1]
	}
	if known < len(o) {
		n.unknown(s, o)
	}
	return out
}

func (n *normalizer) joined(name string) string {
	if at := n.at(); at != "" {
		return at + "." + name
	}
	return name
}

// unknown reports the fields that the schema does not have, in sorted order.
func (n *normalizer) unknown(s *Schema, o Object) {
	for _, name := range phrase.Names(o) {
		if _, ok := s.Field(name); ok {
			continue
		}
		hint := "there are none"
		if len(s.Fields) > 0 {
			hint = phrase.Suggest(name, s.Names(), "known: ")
		}
		n.problems = append(n.problems, Problem{
			Rule: RuleUnknownInput, Path: n.joined(name), Message: fmt.Sprintf("unknown input %q", n.joined(name)), Hint: hint,
		})
	}
}

func (n *normalizer) field(f *Field, v any) any {
	if v == Dynamic {
		return v
	}
	if secret, ok := v.(Secret); ok {
		return n.secret(f, secret)
	}
	v = n.value(&f.Type, v, f.Secrets)
	if text, ok := v.(string); ok && f.Type.Name == StringType {
		n.constraints(f, text)
	}
	return v
}

func (n *normalizer) secret(f *Field, s Secret) any {
	switch {
	case f.Type.Credential || f.Type.Secret:
	case f.Secrets && f.Type.Name != AnyType:
		// Secrets may occur inside the value, but the whole value cannot be a secret.
		n.wrong("an object with the secret as a field of it", s, "")
	case !f.Secrets:
		n.problem(fmt.Sprintf("%q does not take a secret, got %s", n.at(), s),
			n.root.secretHint())
	}
	return s
}

// secretHint returns which inputs take a secret.
func (s *Schema) secretHint() string {
	if s == nil {
		return ""
	}
	names := s.secretFields()
	if len(names) == 0 {
		return "none of the inputs takes a secret"
	}
	return "secrets may be used in: " + strings.Join(names, ", ")
}

func (s *Schema) secretFields() []string {
	var names []string
	for i := range s.Fields {
		if f := &s.Fields[i]; f.TakesSecret() {
			names = append(names, f.Name)
		}
	}
	return names
}

// takesCredential reports whether a value of the type is or contains a credential.
func (t *Type) takesCredential() bool {
	if t.Elem != nil {
		return t.Elem.takesCredential()
	}
	return t.Credential || t.Secret || t.Fields != nil && len(t.Fields.secretFields()) > 0
}

// unfit reports a text that may be a secret: the message does not quote it.
func (n *normalizer) unfit(what string) {
	n.problem(fmt.Sprintf("%q %s", n.at(), what), "its text is not shown")
}

func (n *normalizer) constraints(f *Field, text string) {
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, text) && f.Type.Credential {
		n.unfit("is none of the values of its enum")
	} else if len(f.Enum) > 0 && !slices.Contains(f.Enum, text) {
		n.problem(fmt.Sprintf("%q cannot be %q", n.at(), phrase.Clip(text, 40)), phrase.Suggest(text, f.Enum, "one of: "))
	}
	length := utf8.RuneCountInString(text)
	if f.MaxLength > 0 && length > f.MaxLength {
		n.problem(fmt.Sprintf("%q is %d characters long, at most %d are allowed", n.at(), length, f.MaxLength), "")
	}
	if f.MinLength > 0 && length < f.MinLength {
		n.problem(fmt.Sprintf("%q is %d characters long, at least %d are needed", n.at(), length, f.MinLength), "")
	}
	if err := CheckFormat(f.Format, text); err != nil && f.Type.Credential {
		n.unfit("is not a valid " + f.Format)
	} else if err != nil {
		n.problem(fmt.Sprintf("%q is not a valid %s: %v", n.at(), f.Format, err), "")
	}
}

// value returns v in the canonical form of a type.
func (n *normalizer) value(t *Type, v any, secrets bool) any {
	if v == Dynamic {
		return v
	}
	if secret, ok := v.(Secret); ok {
		if !secrets && !t.Credential && !t.Secret {
			n.problem(fmt.Sprintf("%q does not take a secret, got %s", n.at(), secret), "")
		}
		return v
	}
	if _, isText := v.(string); t.Credential && !isText {
		n.problem(fmt.Sprintf("%q must be a string, got %s", n.at(), kindOf(v)), quotesHint(v))
		return v
	}
	switch t.Name {
	case StringType:
		return n.text(v)
	case IntegerType:
		return n.integer(v)
	case NumberType:
		return n.number(v)
	case BooleanType:
		if _, ok := v.(bool); !ok {
			n.wrong("true or false", v, booleanHint(v))
		}
		return v
	case DurationType:
		return n.duration(v)
	case ListType:
		return n.list(t, v, secrets)
	case AnyType:
		n.anything(v, secrets)
		return v
	}
	return n.fields(t, v, secrets)
}

// booleanHint is for authors who know the booleans of older versions of YAML.
func booleanHint(v any) string {
	switch v {
	case "yes", "on", "Yes", "On", "True", "TRUE":
		return "write true"
	case "no", "off", "No", "Off", "False", "FALSE":
		return "write false"
	}
	return ""
}

func (n *normalizer) text(v any) any {
	s, ok := v.(string)
	if !ok {
		n.wrong("a string", v, quotesHint(v))
		return v
	}
	if !utf8.ValidString(s) {
		n.problem(fmt.Sprintf("%q is not valid UTF-8 text", n.at()), "encode bytes with base64.encode")
	}
	return s
}

// quotesHint is for values that would be text in quotes.
func quotesHint(v any) string {
	switch v.(type) {
	case float64, bool:
		return "put it in quotes, or use tostring() in Lua"
	}
	return ""
}

func (n *normalizer) integer(v any) any {
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || math.Abs(f) > maxExactInteger {
		n.wrong("a whole number", v, "")
	}
	return v
}

func (n *normalizer) number(v any) any {
	f, ok := v.(float64)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		n.wrong("a number", v, "")
	}
	return v
}

func (n *normalizer) duration(v any) any {
	d, err := DurationOf(v)
	if err != nil {
		n.wrong(`a duration such as "5s", "10m", "1h30m" or a number of seconds`, v, "")
		return v
	}
	return d.String()
}

func (n *normalizer) list(t *Type, v any, secrets bool) any {
	items, ok := v.([]any)
	if !ok {
		// An empty table of Lua may be a list or an object; the schema decides.
		if o, isObject := v.(Object); isObject && len(o) == 0 {
			return []any{}
		}
		n.wrong("a list", v, "")
		return v
	}
	elem := t.Elem
	if elem == nil {
		elem = &Type{Name: AnyType}
	}
	out := make([]any, len(items))
	for i, item := range items {
		n.path = append(n.path, "["+strconv.Itoa(i+1)+"]")
		if item != nil || elem.Name != AnyType {
			out[i] = n.value(elem, item, secrets)
		}
		n.path = n.path[:len(n.path)-1]
	}
	return out
}

func (n *normalizer) fields(t *Type, v any, secrets bool) any {
	o, ok := v.(Object)
	if list, isList := v.([]any); isList && len(list) == 0 {
		o, ok = Object{}, true // an empty table of Lua, as in list
	}
	if !ok {
		n.wrong("an object", v, "")
		return v
	}
	if t.Fields != nil {
		return n.object(t.Fields, o)
	}
	n.anything(o, secrets)
	return o
}

// anything looks for secrets in a value of any shape.
func (n *normalizer) anything(v any, secrets bool) {
	switch v := v.(type) {
	case Secret:
		if !secrets {
			n.problem(fmt.Sprintf("%q does not take a secret, got %s", n.at(), v), "")
		}
	case []any:
		for i, item := range v {
			n.path = append(n.path, "["+strconv.Itoa(i+1)+"]")
			n.anything(item, secrets)
			n.path = n.path[:len(n.path)-1]
		}
	case Object:
		for _, name := range phrase.Names(v) {
			n.path = append(n.path, "."+name)
			n.anything(v[name], secrets)
			n.path = n.path[:len(n.path)-1]
		}
	}
}
