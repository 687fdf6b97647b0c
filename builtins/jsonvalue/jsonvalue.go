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
)

const (
	// maxJSONText bounds what is decoded, and what is encoded, so that it can be read
	// again; a recorded http body is 1 MB at most.
	maxJSONText = 4 << 20
	// maxJSONValues bounds the values of a decoded text. A script could give away no
	// more of them.
	maxJSONValues = 200_000
	// What decoded values take beside their text.
	jsonObjectBytes = 400
	jsonValueBytes  = 64
	// MaxDepth bounds the nesting both ways. No document that people write
	// comes near it.
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
			Doc: "The fields of an object are sorted by name. A value that holds a secret is refused. The text may have 4 MB, " +
				"its indentation included.",
			Effect: action.Pure,
			Args:   []string{"value", "pretty"},
			Spread: true,
		}, jsonEncode, action.Rules[jsonEncodeInput]{Validate: (*jsonEncodeInput).validate}),
		action.New(action.Spec{
			Name:    "json.decode",
			Summary: "Read a value from JSON.",
			Doc: "A null field of an object is absent, a null in a list keeps its place. An integer beyond 2^53 is " +
				"returned as text, since a number would be rounded. The text may have 4 MB and 200,000 values.",
			Effect: action.Pure,
			Args:   []string{"text"},
			Spread: true,
		}, jsonDecode),
	}
}

type jsonEncodeInput struct {
	Value  any  `json:"value" doc:"The value; nothing is written as null"`
	Pretty bool `json:"pretty" doc:"Whether to break lines and indent by two spaces"`
}

func (in *jsonEncodeInput) validate() error {
	if DeeperThan(in.Value, MaxDepth) {
		return ErrTooDeep("the value")
	}
	return nil
}

type jsonEncodeOutput struct {
	Text string `json:"text" doc:"The JSON text"`
}

func jsonEncode(ctx context.Context, in jsonEncodeInput) (jsonEncodeOutput, error) {
	size := sizeOfJSON(in.Value, in.Pretty, maxJSONText)
	if size > maxJSONText {
		err := action.Errorf(action.Limit, "the JSON text would be longer than %d bytes", maxJSONText)
		err.Hint = "encode the parts of the value one by one, or leave out what is not needed"
		return jsonEncodeOutput{}, err
	}
	if err := action.Work(ctx, int64(size/jsonBytesPerStep)); err != nil {
		return jsonEncodeOutput{}, err
	}
	text, err := Marshal(in.Value)
	if err != nil {
		return jsonEncodeOutput{}, action.Errorf(action.InvalidInput, "the value cannot be written as JSON: %w", err)
	}
	if in.Pretty {
		var b bytes.Buffer
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return jsonEncodeOutput{}, err
		}
		text = b.Bytes()
	}
	return jsonEncodeOutput{Text: string(text)}, nil
}

// Marshal writes JSON as people write it: & and < stay what they are.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

type jsonDecodeInput struct {
	Text string `json:"text" required:"true" doc:"The JSON text"`
}

type jsonDecodeOutput struct {
	Value any `json:"value" doc:"The value; nothing for null"`
}

func jsonDecode(ctx context.Context, in jsonDecodeInput) (jsonDecodeOutput, error) {
	if len(in.Text) > maxJSONText {
		return jsonDecodeOutput{}, action.Errorf(action.Limit, "the JSON text is %d bytes long, at most %d are allowed",
			len(in.Text), maxJSONText)
	}
	if err := admitJSON(ctx, in.Text); err != nil {
		return jsonDecodeOutput{}, err
	}
	decoder := json.NewDecoder(strings.NewReader(in.Text))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return jsonDecodeOutput{}, jsonError(in.Text, err)
	}
	if rest := strings.TrimLeft(in.Text[decoder.InputOffset():], " \t\r\n"); rest != "" {
		return jsonDecodeOutput{}, jsonErrorAt(in.Text, len(in.Text)-len(rest), "there is more text after the value")
	}
	if DeeperThan(raw, MaxDepth) {
		return jsonDecodeOutput{}, ErrTooDeep("the JSON text")
	}
	value, err := canonical(raw)
	return jsonDecodeOutput{Value: value}, err
}

func jsonError(text string, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && strings.TrimSpace(text) == "":
		return action.Errorf(action.InvalidInput, "the JSON text is empty")
	case errors.As(err, &syntax):
		return jsonErrorAt(text, int(syntax.Offset)-1, syntax.Error())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return jsonErrorAt(text, len(text), "it ends too early")
	}
	return action.Errorf(action.InvalidInput, "the text is not JSON: %w", err)
}

// jsonErrorAt names the place at a byte offset as people count it.
func jsonErrorAt(text string, offset int, what string) error {
	before := text[:min(max(offset, 0), len(text))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return action.Errorf(action.InvalidInput, "the text is not JSON: line %d, column %d: %s", line, column, what)
}

// ErrTooDeep is the error for a value or text that is nested more than [MaxDepth] levels deep.
func ErrTooDeep(what string) error {
	return action.Errorf(action.Limit, "%s is nested more than %d levels deep", what, MaxDepth)
}

// canonical turns what encoding/json decoded with UseNumber into the model of
// values.
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
		for _, name := range action.SortedNames(v) {
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

// canonicalNumber keeps as text the integers that a float64 cannot hold exactly.
func canonicalNumber(text string) (any, error) {
	if !strings.ContainsAny(text, ".eE") {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || i > maxExactInteger || i < -maxExactInteger {
			return text, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, action.Errorf(action.InvalidInput, "the text is not JSON: the number %s is too large", action.Clip(text, 40))
	}
	return f, nil
}

// DeeperThan reports whether lists and objects nest in more than so many levels.
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
