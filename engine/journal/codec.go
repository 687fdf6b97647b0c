package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
)

// Encode returns the JSON text in which journals store an event. [Decode] makes the
// same event of it. Unlike encoding/json, Encode
//
//   - tells a secret from an object, and an empty list or object from an absent one,
//   - keeps texts that are not UTF-8,
//   - refuses values outside the model of [action.Object], and names their path.
//
// Fields without a value are left out. A secret is {"$secret": NAME}. An object that
// looks like one gets another $ in front of its field. A byte that is not UTF-8, and
// U+001A itself, become U+001A and two hexadecimal digits.
//
// The codec follows the fields of the types, so a new field of an event needs no code
// here. docs/decisions/0011-event-codec.md says why encoding/json cannot do this.
func Encode(e run.Event) ([]byte, error) {
	tree, err := encode(reflect.ValueOf(e))
	if err != nil {
		return nil, fmt.Errorf("event %d (%s) cannot be recorded: %w", e.Sequence, e.Kind, err)
	}
	var text bytes.Buffer
	w := json.NewEncoder(&text)
	w.SetEscapeHTML(false)
	if err := w.Encode(tree); err != nil {
		return nil, fmt.Errorf("event %d (%s) cannot be recorded: %w", e.Sequence, e.Kind, err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// maxDepth limits how deep values nest. Decoders of JSON allow ten times as much.
const maxDepth = 1000

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// holdsValues reports whether a field of type t holds values of the model: any, []any
// or an object.
func holdsValues(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		return t.Elem().Kind() == reflect.Interface
	}
	return t.Kind() == reflect.Interface
}

// encode turns a part of an event into a tree that encoding/json writes as it is.
func encode(v reflect.Value) (any, error) {
	switch t := v.Type(); {
	case t == timeType:
		return encodeTime(v.Interface().(time.Time))
	case t == rawType:
		if raw := v.Interface().(json.RawMessage); json.Valid(raw) {
			return raw, nil
		}
		return nil, errors.New("it is not JSON text")
	case holdsValues(t):
		return encodeValue(v.Interface(), 0)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return encode(v.Elem())
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Slice:
		return encodeEach(v.Len(), func(i int) (any, error) { return encode(v.Index(i)) })
	case reflect.Map:
		return encodeMap(v)
	case reflect.String:
		return encodeText(v.String()), nil
	}
	return v.Interface(), nil
}

func encodeStruct(v reflect.Value) (any, error) {
	fields := make(map[string]any, v.NumField())
	for i := range v.NumField() {
		name := fieldName(v.Type().Field(i))
		if name == unrecorded || absent(v.Field(i)) {
			continue
		}
		encoded, err := encode(v.Field(i))
		if err != nil {
			return nil, inside(name, err)
		}
		fields[name] = encoded
	}
	return fields, nil
}

// encodeEach returns the list of n items that item encodes.
func encodeEach(n int, item func(int) (any, error)) (any, error) {
	encoded := make([]any, n)
	for i := range encoded {
		var err error
		if encoded[i], err = item(i); err != nil {
			return nil, inside(fmt.Sprintf("[%d]", i), err)
		}
	}
	return encoded, nil
}

func encodeMap(v reflect.Value) (any, error) {
	encoded := make(map[string]any, v.Len())
	for key, item := range v.Seq2() {
		var err error
		if encoded[encodeText(key.String())], err = encode(item); err != nil {
			return nil, inside(key.String(), err)
		}
	}
	return encoded, nil
}

// A placedError is an error about a part of an event, with the path of the part.
type placedError struct {
	path string
	err  error
}

func (e *placedError) Error() string { return e.path + ": " + e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// inside puts the name of a field, or an index as [3], in front of the path of an
// error.
func inside(part string, err error) error {
	var placed *placedError
	switch {
	case !errors.As(err, &placed):
		return &placedError{part, err}
	case strings.HasPrefix(placed.path, "["):
		return &placedError{part + placed.path, placed.err}
	}
	return &placedError{part + "." + placed.path, placed.err}
}

// absent reports whether a field has no value. An empty list or object is a value.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer, reflect.Interface:
		return v.IsNil()
	}
	return v.IsZero()
}

// unrecorded is the JSON name of fields that are not stored.
const unrecorded = "-"

// fieldName is the name of a field in the text.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return cmp.Or(name, f.Name)
}

// encodeValue encodes a value of the model that scripts, actions and files share.
func encodeValue(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is not a JSON number", v)
		}
		return v, nil
	case string:
		return encodeText(v), nil
	case action.Secret:
		return map[string]any{secretField: encodeText(v.Name)}, nil
	case []any:
		return encodeEach(len(v), func(i int) (any, error) { return encodeValue(v[i], depth+1) })
	case action.Object:
		return encodeObject(v, depth)
	}
	return nil, fmt.Errorf("type %T is not a value; values are nil, bool, float64, string, list, object and secret", v)
}

func encodeObject(o action.Object, depth int) (any, error) {
	encoded := make(map[string]any, len(o))
	for _, name := range phrase.Names(o) {
		part, err := encodeValue(o[name], depth+1)
		if err != nil {
			return nil, inside(name, err)
		}
		if len(o) == 1 && looksLikeSecret(name) {
			name = "$" + name
		}
		encoded[encodeText(name)] = part
	}
	return encoded, nil
}

// secretField is the only field of an object that stands for a secret.
const secretField = "$secret"

// looksLikeSecret reports whether name is secretField with any number of dollars.
func looksLikeSecret(name string) bool {
	return strings.HasPrefix(name, "$") && strings.TrimLeft(name, "$") == secretField[1:]
}

func encodeTime(t time.Time) (any, error) {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, fmt.Errorf("RFC 3339 cannot express the year %d", t.Year())
	}
	return t.Format(time.RFC3339Nano), nil
}

// escapeByte begins an escaped byte. It is U+001A, which Unicode calls SUBSTITUTE.
const escapeByte = 0x1a

// encodeText escapes the bytes that are not UTF-8, which JSON text cannot hold.
func encodeText(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, escapeByte) < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == escapeByte || r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "%c%02x", escapeByte, text[0])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}
