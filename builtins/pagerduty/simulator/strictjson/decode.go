// Package strictjson reads the JSON documents that people write for the simulator:
// the starting state, the fault plan, and the requests of the control API.
//
// The nouns:
//
//   - [Decode] reads a document into a struct. Its only rule is the struct: fields
//     are named by their json tags.
//   - A [Problem] is one mistake with its path, such as faults[2].match.endpoint.
//   - [Problems] are all mistakes of a document. They are an error. The packages
//     that know what a document means add problems of their own.
//
// encoding/json reports one mistake, without its path, and ignores fields that it
// does not know. No message quotes a text that may be a key.
package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// maximumDepth is how deep values may be nested. The documents of the simulator need five levels.
const maximumDepth = 32

// reader collects the problems while a document is read.
type reader struct {
	problems Problems
}

// Decode reads data, a JSON object, into the struct that into points to. It returns
// every mistake, in the order of the document, and nil when there are none. The
// struct may be partly filled when there are mistakes.
func Decode(data []byte, into any) Problems {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	r := &reader{}
	value, err := r.value(decoder, "", 0)
	if err == nil {
		_, err = decoder.Token()
		if err == nil {
			err = errors.New("something follows the end of the document")
		}
	}
	if !errors.Is(err, io.EOF) || value == nil {
		return Problems{{Message: fmt.Sprintf("not a JSON object: %s (near byte %d)", cause(data, value, err), decoder.InputOffset())}}
	}
	r.into(value, reflect.ValueOf(into).Elem(), "")
	return r.problems
}

// Read reads a document and validates it. Its error is [Problems]; the value is then zero.
func Read[T interface{ Validate() error }](document []byte) (value T, err error) {
	if err = Decode(document, &value).Err(); err == nil {
		err = value.Validate()
	}
	if err != nil {
		return *new(T), err
	}
	return value, nil
}

// Fields returns the names of the fields of a document that is read into a struct.
func Fields[T any]() []string {
	var names []string
	for document, i := reflect.TypeFor[T](), 0; i < document.NumField(); i++ {
		name, _, _ := strings.Cut(document.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// cause says why data is not a JSON object.
func cause(data []byte, value any, err error) string {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "it is empty"
	case errors.Is(err, io.EOF) && value == nil && !bytes.ContainsAny(data, "[{"):
		return "it is null"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	}
	return err.Error()
}

// namedValue is a field of a JSON object in the order of the document.
type namedValue struct {
	name  string
	value any
}

// value reads one value: []namedValue, []any, string, json.Number, bool or nil.
func (r *reader) value(decoder *json.Decoder, path string, depth int) (any, error) {
	if depth > maximumDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maximumDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return r.members(decoder, path, depth)
	case json.Delim('['):
		return r.elements(decoder, path, depth)
	}
	return token, nil
}

func (r *reader) members(decoder *json.Decoder, path string, depth int) (any, error) {
	members, seen := []namedValue{}, map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if seen[name] {
			r.problems.Add(Join(path, name), "the field is there twice")
		}
		seen[name] = true
		value, err := r.value(decoder, Join(path, name), depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, namedValue{name, value})
	}
	_, err := decoder.Token()
	return members, err
}

func (r *reader) elements(decoder *json.Decoder, path string, depth int) (any, error) {
	elements := []any{}
	for decoder.More() {
		value, err := r.value(decoder, Index(path, len(elements)), depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, value)
	}
	_, err := decoder.Token()
	return elements, err
}

// Join returns the path of a field of the object at path.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Index returns the path of an element of the list at path.
func Index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// into writes a value of the document into a field. A null leaves the field as it is.
func (r *reader) into(value any, field reflect.Value, path string) {
	if value == nil {
		return
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	if text, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		r.intoText(value, text, path)
		return
	}
	switch field.Kind() {
	case reflect.Struct:
		r.intoStruct(value, field, path)
	case reflect.Slice:
		r.intoSlice(value, field, path)
	case reflect.Map:
		r.intoMap(value, field, path)
	default:
		r.intoScalar(value, field, path)
	}
}

func (r *reader) intoText(value any, into encoding.TextUnmarshaler, path string) {
	text, ok := value.(string)
	if !ok {
		r.expected("a text", value, path)
		return
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		r.problems.Add(path, "%v", err)
	}
}

func (r *reader) intoStruct(value any, field reflect.Value, path string) {
	members, ok := value.([]namedValue)
	if !ok {
		r.expected("an object", value, path)
		return
	}
	fields, names := map[string]reflect.Value{}, []string{}
	for i := range field.NumField() {
		name, _, _ := strings.Cut(field.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = field.Field(i)
		names = append(names, name)
	}
	for _, member := range members {
		known, ok := fields[member.name]
		if !ok {
			r.problems.Add(Join(path, member.name), "unknown field%s", Suggestion(member.name, names))
			continue
		}
		r.into(member.value, known, Join(path, member.name))
	}
}

// intoSlice makes a list. An empty list of the document becomes an empty slice, an
// absent one stays nil: the two mean different things in a starting state.
func (r *reader) intoSlice(value any, field reflect.Value, path string) {
	elements, ok := value.([]any)
	if !ok {
		r.expected("a list", value, path)
		return
	}
	field.Set(reflect.MakeSlice(field.Type(), len(elements), len(elements)))
	for i, element := range elements {
		if element == nil {
			r.expected("a value", element, Index(path, i))
			continue
		}
		r.into(element, field.Index(i), Index(path, i))
	}
}

func (r *reader) intoMap(value any, field reflect.Value, path string) {
	members, ok := value.([]namedValue)
	if !ok {
		r.expected("an object", value, path)
		return
	}
	field.Set(reflect.MakeMap(field.Type()))
	for _, member := range members {
		element := reflect.New(field.Type().Elem()).Elem()
		r.into(member.value, element, Join(path, member.name))
		field.SetMapIndex(reflect.ValueOf(member.name), element)
	}
}

// scalarNames are the kinds of the other fields, as messages name them.
var scalarNames = map[reflect.Kind]string{
	reflect.String: "a text", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a number",
}

// intoScalar writes a text, a boolean or a number. A whole number has at most 32 bits.
func (r *reader) intoScalar(value any, field reflect.Value, path string) {
	text, _ := json.Marshal(value)
	err := json.Unmarshal(text, field.Addr().Interface())
	if err != nil || field.CanInt() && field.Int() != int64(int32(field.Int())) {
		r.expected(scalarNames[field.Kind()], value, path)
	}
}

// expected reports a value of the wrong kind. It does not quote the value, which may
// be a key in the wrong field.
func (r *reader) expected(want string, value any, path string) {
	got := kindOf(value)
	if got == "a number" && strings.HasSuffix(want, got[2:]) {
		got = "a number that does not fit"
	}
	r.problems.Add(path, "expected %s, got %s", want, got)
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}
