package codes

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
)

func base64Actions() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "base64.encode",
			Summary: "Encode text as base64.",
			Effect:  action.Pure,
			Args:    []string{"text"},
			Spread:  true,
		}, base64Encode),
		action.New(action.Spec{
			Name:    "base64.decode",
			Summary: "Decode base64.",
			Doc:     "The text may have padding and line breaks. The decoded text must be UTF-8.",
			Effect:  action.Pure,
			Args:    []string{"text"},
			Spread:  true,
		}, base64Decode),
	}
}

type base64EncodeInput struct {
	Text    string `json:"text" required:"true" doc:"The text"`
	URLSafe bool   `json:"url_safe" doc:"Whether to write - and _ instead of + and /, and no padding"`
}

type base64EncodeOutput struct {
	Base64 string `json:"base64" doc:"The base64 text"`
}

func base64Encode(_ context.Context, in base64EncodeInput) (base64EncodeOutput, error) {
	encoding := base64.StdEncoding
	if in.URLSafe {
		encoding = base64.RawURLEncoding
	}
	return base64EncodeOutput{Base64: encoding.EncodeToString([]byte(in.Text))}, nil
}

type base64DecodeInput struct {
	Text    string `json:"text" required:"true" doc:"The base64 text"`
	URLSafe bool   `json:"url_safe" doc:"Whether the text has - and _ instead of + and /"`
}

type base64DecodeOutput struct {
	Text string `json:"text" doc:"The decoded text"`
}

func base64Decode(_ context.Context, in base64DecodeInput) (base64DecodeOutput, error) {
	encoding := base64.RawStdEncoding
	if in.URLSafe {
		encoding = base64.RawURLEncoding
	}
	decoded, err := encoding.DecodeString(strings.TrimRight(in.Text, "=\r\n"))
	var corrupt base64.CorruptInputError
	switch {
	case errors.As(err, &corrupt):
		return base64DecodeOutput{}, &action.Error{
			Kind:    action.InvalidInput,
			Message: fmt.Sprintf("the text is not base64: the error is at character %d", int64(corrupt)+1),
			Hint:    otherAlphabet(in),
		}
	case err != nil:
		return base64DecodeOutput{}, action.Errorf(action.InvalidInput, "the text is not base64: %w", err)
	case !utf8.Valid(decoded):
		return base64DecodeOutput{}, action.Errorf(action.InvalidInput, "the decoded text is not UTF-8")
	}
	return base64DecodeOutput{Text: string(decoded)}, nil
}

// otherAlphabet returns a hint when the text is in the other alphabet.
func otherAlphabet(in base64DecodeInput) string {
	switch {
	case !in.URLSafe && strings.ContainsAny(in.Text, "-_"):
		return "it contains - or _: give url_safe = true"
	case in.URLSafe && strings.ContainsAny(in.Text, "+/"):
		return "it contains + or /: leave out url_safe"
	}
	return ""
}
