package pagerduty

import (
	"encoding/json"
	"strings"
)

// decodeError reads every shape of error that PagerDuty and what stands before it
// are known to send; what cannot be read is quoted, shortened. A server may quote a
// key back, so every text passes through keys.
func decodeError(body []byte, keys redactor) (code int, message string, details []string) {
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Status  string          `json:"status"`
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return 0, plainText(string(body), keys), nil
	}
	message, details = shape.Message, texts(shape.Errors, keys)
	if message == "" {
		message = shape.Status
	}
	var inner struct {
		Message string          `json:"message"`
		Code    json.Number     `json:"code"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(shape.Error, &inner) == nil && inner.Message+inner.Code.String() != "" {
		number, _ := inner.Code.Int64()
		return int(number), keys.line(inner.Message), append(details, texts(inner.Errors, keys)...)
	}
	if list := texts(shape.Error, keys); len(list) > 0 {
		details = append(list, details...)
	}
	return 0, keys.line(message), details
}

// texts reads a text, or a list of texts.
func texts(raw json.RawMessage, keys redactor) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{keys.line(one)}
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			// Written anew: the original may spell a key with escapes.
			again, _ := json.Marshal(keys.within(item))
			text = string(again)
		}
		out = append(out, keys.line(text))
	}
	return out
}

// plainText makes a sentence of a body that is not JSON: never a page of HTML.
func plainText(body string, keys redactor) string {
	trimmed := strings.TrimSpace(body)
	if strings.HasPrefix(trimmed, "<") {
		return "the answer is a web page, not PagerDuty's; a proxy or a load balancer may stand in between"
	}
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		return "the answer is not JSON that can be read; it may have broken off"
	}
	return keys.line(trimmed)
}
