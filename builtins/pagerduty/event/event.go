// Package event makes an event that PagerDuty takes of any values.
//
// A page must not be lost because a text is too long or a link is empty. So what is wrong with a value is
// shortened, cleaned, left out, or replaced by a note, and the event says so in its details.
//
//   - An [Alert] triggers, acknowledges or resolves an incident. A [Change] tells a service of a change.
//     [AlertOf] and [ChangeOf] make them of the values that a script gave.
//   - [Alert.Fit] and [Change.Fit] return the event that is sent and what they changed. They are pure
//     functions, and an event that fits is not changed: a repeat of a call sends the same event.
//   - [Key] returns the incident key that is sent for a key.
//   - [CheckAlert] and [CheckChange] find the same mistakes in a file, where its author can correct them.
//
// The limits are those of PagerDuty's documents "Events API v1", "Events API v2" and "Send a change event".
package event

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Limits that PagerDuty enforces.
const (
	MaxText     = 1024    // characters of a description or a summary
	MaxKey      = 255     // characters of an incident key
	MaxBytes    = 512_000 // of a body; "512 KB" in the documents, and this is the safe reading
	MaxContexts = 50      // links, and as many images
)

// Limits of our own, where PagerDuty documents none.
const (
	maxClient = 1024 // characters of the name of a client or a source
	maxURL    = 2048 // characters of a URL
)

// An Action is what an alert does to an incident.
type Action string

// The actions of alerts.
const (
	Trigger     Action = "trigger"
	Acknowledge Action = "acknowledge"
	Resolve     Action = "resolve"
)

// An Alert is an event for the integration of a service.
type Alert struct {
	Action      Action
	ServiceKey  string           `json:"-"` // integration key; empty: the key of the connection
	IncidentKey string           // of an acknowledgement and a resolution: required
	Description string           // of a trigger: what is wrong
	Client      string           // of a trigger: the name of the monitoring tool
	ClientURL   string           // of a trigger: a link to the monitoring tool
	Details     map[string]any   // any JSON object
	Contexts    []map[string]any // links and images of a trigger
	// Fallback is the description of a trigger whose description is empty.
	Fallback string
	// Notes are what was changed before Fit, for the details.
	Notes []string
}

// Format implements [fmt.Formatter]: no verb prints the key.
func (a Alert) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "event.Alert{Action: %q, ServiceKey: %s, IncidentKey: %q, Description: %q}", string(a.Action), concealed(a.ServiceKey), a.IncidentKey, a.Description)
}

// LogValue implements [slog.LogValuer]: logs do not show the key.
func (a Alert) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }

// A Change is a change event. It opens no incident.
type Change struct {
	ServiceKey string           `json:"-"` // key of an Events API v2 integration; empty: the key of the connection
	Summary    string           // what has changed
	Source     string           // where; may be empty
	Timestamp  string           // when, see [Time]; empty: the time of arrival at PagerDuty
	Details    map[string]any   // any JSON object
	Links      []map[string]any // each has href, and may have text
	// Fallback is the summary of a change event whose summary is empty.
	Fallback string
	// Notes are what was changed before Fit, for the details.
	Notes []string
}

// Format implements [fmt.Formatter]: no verb prints the key.
func (c Change) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "event.Change{ServiceKey: %s, Summary: %q}", concealed(c.ServiceKey), c.Summary)
}

// LogValue implements [slog.LogValuer]: logs do not show the key.
func (c Change) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// concealed reports whether a key is set, without showing it.
func concealed(key string) string {
	if key == "" {
		return "none"
	}
	return "‹redacted›"
}

// noDescription is the text of an event that has neither a text nor a fallback.
const noDescription = "(no description)"

// Fit returns the alert that PagerDuty takes, and what differs from a. The alert itself is not changed.
func (a Alert) Fit() (Alert, []string) {
	f := fitting{notes: slices.Clone(a.Notes)}
	a.Notes = nil
	var whole string // a description that was shortened
	if a.Action == Trigger || a.Description != "" {
		a.Description, whole = f.text("description", a.Description, a.Fallback)
	}
	if key := Key(a.IncidentKey); key != a.IncidentKey {
		f.note("incident_key: %s; the key that is sent ends in a hash of it", wrongKey(a.IncidentKey))
		a.IncidentKey = key
	}
	a.Client = f.short("client", a.Client)
	a.ClientURL = f.url("client_url", a.ClientURL)
	a.Contexts = f.contexts("contexts", a.Contexts, checkContext)
	a.Details = f.details(a.Details, whole, "full_description", size(a.Description)+2*size(a.Client)+size(a.ClientURL)+size(a.IncidentKey)+size(a.Contexts))
	return a, f.bounded()
}

