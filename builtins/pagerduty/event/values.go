package event

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AlertOf returns the alert that the values of a script mean, whatever their types are. Values under names
// that an alert does not have go into its details.
func AlertOf(action Action, given map[string]any) Alert {
	r := reading{given: maps.Clone(given)}
	a := Alert{
		Action: action, IncidentKey: r.text("incident_key"), Description: r.text("description"),
		Client: r.text("client"), ClientURL: r.text("client_url"), Details: r.object("details"), Contexts: r.objects("contexts"),
	}
	delete(r.given, "service_key")
	a.Details, a.Notes = r.rest(a.Details), r.notes
	return a
}

// ChangeOf returns the change event that the values of a script mean.
func ChangeOf(given map[string]any) Change {
	r := reading{given: maps.Clone(given)}
	c := Change{
		Summary: r.text("summary"), Source: r.text("source"), Timestamp: r.text("timestamp"),
		Details: r.object("details"), Links: r.objects("links"),
	}
	delete(r.given, "service_key")
	delete(r.given, "idempotent")
	c.Details, c.Notes = r.rest(c.Details), r.notes
	return c
}

// A reading takes values one by one.
type reading struct {
	given map[string]any // what was not taken yet
	fitting
}

func (r *reading) take(name string) any {
	v := r.given[name]
	delete(r.given, name)
	return v
}

// text takes a text, or a value as text.
func (r *reading) text(name string) string {
	v := r.take(name)
	switch v.(type) {
	case map[string]any, []any:
		r.note("%s: it is %s, and is sent as JSON", name, kindOf(v))
	}
	return textOf(v)
}

// object takes an object, or puts a value into one.
func (r *reading) object(name string) map[string]any {
	switch v := r.take(name).(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	case []any:
		if len(v) == 0 {
			return map[string]any{} // an empty table of Lua
		}
		r.note("%s: it is a list and not an object; it is sent as the field value", name)
		return map[string]any{"value": v}
	default:
		r.note("%s: it is %s and not an object; it is sent as the field value", name, kindOf(v))
		return map[string]any{"value": v}
	}
}

// objects takes a list of objects. What is not an object is left out.
func (r *reading) objects(name string) []map[string]any {
	var items []any
	switch v := r.take(name).(type) {
	case nil:
	case []any:
		items = v
	case map[string]any:
		if len(v) > 0 {
			r.note("%s: it is an object and not a list; it is sent as the only item", name)
			items = []any{v}
		}
	default:
		r.note("%s: it is %s and not a list; it is left out", name, kindOf(v))
	}
	var found []map[string]any
	for i, item := range items {
		if o, ok := item.(map[string]any); ok {
			found = append(found, o)
		} else {
			r.note("%s[%d]: it is %s and not an object; it is left out", name, i+1, kindOf(item))
		}
	}
	return found
}

// rest adds what was not taken to the details.
func (r *reading) rest(details map[string]any) map[string]any {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(r.given)), func(name string) bool { return r.given[name] == nil })
	if len(names) == 0 {
		return details
	}
	details = maps.Clone(details)
	if details == nil {
		details = map[string]any{}
	}
	for _, name := range names {
		r.note("there is no input %s; it is sent in the details", quoted(name))
		details[free(details, name)] = r.given[name]
	}
	return details
}

// kindOf names the type of a value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string, fmt.Stringer:
		return "text"
	case bool:
		return "true or false"
	case float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return strings.TrimPrefix(fmt.Sprintf("a %T", v), "a *")
}

// A Mistake is what is wrong with a value that an author wrote.
type Mistake struct {
	Path    string // such as contexts[1]
	Message string
}

// CheckAlert returns what is wrong with the values of an alert as an author wrote them. known reports
// whether a value is known before the run. What the types and lengths of the inputs say is not repeated.
func CheckAlert(action Action, given map[string]any, known func(any) bool) []Mistake {
	c := checking{given: given, known: known}
	if action == Trigger {
		c.notBlank("description")
	}
	c.text("client_url", wrongURL)
	c.items("contexts", checkContext)
	return c.found
}

// CheckChange returns what is wrong with the values of a change event as an author wrote them.
func CheckChange(given map[string]any, known func(any) bool) []Mistake {
	c := checking{given: given, known: known}
	c.notBlank("summary")
	c.text("timestamp", func(text string) string {
		if _, err := Time(text); err != nil && text != "" {
			return "is not a time such as 2026-01-31T09:00:00Z"
		}
		return ""
	})
	c.items("links", checkLink)
	return c.found
}

// A checking looks at the values that are known.
type checking struct {
	given map[string]any
	known func(any) bool
	found []Mistake
}

func (c *checking) mistake(path, format string, args ...any) {
	c.found = append(c.found, Mistake{path, fmt.Sprintf(format, args...)})
}

func (c *checking) notBlank(name string) {
	if text, ok := c.given[name].(string); ok && strings.TrimSpace(text) == "" {
		c.mistake(name, "%q is empty", name)
	}
}

// text checks a text. wrong says what is wrong with it, or "".
func (c *checking) text(name string, wrong func(string) string) {
	text, _ := c.given[name].(string)
	if problem := wrong(text); problem != "" {
		c.mistake(name, "%q: %s %s", name, quoted(text), problem)
	}
}

// items checks the items of a list whose fields are all known.
func (c *checking) items(name string, wrong func(map[string]any) string) {
	items, _ := c.given[name].([]any)
	for i, item := range items {
		entry, ok := item.(map[string]any)
		if !ok || slices.ContainsFunc(slices.Collect(maps.Values(entry)), func(v any) bool { return !c.known(v) }) {
			continue
		}
		if problem := wrong(entry); problem != "" {
			path := fmt.Sprintf("%s[%d]", name, i+1)
			c.mistake(path, "%s %s", path, problem)
		}
	}
}
