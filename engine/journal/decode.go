package journal

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
)

// Decode returns the event of a text that [Encode] made. An unknown field is an error:
// a newer version wrote the event, and to ignore the field could change the run.
func Decode(text []byte) (run.Event, error) {
	var e run.Event
	if err := decode(text, reflect.ValueOf(&e).Elem()); err != nil {
		return run.Event{}, fmt.Errorf("it is not an event: %w", err)
	}
	return e, nil
}

// decode sets dst from the text that encode made of a value of its type.
func decode(text json.RawMessage, dst reflect.Value) error {
	switch t := dst.Type(); {
	case t == timeType:
		return decodeTime(text, dst)
	case t == rawType:
		dst.SetBytes(append([]byte(nil), text...))
		return nil
	case holdsValues(t):
		return decodeValue(text, dst)
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return decode(text, dst.Elem())
	case reflect.Struct:
		return decodeStruct(text, dst)
	case reflect.Slice:
		return decodeSlice(text, dst)
	case reflect.Map:
		return decodeMap(text, dst)
	case reflect.String:
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		s, err := decodeText(s)
		dst.SetString(s)
		return err
	}
	return json.Unmarshal(text, dst.Addr().Interface())
}

func decodeStruct(text json.RawMessage, dst reflect.Value) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for i := range dst.NumField() {
		name := fieldName(dst.Type().Field(i))
		field, ok := fields[name]
		if !ok || name == unrecorded {
			continue
		}
		if err := decode(field, dst.Field(i)); err != nil {
			return inside(name, err)
		}
		delete(fields, name)
	}
	if unknown := phrase.Names(fields); len(unknown) > 0 {
		return fmt.Errorf("unknown field %q", unknown[0])
	}
	return nil
}

// misplaced is the error about a text of another type than its place.
func misplaced(text json.RawMessage) error {
	return fmt.Errorf("%s is not valid here", phrase.Clip(string(text), 40))
}

func decodeSlice(text json.RawMessage, dst reflect.Value) error {
	var items []json.RawMessage
	if err := json.Unmarshal(text, &items); err != nil || items == nil {
		return misplaced(text)
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
	for i, item := range items {
		if err := decode(item, dst.Index(i)); err != nil {
			return inside(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

func decodeMap(text json.RawMessage, dst reflect.Value) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return misplaced(text)
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), len(fields)))
	for _, written := range phrase.Names(fields) {
		name, err := decodeText(written)
		if err != nil {
			return err
		}
		item, key := reflect.New(dst.Type().Elem()).Elem(), reflect.ValueOf(name)
		if err := decode(fields[written], item); err != nil {
			return inside(name, err)
		}
		if dst.MapIndex(key).IsValid() {
			return fmt.Errorf("the field %q appears twice", name)
		}
		dst.SetMapIndex(key, item)
	}
	return nil
}

// decodeValue sets a field that holds values of the model.
func decodeValue(text json.RawMessage, dst reflect.Value) error {
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	v, err := restoreValue(tree)
	if err != nil {
		return err
	}
	if v == nil || !reflect.TypeOf(v).AssignableTo(dst.Type()) {
		return misplaced(text)
	}
	dst.Set(reflect.ValueOf(v))
	return nil
}

// restoreValue reverses encodeValue.
func restoreValue(tree any) (any, error) {
	switch tree := tree.(type) {
	case string:
		return decodeText(tree)
	case []any:
		for i := range tree {
			var err error
			if tree[i], err = restoreValue(tree[i]); err != nil {
				return nil, err
			}
		}
		return tree, nil
	case map[string]any:
		return restoreObject(tree)
	}
	return tree, nil
}

func restoreObject(tree map[string]any) (any, error) {
	o := make(action.Object, len(tree))
	for _, written := range phrase.Names(tree) {
		name, err := decodeText(written)
		if err != nil {
			return nil, err
		}
		v, err := restoreValue(tree[written])
		if err != nil {
			return nil, err
		}
		if len(tree) == 1 && looksLikeSecret(name) {
			if name != secretField {
				return action.Object{name[1:]: v}, nil
			}
			text, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("the name of a secret is not a text: %v", v)
			}
			return action.Secret{Name: text}, nil
		}
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("the field %q appears twice", name)
		}
		o[name] = v
	}
	return o, nil
}

func decodeTime(text json.RawMessage, dst reflect.Value) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return err
	}
	if _, err := encodeTime(t); err != nil {
		return err
	}
	dst.Set(reflect.ValueOf(t.UTC()))
	return nil
}

// decodeText reverses encodeText.
func decodeText(text string) (string, error) {
	if strings.IndexByte(text, escapeByte) < 0 {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != escapeByte {
			b.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", errors.New("a text ends inside an escaped byte")
		}
		raw, err := hex.DecodeString(text[i+1 : i+3])
		if err != nil {
			return "", fmt.Errorf("an escape in a text is not followed by a byte: %w", err)
		}
		b.WriteByte(raw[0])
		i += 2
	}
	return b.String(), nil
}
