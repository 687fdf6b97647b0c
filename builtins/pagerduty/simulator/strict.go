package simulator

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// maximumDepth of nesting: no document of ours comes near.
const maximumDepth = 32

// strictReader reads JSON documents of people, and reports every mistake with
// its place. encoding/json reports one and ignores names that it does not know.
type strictReader struct {
	problems Problems
}

// readStrict reads data into the struct behind into.
func readStrict(data []byte, into any) Problems {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	r := &strictReader{}
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

// cause says why data is no JSON object.
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
func (r *strictReader) value(decoder *json.Decoder, path string, depth int) (any, error) {
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

func (r *strictReader) members(decoder *json.Decoder, path string, depth int) (any, error) {
	members, seen := []namedValue{}, map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if seen[name] {
			r.problems.add(join(path, name), "the field is there twice")
		}
		seen[name] = true
		value, err := r.value(decoder, join(path, name), depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, namedValue{name, value})
	}
	_, err := decoder.Token()
	return members, err
}

func (r *strictReader) elements(decoder *json.Decoder, path string, depth int) (any, error) {
	elements := []any{}
	for decoder.More() {
		value, err := r.value(decoder, index(path, len(elements)), depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, value)
	}
	_, err := decoder.Token()
	return elements, err
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// into writes a value that was read into a field. A null leaves it as it is.
func (r *strictReader) into(value any, field reflect.Value, path string) {
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

func (r *strictReader) intoText(value any, into encoding.TextUnmarshaler, path string) {
	text, ok := value.(string)
	if !ok {
		r.expected("a text", value, path)
		return
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		r.problems.add(path, "%v", err)
	}
}

func (r *strictReader) intoStruct(value any, field reflect.Value, path string) {
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
			r.problems.add(join(path, member.name), "unknown field%s", suggestion(member.name, names))
			continue
		}
		r.into(member.value, known, join(path, member.name))
	}
}

// intoSlice makes a list, which is not nil when it is empty: an empty list says
// that there are none, an absent one says nothing.
func (r *strictReader) intoSlice(value any, field reflect.Value, path string) {
	elements, ok := value.([]any)
	if !ok {
		r.expected("a list", value, path)
		return
	}
	field.Set(reflect.MakeSlice(field.Type(), len(elements), len(elements)))
	for i, element := range elements {
		if element == nil {
			r.expected("a value", element, index(path, i))
			continue
		}
		r.into(element, field.Index(i), index(path, i))
	}
}

func (r *strictReader) intoMap(value any, field reflect.Value, path string) {
	members, ok := value.([]namedValue)
	if !ok {
		r.expected("an object", value, path)
		return
	}
	field.Set(reflect.MakeMap(field.Type()))
	for _, member := range members {
		element := reflect.New(field.Type().Elem()).Elem()
		r.into(member.value, element, join(path, member.name))
		field.SetMapIndex(reflect.ValueOf(member.name), element)
	}
}

func (r *strictReader) intoScalar(value any, field reflect.Value, path string) {
	switch field.Kind() {
	case reflect.String:
		if text, ok := value.(string); ok {
			field.SetString(text)
			return
		}
		r.expected("a text", value, path)
	case reflect.Bool:
		if flag, ok := value.(bool); ok {
			field.SetBool(flag)
			return
		}
		r.expected("true or false", value, path)
	case reflect.Int:
		if number, ok := value.(json.Number); ok {
			whole, err := strconv.ParseInt(number.String(), 10, 32)
			if err == nil {
				field.SetInt(whole)
				return
			}
		}
		r.expected("a whole number", value, path)
	case reflect.Float64:
		if number, ok := value.(json.Number); ok {
			parsed, err := number.Float64()
			if err == nil {
				field.SetFloat(parsed)
				return
			}
		}
		r.expected("a number", value, path)
	}
}

// expected reports a value of another kind. It does not quote it: it may be a
// key that slipped into the wrong field.
func (r *strictReader) expected(want string, value any, path string) {
	r.problems.add(path, "expected %s, got %s", want, kindOf(value))
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
		return "a number that does not fit"
	case []any:
		return "a list"
	}
	return "an object"
}
