package source

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// A Value is a piece of YAML that may hold ${{ expressions }}. Exactly one of its
// parts is used: Fields for a mapping, Items for a list, else Literal.
type Value struct {
	Position Position
	// Literal is nil, a bool, a float64 or a string. A string may hold expressions.
	Literal any
	IsList  bool
	Items   []Value
	IsMap   bool
	Fields  []Field
	// Block says that a string was written as a block scalar, whose first line is
	// below Position.
	Block bool
}

// A Field is an entry of a mapping. Fields are in the order of the file.
type Field struct {
	Name     string
	Position Position // of the name
	Value    Value
}

// Fields reads the entries of a mapping, whose values may have any shape.
func (n Node) Fields(what string) (fields []Field) {
	n.Entries(what, func(name string, key, item Node) {
		fields = append(fields, Field{name, key.Position(), item.Value(what)})
	})
	return fields
}

// Value reads any YAML value.
func (n Node) Value(what string) Value { return n.value(what, 0) }

func (n Node) value(what string, depth int) Value {
	v := Value{Position: n.Position()}
	if depth > maxDepth {
		n.Report("too-deep", fmt.Sprintf("values nest deeper than %d levels", maxDepth), "")
		return v
	}
	n, ok := n.Resolve()
	if !ok {
		return v
	}
	switch {
	case n.IsMapping():
		v.IsMap = true
		n.Entries(what, func(name string, key, item Node) {
			if HasExpression(name) {
				key.Report("expression-refused", "a name cannot hold ${{ }}", "write expressions in values; a script can build names")
			}
			v.Fields = append(v.Fields, Field{name, key.Position(), item.value(what, depth+1)})
		})
	case n.IsList():
		v.IsList = true
		for _, item := range n.yaml.Content {
			v.Items = append(v.Items, Node{n.doc, item}.value(what, depth+1))
		}
	default:
		v.Literal = n.Scalar()
		if text, ok := v.Literal.(string); ok && HasExpression(text) {
			// A problem of an expression is reported where the expression is written, not
			// where an alias repeats it.
			v.Position = n.Position()
		}
		v.Block = n.IsBlock()
	}
	return v
}

// Data reads any YAML value for a place where expressions have no meaning, and
// returns it in the model of JSON: nil, bool, float64, string, []any or
// map[string]any. Entries that are null are left out. element names a part of the
// value in messages, such as "a default".
func (n Node) Data(what, element string) any {
	v := n.Value(what)
	return v.data(n.doc, element)
}

func (v *Value) data(d *Document, element string) any {
	switch {
	case v.IsMap:
		o := make(map[string]any, len(v.Fields))
		for i := range v.Fields {
			if item := v.Fields[i].Value.data(d, element); item != nil {
				o[v.Fields[i].Name] = item
			}
		}
		return o
	case v.IsList:
		list := make([]any, len(v.Items))
		for i := range v.Items {
			list[i] = v.Items[i].data(d, element)
		}
		return list
	}
	if s, ok := v.Literal.(string); ok && HasExpression(s) {
		d.Report(v.Position, "expression-refused", element+" cannot hold ${{ }}", "write the value itself")
	}
	return v.Literal
}

// Place returns the place of a path inside the value, such as
// `contexts[1].href` or `net["db.example.com:22"][1]`, or the place of the deepest
// part of the path that exists. first is the number of the first item of a list: 1
// in paths that people see, 0 in paths of JSON documents.
func (v *Value) Place(path string, first int) Position {
	value, _ := v.place(path, first)
	return value
}

// PlaceOfName is [Value.Place], but returns the place of the name when the path
// leads to an entry of a mapping.
func (v *Value) PlaceOfName(path string, first int) Position {
	_, name := v.place(path, first)
	return name
}

func (v *Value) place(path string, first int) (value, name Position) {
	value, name = v.Position, v.Position
	if path == "" {
		return value, name
	}
	part, rest := CutPath(path)
	for i := range v.Fields {
		if f := &v.Fields[i]; f.Name == part {
			if rest == "" {
				return f.Value.Position, f.Position
			}
			return f.Value.place(rest, first)
		}
	}
	if i, err := strconv.Atoi(part); err == nil && i >= first && i-first < len(v.Items) {
		return v.Items[i-first].place(rest, first)
	}
	return value, name
}

// CutPath returns the first part of a path, which is a name, `[3]` or `["name"]`,
// and the rest of the path.
func CutPath(path string) (first, rest string) {
	path = strings.TrimPrefix(path, ".")
	if inner, ok := strings.CutPrefix(path, "["); ok {
		if quoted, err := strconv.QuotedPrefix(inner); err == nil {
			name, _ := strconv.Unquote(quoted) // it is well formed
			return name, strings.TrimPrefix(inner[len(quoted):], "]")
		}
		if name, after, ok := strings.Cut(inner, "]"); ok {
			return name, after
		}
	}
	if end := strings.IndexAny(path, ".["); end > 0 {
		return path[:end], path[end:]
	}
	return path, ""
}

// Data is a whole document as one value: an input file, a world, a seed or a fault
// plan. A caller that finds a problem in the value reports it to the document, at
// the place that the tree has for its path.
type Data struct {
	*Document
	// Value is the document in the model of JSON; see [Node.Data].
	Value any
	// Tree is the document with the places of its parts.
	Tree Value
}

// ReadData reads a YAML or JSON document as one value. The error is [Problems].
func ReadData(name string, text []byte) (*Data, error) { return readData(name, text, nil) }

// ReadDataOf is [ReadData] of a document that is a mapping with known keys. A file with other
// keys may be any file: a list of passwords that a link leads to. Then the only problem is
// that of [Document.OnlyKeys], and quotes nothing.
func ReadDataOf(name string, text []byte, known ...string) (*Data, error) {
	return readData(name, text, func(d *Document) bool { return d.OnlyKeys(known...) })
}

// ReadPrivateData is [ReadDataOf] of a document that may hold secrets: no problem quotes it.
// Without known keys, it may have any keys.
func ReadPrivateData(name string, text []byte, known ...string) (*Data, error) {
	return readInto(&Document{File: name, private: true}, text, func(d *Document) bool { return len(known) == 0 || d.OnlyKeys(known...) })
}

func readData(name string, text []byte, accept func(*Document) bool) (*Data, error) {
	return readInto(&Document{File: name}, text, accept)
}

func readInto(document *Document, text []byte, accept func(*Document) bool) (*Data, error) {
	if json.Valid(text) {
		text = jsonEscapes.ReplaceAllFunc(text, yamlEscape)
	}
	data := &Data{Document: document.read(text)}
	if root, ok := data.Root(); ok && (accept == nil || accept(data.Document)) {
		data.Tree = root.Value("the file")
		data.Value = data.Tree.data(data.Document, "a data file")
	}
	return data, data.Err()
}

// jsonEscapes finds the escapes of a JSON text. The two halves of a character
// beyond U+FFFF are one match.
var jsonEscapes = regexp.MustCompile(`(?i)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u[0-9a-f]{4}|\\.`)

// yamlEscape writes an escape of JSON as YAML writes it. The YAML library knows
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
	whole := unicode.ReplacementChar // for half a character alone, as in encoding/json
	if len(escape) == 12 {
		second, _ := strconv.ParseUint(string(escape[8:]), 16, 32)
		whole = utf16.DecodeRune(rune(first), rune(second))
	}
	return fmt.Appendf(nil, `\U%08x`, whole)
}
