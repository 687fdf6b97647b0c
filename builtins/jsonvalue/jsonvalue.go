// Package jsonvalue declares the module json, and is how the other modules write JSON.
//
// jsonvalue.go declares the two functions; size.go computes how large a JSON text or
// its values become before they are made.
package jsonvalue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

const (
	// maxText is the largest size in bytes of a text that is decoded, and of a text that is
	// encoded, so that it can be decoded again. A recorded http body is 1 MB at most.
	maxText = 4 << 20
	// maxValues is the largest number of values of a decoded text. A script could not return
	// more.
	maxValues = 200_000
	// The memory of a decoded object and of a decoded value, without their text.
	objectBytes = 400
	valueBytes  = 64
	// MaxDepth is the deepest nesting that is decoded and encoded. Documents that people
	// write are far from it.
	MaxDepth = 200
	// maxExactInteger is 2^53: above it a float64 skips whole numbers.
	maxExactInteger = 1 << 53
)

// Actions returns the actions of the module json.
func Actions() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "json.encode",
			Summary: "Write a value as JSON.",
			Doc: "The fields of an object are sorted by name. A value that contains a secret is refused. The text may have 4 MB, " +
				"with its indentation.",
			Effect: action.Pure,
			Args:   []string{"value", "pretty"},
			Spread: true,
		}, encode, action.Rules[encodeInput]{Validate: (*encodeInput).validate}),
		action.New(action.Spec{
			Name:    "json.decode",
			Summary: "Read a value from JSON.",
			Doc: "A null field of an object is left out; a null in a list keeps its place. An integer beyond 2^53 is " +
				"returned as text, since a number would be rounded. The text may have 4 MB and 200,000 values.",
			Effect: action.Pure,
			Args:   []string{"text"},
			Spread: true,
		}, decode),
	}
}

type encodeInput struct {
	Value  any  `json:"value" doc:"The value; an absent value is written as null"`
	Pretty bool `json:"pretty" doc:"Whether to break lines and indent by two spaces"`
}

func (in *encodeInput) validate() error {
	if DeeperThan(in.Value, MaxDepth) {
		return ErrTooDeep("the value")
	}
	return nil
}

type encodeOutput struct {
	Text string `json:"text" doc:"The JSON text"`
}

func encode(ctx context.Context, in encodeInput) (encodeOutput, error) {
	size := sizeOf(in.Value, in.Pretty, maxText)
	if size > maxText {
		err := action.Errorf(action.Limit, "the JSON text would be longer than %d bytes", maxText)
		err.Hint = "encode the parts of the value one by one, or leave out what is not needed"
		return encodeOutput{}, err
	}
	if err := action.Work(ctx, int64(size/bytesPerStep)); err != nil {
		return encodeOutput{}, err
	}
	text, err := Marshal(in.Value)
	if err != nil {
		return encodeOutput{}, action.Errorf(action.InvalidInput, "the value cannot be written as JSON: %w", err)
	}
	if in.Pretty {
		var b bytes.Buffer
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return encodeOutput{}, err
		}
		text = b.Bytes()
	}
	return encodeOutput{Text: string(text)}, nil
}

// Marshal writes JSON without escaping & and <.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

type decodeInput struct {
	Text string `json:"text" required:"true" doc:"The JSON text"`
}

type decodeOutput struct {
	Value any `json:"value" doc:"The value; absent for null"`
}

func decode(ctx context.Context, in decodeInput) (decodeOutput, error) {
	if len(in.Text) > maxText {
		return decodeOutput{}, action.Errorf(action.Limit, "the JSON text is %d bytes long, at most %d are allowed",
			len(in.Text), maxText)
	}
	if err := admit(ctx, in.Text); err != nil {
		return decodeOutput{}, err
	}
	decoder := json.NewDecoder(strings.NewReader(in.Text))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return decodeOutput{}, syntaxError(in.Text, err)
	}
	if rest := strings.TrimLeft(in.Text[decoder.InputOffset():], " \t\r\n"); rest != "" {
		return decodeOutput{}, syntaxErrorAt(in.Text, len(in.Text)-len(rest), "there is more text after the value")
	}
	if DeeperThan(raw, MaxDepth) {
		return decodeOutput{}, ErrTooDeep("the JSON text")
	}
	value, err := canonical(raw)
	return decodeOutput{Value: value}, err
}

func syntaxError(text string, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && strings.TrimSpace(text) == "":
		return action.Errorf(action.InvalidInput, "the JSON text is empty")
	case errors.As(err, &syntax):
		return syntaxErrorAt(text, int(syntax.Offset)-1, syntax.Error())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return syntaxErrorAt(text, len(text), "it ends too early")
	}
	return action.Errorf(action.InvalidInput, "the text is not JSON: %w", err)
}

// syntaxErrorAt names the line and column of a byte offset.
func syntaxErrorAt(text string, offset int, what string) error {
	before := text[:min(max(offset, 0), len(text))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return action.Errorf(action.InvalidInput, "the text is not JSON: line %d, column %d: %s", line, column, what)
}

// ErrTooDeep is the error for a value or text that is nested more than [MaxDepth] levels deep.
func ErrTooDeep(what string) error {
	return action.Errorf(action.Limit, "%s is nested more than %d levels deep", what, MaxDepth)
}

// canonical converts what encoding/json decoded with UseNumber to the model of values.
func canonical(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return canonicalNumber(v.String())
	case []any:
		for i := range v {
			item, err := canonical(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = item
		}
	case map[string]any:
		for _, name := range phrase.Names(v) {
			field, err := canonical(v[name])
			if err != nil {
				return nil, err
			}
			if v[name] = field; field == nil {
				delete(v, name)
			}
		}
	}
	return v, nil
}

// canonicalNumber returns an integer that a float64 cannot hold exactly as text.
func canonicalNumber(text string) (any, error) {
	if !strings.ContainsAny(text, ".eE") {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || i > maxExactInteger || i < -maxExactInteger {
			return text, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, action.Errorf(action.InvalidInput, "the text is not JSON: the number %s is too large", phrase.Clip(text, 40))
	}
	return f, nil
}

// DeeperThan reports whether lists and objects are nested in more than a number of levels.
func DeeperThan(v any, levels int) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if levels == 0 || DeeperThan(item, levels-1) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if levels == 0 || DeeperThan(item, levels-1) {
				return true
			}
		}
	}
	return false
}
