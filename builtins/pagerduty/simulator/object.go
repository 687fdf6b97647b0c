package simulator

import "encoding/json"

// object is a JSON object from a request. Its fields are looked up by their
// exact names: a struct's would be matched regardless of case, and a client
// that sends "Incident_Key" would never be told.
type object map[string]any

// parseObject reads a JSON object. Anything else, null too, is none.
func parseObject(body []byte) (object, bool) {
	var fields object
	err := json.Unmarshal(body, &fields)
	return fields, err == nil && fields != nil
}

// has reports whether a field is there and not null.
func (o object) has(field string) bool { return o[field] != nil }

// text returns a string field, and "" for one that is absent or null. It is not
// ok when the field is something else.
func (o object) text(field string) (value string, ok bool) {
	if !o.has(field) {
		return "", true
	}
	value, ok = o[field].(string)
	return value, ok
}

// object returns an object field, and nil for one that is absent or null. It is
// not ok when the field is something else.
func (o object) object(field string) (value object, ok bool) {
	if !o.has(field) {
		return nil, true
	}
	fields, ok := o[field].(map[string]any)
	return fields, ok
}

// list returns a list field, and nil for one that is absent or null. It is not
// ok when the field is something else.
func (o object) list(field string) (values []any, ok bool) {
	if !o.has(field) {
		return nil, true
	}
	values, ok = o[field].([]any)
	return values, ok
}
