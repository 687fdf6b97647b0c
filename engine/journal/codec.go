package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// EncodeEvent returns an event as JSON text from which [DecodeEvent] makes the
// same event: what a journal keeps. Fields without a value are left out. Unlike
// plain JSON it tells secrets from objects and an empty list from none, and keeps
// texts that are not UTF-8. A value outside of the model of values is an error.
//
// A secret is {"$secret": NAME}, and an object that looks like one gets another $
// in front of its name. A byte that is no UTF-8 is U+001A and two hexadecimal
// digits, and so is U+001A itself.
func Encode(e run.Event) ([]byte, error) {
	tree, err := encode(reflect.ValueOf(e))
	if err != nil {
		return nil, fmt.Errorf("the event %d (%s) cannot be recorded: %w", e.Sequence, e.Kind, err)
	}
	var text bytes.Buffer
	w := json.NewEncoder(&text)
	w.SetEscapeHTML(false)
	if err := w.Encode(tree); err != nil {
		return nil, fmt.Errorf("the event %d (%s) cannot be recorded: %w", e.Sequence, e.Kind, err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// DecodeEvent reads what [EncodeEvent] returned. A field that it does not know is
// an error: an event that is understood in part would fold to another run.
func Decode(text []byte) (run.Event, error) {
	var e run.Event
	if err := decode(text, reflect.ValueOf(&e).Elem()); err != nil {
		return run.Event{}, fmt.Errorf("it is no event: %w", err)
	}
	return e, nil
}

// maxRecordDepth bounds how deep values nest, well below where decoders give up.
const maxDepth = 1000

var (
	timeGoType = reflect.TypeFor[time.Time]()
	rawGoType  = reflect.TypeFor[json.RawMessage]()
)

// encode turns a part of an event into values that encoding/json writes as they
// are. It goes by the fields of the types, so that a new one needs no line here.
func encode(v reflect.Value) (any, error) {
	switch {
	case v.Type() == timeGoType:
		return encodeTime(v.Interface().(time.Time))
	case v.Type() == rawGoType:
		if raw := v.Interface().(json.RawMessage); json.Valid(raw) {
			return raw, nil
		}
		return nil, errors.New("it is no JSON text")
	}
	switch v.Kind() {
	case reflect.Pointer:
		return encode(v.Elem())
	case reflect.Struct:
		return encodeStructure(v)
	case reflect.String:
		return encodeText(v.String()), nil
	case reflect.Int, reflect.Bool:
		return v.Interface(), nil
	case reflect.Map:
		if texts, ok := v.Interface().(map[string]string); ok {
			return encodeTexts(texts), nil
		}
	}
	return encodeValue(v.Interface(), 0)
}

func encodeStructure(v reflect.Value) (any, error) {
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

// A placedError is what is wrong with a value, and the path to it.
type placedError struct {
	path string
	err  error
}

func (e *placedError) Error() string { return e.path + ": " + e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// inside says that an error is of a part: a field, or an item as [3].
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

// absent reports whether a field has no value. An empty list is one.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer, reflect.Interface:
		return v.IsNil()
	}
	return v.IsZero()
}

// unrecorded is the name of fields that are not written.
const unrecorded = "-"

// fieldName is the name of a field in JSON text.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
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
			return nil, fmt.Errorf("%v is no number of JSON", v)
		}
		return v, nil
	case string:
		return encodeText(v), nil
	case action.Secret:
		return map[string]any{secretField: encodeText(v.Name)}, nil
	case []any:
		return encodeList(v, depth)
	case action.Object:
		return encodeObject(v, depth)
	}
	return nil, fmt.Errorf("a %T is no value; there are nil, bool, float64, string, list, object and secret", v)
}

func encodeList(list []any, depth int) (any, error) {
	encoded := make([]any, len(list))
	for i := range list {
		var err error
		if encoded[i], err = encodeValue(list[i], depth+1); err != nil {
			return nil, inside(fmt.Sprintf("[%d]", i), err)
		}
	}
	return encoded, nil
}

func encodeObject(o action.Object, depth int) (any, error) {
	encoded := make(map[string]any, len(o))
	for _, name := range action.SortedNames(o) {
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

// secretField is the only field of what stands for a secret.
const secretField = "$secret"

// looksLikeSecret reports whether a field is secretField, with any number of
// dollars.
func looksLikeSecret(name string) bool {
	return strings.HasPrefix(name, "$") && strings.TrimLeft(name, "$") == secretField[1:]
}

func encodeTexts(texts map[string]string) any {
	encoded := make(map[string]any, len(texts))
	for name, text := range texts {
		encoded[encodeText(name)] = encodeText(text)
	}
	return encoded
}

func encodeTime(t time.Time) (any, error) {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, fmt.Errorf("the year %d cannot be written in RFC 3339", t.Year())
	}
	return t.Format(time.RFC3339Nano), nil
}

// escapeByte begins an escaped byte. It is U+001A, which Unicode calls SUBSTITUTE.
const escapeByte = 0x1a

// encodeText escapes what is not UTF-8, which JSON text cannot hold.
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
