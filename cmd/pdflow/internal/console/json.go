package console

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSON writes a value as one indented document with one call of Write.
func WriteJSON(to io.Writer, v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// ValueText returns a text of one line as it is and every other value as JSON.
func ValueText(v any) string {
	if s, ok := v.(string); ok && !strings.ContainsAny(s, "\n\r") {
		return s
	}
	text, err := MarshalLine(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return text
}

// MarshalLine returns a value as JSON on one line, without a newline at the end.
func MarshalLine(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
