package api

import (
	"encoding/json"
	"net/http"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// object is a JSON object from a request. Its fields are looked up by their exact names:
// the fields of a struct would be matched regardless of case, and a client that sends
// "Incident_Key" would not notice its mistake.
type object map[string]any

// parseObject reads a JSON object. It refuses everything else, including null.
func parseObject(body []byte) (object, bool) {
	var fields object
	err := json.Unmarshal(body, &fields)
	return fields, err == nil && fields != nil
}

// readResource returns the fields of the resource in a body. Code 2003 for a body without
// the resource is from the documented table; that it is used here is [unknown, safe
// reading].
func readResource(body []byte, name, title string) (fields object, refused Response, ok bool) {
	root, ok := parseObject(body)
	if !ok {
		return nil, InvalidInput("Request body is not a JSON object"), false
	}
	fields, ok = root.object(name)
	if !ok || fields == nil {
		return nil, failure(http.StatusBadRequest, codeMissingArguments, "Missing Arguments", title+" is missing"), false
	}
	return fields, Response{}, true
}

// has reports whether a field is there and not null.
func (o object) has(field string) bool { return o[field] != nil }

// text returns a string field, and "" for a field that is absent or null. It is not ok
// when the field has another type.
func (o object) text(field string) (value string, ok bool) { return get[string](o, field) }

// object returns an object field, and nil for a field that is absent or null. It is not
// ok when the field has another type.
func (o object) object(field string) (value object, ok bool) {
	return get[map[string]any](o, field)
}

// list returns a list field, and nil for a field that is absent or null. It is not ok
// when the field has another type.
func (o object) list(field string) (values []any, ok bool) { return get[[]any](o, field) }

func get[T any](o object, field string) (value T, ok bool) {
	if !o.has(field) {
		return value, true
	}
	value, ok = o[field].(T)
	return value, ok
}

// referredID returns the identifier in a reference, and "" without one.
func (o object) referredID(field string) string {
	to, _ := o.object(field)
	id, _ := to.text("id")
	return id
}

// complaints are the sentences that say what is wrong with a request.
type complaints account.Invalid

func (c *complaints) add(format string, values ...any) {
	(*account.Invalid)(c).Add(format, values...)
}

// text returns a string field. A field of another type is refused ([unknown, safe
// reading]); title names it in the complaint.
func (c *complaints) text(fields object, name, title string) string {
	value, ok := fields.text(name)
	if !ok {
		c.add("%s must be a string", title)
	}
	return value
}
