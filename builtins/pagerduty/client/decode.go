package client

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// decodeError reads every shape of error that PagerDuty and what stands before it
// are known to send, whatever its content type says; what cannot be read is quoted,
// shortened. A field of an unexpected type hides no other field. A server may quote
// a key back, so every text passes through keys.
func decodeError(body []byte, keys redactor) (code int, message string, details []string) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	var shape map[string]json.RawMessage
	if json.Unmarshal(body, &shape) != nil {
		if list := texts(body, keys); len(list) > 0 { // a text, or a list of them, as JSON
			return 0, list[0], append([]string(nil), list[1:]...)
		}
		return 0, plainText(string(body), keys), nil
	}
	message, details = text(shape["message"], keys), texts(shape["errors"], keys)
	if message == "" {
		message = text(shape["status"], keys)
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(shape["error"], &inner) == nil {
		code, details = number(inner["code"]), append(details, texts(inner["errors"], keys)...)
		if words := text(inner["message"], keys); words != "" || code != 0 {
			message = words
		}
		return code, message, details
	}
	return number(shape["code"]), message, append(texts(shape["error"], keys), details...)
}

// text reads a text; of anything else it has the JSON.
func text(raw json.RawMessage, keys redactor) string {
	if list := texts(raw, keys); len(list) > 0 {
		return strings.Join(list, "; ")
	}
	return ""
}

// number reads a code, which some send as text.
func number(raw json.RawMessage) int {
	n, _ := strconv.Atoi(strings.Trim(string(raw), `"`))
	return n
}

// texts reads a text, a list of texts, or an object of them: the complaints about
// each field.
func texts(raw json.RawMessage, keys redactor) []string {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, item := range value {
			out = append(out, line(item, keys))
		}
		return out
	case map[string]any:
		var out []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			out = append(out, keys.line(keys.line(name)+" "+line(value[name], keys)))
		}
		return out
	case string:
		if value == "" {
			return nil
		}
	}
	return []string{line(value, keys)}
}

// line writes a value of JSON on one line; a text as it is.
func line(value any, keys redactor) string {
	if words, ok := value.(string); ok {
		return keys.line(words)
	}
	// Written anew: the original may spell a key with escapes.
	again, _ := json.Marshal(keys.within(value))
	return keys.line(string(again))
}

// plainText makes a sentence of a body that is not JSON: never a page of HTML.
func plainText(body string, keys redactor) string {
	trimmed := strings.TrimSpace(body)
	if strings.HasPrefix(trimmed, "<") {
		return "the answer is a web page, not PagerDuty's; a proxy or a load balancer may stand in between"
	}
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, `"`) {
		return "the answer is not JSON that can be read; it may have broken off"
	}
	return keys.line(trimmed)
}
