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
)

// decode sets dst from the text that encode made of a value of its type.
func decode(text json.RawMessage, dst reflect.Value) error {
	switch dst.Type() {
	case timeGoType:
		return decodeTime(text, dst)
	case rawGoType:
		dst.SetBytes(append([]byte(nil), text...))
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return decode(text, dst.Elem())
	case reflect.Struct:
		return decodeStructure(text, dst)
	case reflect.String:
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		s, err := decodeText(s)
		dst.SetString(s)
		return err
	case reflect.Int, reflect.Bool:
		return json.Unmarshal(text, dst.Addr().Interface())
	}
	return decodeValue(text, dst)
}

func decodeStructure(text json.RawMessage, dst reflect.Value) error {
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
	if unknown := action.SortedNames(fields); len(unknown) > 0 {
		return fmt.Errorf("the field %q is not known", unknown[0])
	}
	return nil
}

// decodeValue decodes lists, maps and whatever is a value of the model.
func decodeValue(text json.RawMessage, dst reflect.Value) error {
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	v, err := restoreValue(tree)
	if err != nil {
		return err
	}
	if v != nil && reflect.TypeOf(v).AssignableTo(dst.Type()) {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	object, ok := v.(action.Object)
	texts := make(map[string]string, len(object))
	for name, v := range object {
		text, isText := v.(string)
		texts[name], ok = text, ok && isText
	}
	if !ok || !reflect.TypeOf(texts).AssignableTo(dst.Type()) {
		return fmt.Errorf("%s cannot stand here", action.Clip(string(text), 40))
	}
	dst.Set(reflect.ValueOf(texts))
	return nil
}

// restoreValue puts back what the encoder replaced.
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
	for _, written := range action.SortedNames(tree) {
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
				return nil, fmt.Errorf("the name of a secret is no text: %v", v)
			}
			return action.Secret{Name: text}, nil
		}
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("the field %q is there twice", name)
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

// decodeText puts escaped bytes back.
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
			return "", errors.New("a text ends inside of an escaped byte")
		}
		raw, err := hex.DecodeString(text[i+1 : i+3])
		if err != nil {
			return "", fmt.Errorf("a text has no byte after the escape: %w", err)
		}
		b.WriteByte(raw[0])
		i += 2
	}
	return b.String(), nil
}