// Fit returns the change event that PagerDuty takes, and what differs from c. The event itself is not
// changed.
func (c Change) Fit() (Change, []string) {
	f := fitting{notes: slices.Clone(c.Notes)}
	c.Notes = nil
	var whole string
	c.Summary, whole = f.text("summary", c.Summary, c.Fallback)
	c.Source = f.short("source", c.Source)
	if c.Timestamp != "" {
		at, err := Time(c.Timestamp)
		if err != nil {
			f.note("timestamp: %s is not a time; it is left out", quoted(c.Timestamp))
		}
		c.Timestamp = at
	}
	c.Links = f.contexts("links", c.Links, checkLink)
	c.Details = f.details(c.Details, whole, "full_summary", size(c.Summary)+size(c.Source)+size(c.Links))
	return c, f.bounded()
}

// A fitting collects what was changed.
type fitting struct{ notes []string }

func (f *fitting) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// text returns a text that PagerDuty takes. The second result is the whole text if it was shortened.
func (f *fitting) text(name, text, fallback string) (fits, whole string) {
	clean := f.clean(name, text)
	if strings.TrimSpace(clean) == "" {
		f.note("%s: it is empty", name)
		clean = cmp.Or(f.clean(name, strings.TrimSpace(fallback)), noDescription)
	}
	if n := length(clean); n > MaxText {
		f.note("%s: shortened from %s to %s characters", name, grouped(n), grouped(MaxText))
		return clip(clean, MaxText), clean
	}
	return clean, ""
}

// short returns a short text without a documented limit.
func (f *fitting) short(name, text string) string {
	text = f.clean(name, text)
	if n := length(text); n > maxClient {
		f.note("%s: shortened from %s to %s characters", name, grouped(n), grouped(maxClient))
		return clip(text, maxClient)
	}
	return text
}

// clean returns valid text.
func (f *fitting) clean(name, text string) string {
	clean := valid(text)
	if clean != text {
		f.note("%s: bytes that are not UTF-8 text are replaced", name)
	}
	return clean
}

// url returns a URL that PagerDuty takes, or an empty text.
func (f *fitting) url(name, text string) string {
	if problem := wrongURL(text); problem != "" {
		f.note("%s: %s %s; it is left out", name, quoted(text), problem)
		return ""
	}
	return text
}

// wrongURL says what is wrong with a URL that may be empty.
func wrongURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return ""
	case length(text) > maxURL:
		return fmt.Sprintf("has %s characters, more than %s", grouped(length(text)), grouped(maxURL))
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || valid(text) != text:
		return "is not a URL such as https://example.com/status"
	}
	return ""
}

// contexts returns the contexts or links that PagerDuty takes. check says what is wrong with one.
func (f *fitting) contexts(name string, given []map[string]any, check func(map[string]any) string) []map[string]any {
	var kept []map[string]any
	count, bytes := map[any]int{}, 0
	for i, entry := range given {
		entry = maps.Clone(entry)
		for field, v := range entry {
			text := f.clean(fmt.Sprintf("%s[%d]", name, i+1), textOf(v))
			if delete(entry, field); text != "" {
				entry[valid(field)] = text
			}
		}
		count[entry["type"]]++
		bytes += size(entry)
		switch problem := check(entry); {
		case problem != "":
			f.note("%s[%d]: it %s; it is left out", name, i+1, problem)
		case count[entry["type"]] > MaxContexts:
			f.note("%s[%d]: PagerDuty takes at most %d of its type; it is left out", name, i+1, MaxContexts)
		case bytes > MaxBytes/4:
			f.note("%s[%d]: there is no room for it; it is left out", name, i+1)
			bytes -= size(entry)
		default:
			kept = append(kept, entry)
		}
	}
	return kept
}

// checkContext says what is wrong with a context of an alert, or "".
func checkContext(entry map[string]any) string {
	text := func(name string) string { s, _ := entry[name].(string); return s }
	switch kind := text("type"); kind {
	case "link":
		return checkLink(entry)
	case "image":
		if u, err := url.Parse(text("src")); err != nil || u.Scheme != "https" || u.Host == "" {
			return "is an image whose src is not an https URL"
		}
		return ""
	case "":
		return "has no type; write {type: link, href: ...} or {type: image, src: ...}"
	default:
		return fmt.Sprintf("has the type %s; use link or image", quoted(kind))
	}
}

// checkLink says what is wrong with a link, or "".
func checkLink(entry map[string]any) string {
	switch href, isText := entry["href"].(string); {
	case entry["href"] != nil && !isText:
		return "is a link whose href is not text"
	case href == "":
		return "is a link without href"
	}
	return ""
}
