package api

import (
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
)

// severities is the enumeration in PagerDuty's OpenAPI description of v2.
var severities = []string{"critical", "error", "warning", "info"}

// enqueueEventV2 answers POST /v2/enqueue. An event without an effect is accepted like any
// other.
func enqueueEventV2(x *Exchange, fields object) Response {
	event, found := readEventV2(fields)
	if len(found) > 0 {
		return invalidEvent(http.StatusBadRequest, found)
	}
	source, refused, ok := x.admitV2(event.key)
	if !ok {
		return refused
	}
	event.Source = source
	key := x.account.Accept(event.Event, x.Now)
	return Document(http.StatusAccepted, eventAnswer{Status: statusSuccess, Message: messageProcessed, DedupKey: key})
}

// InvalidRoutingKey is the answer for a key that the account does not know. It is plain
// text, unlike every other answer (robusta #571).
const InvalidRoutingKey = "Invalid routing key"

// admitV2 returns what a well-formed key reaches, or a refusal.
func (x *Exchange) admitV2(key string) (found *account.Integration, refused Response, ok bool) {
	found, ok = x.account.Integration(key, account.EventsV2)
	if !ok {
		return nil, PlainText(http.StatusBadRequest, InvalidRoutingKey), false
	}
	if x.api.eventsV2.exceeded(key, x.Now) {
		return nil, throttled(x.TooManyStatus()), false
	}
	return found, Response{}, true
}

// readEventV2 reads an event and collects all complaints in a fixed order. Only a trigger
// needs a payload.
func readEventV2(fields object) (sentEvent, complaints) {
	var found complaints
	var e sentEvent
	e.Action = account.EventAction(found.textV2(fields, "event_action"))
	e.key = found.textV2(fields, "routing_key")
	e.IncidentKey = found.textV2(fields, "dedup_key")
	e.Channel = account.ChannelV2
	found.checkRoutingKey(e.key)
	found.checkEventAction(e.Action)
	if e.Action != account.Trigger && account.IsBlank(e.IncidentKey) {
		found.missing("dedup_key")
	}
	if account.IsLonger(e.IncidentKey, account.MaximumIncidentKeyLength) {
		found.add("'dedup_key' is too long (maximum is %d characters)", account.MaximumIncidentKeyLength)
	}
	if e.Action == account.Trigger {
		found.readPayload(fields, &e.Event)
		found.checkAttachments(fields)
	}
	return e, found
}

// textV2 returns a string field, whose name is quoted in the complaint.
func (c *complaints) textV2(fields object, name string) string {
	return c.text(fields, name, "'"+name+"'")
}

// missing adds the complaint that is known for event_action. That other fields have the
// same one is [unknown, safe reading].
func (c *complaints) missing(name string) { c.add("'%s' is missing or blank", name) }

// checkRoutingKey checks the shape of a key. The texts are quoted from the service.
func (c *complaints) checkRoutingKey(key string) {
	switch {
	case account.IsBlank(key):
		c.add("'routing_key' cannot be blank")
	case utf8.RuneCountInString(key) != seeded.ServiceKeyLength:
		c.add("Length of 'routing_key' is incorrect (should be %d characters)", seeded.ServiceKeyLength)
	case !account.IsAlphanumeric(key):
		c.add("'routing_key' cannot contain non-alphanumeric characters.")
	}
}

// checkEventAction checks the action of an event. The text for an unknown action is
// [unknown, safe reading].
func (c *complaints) checkEventAction(action account.EventAction) {
	switch {
	case account.IsBlank(string(action)):
		c.missing("event_action")
	case !action.IsKnown():
		c.add("'event_action' is invalid (must be one of: trigger acknowledge resolve)")
	}
}

// readPayload checks the payload of a trigger and reads what an alert shows. The text for
// a long summary is from stream-tester #354. Required fields and types are in the OpenAPI
// description; the texts for them are [unknown, safe reading].
func (c *complaints) readPayload(fields object, e *account.Event) {
	payload, ok := fields.object("payload")
	if !ok || payload == nil {
		c.missing("payload")
		return
	}
	e.Description = c.required(payload, "summary")
	if account.IsLonger(e.Description, account.MaximumDescriptionLength) {
		c.add("'summary' is too long (maximum is %d characters)", account.MaximumDescriptionLength)
	}
	c.required(payload, "source")
	e.Severity = c.required(payload, "severity")
	if !account.IsBlank(e.Severity) && !slices.Contains(severities, e.Severity) {
		c.add("'severity' is invalid (must be one of: critical error warning info)")
	}
	if _, ok := payload.object("custom_details"); !ok {
		c.add("'custom_details' must be an object")
	}
	e.Details = payload["custom_details"]
}

func (c *complaints) required(payload object, name string) string {
	value, ok := payload.text(name)
	switch {
	case !ok:
		c.add("'%s' must be a string", name)
	case account.IsBlank(value):
		c.missing(name)
	}
	return value
}

// checkAttachments checks the fields of a trigger next to its payload.
func (c *complaints) checkAttachments(fields object) {
	c.textV2(fields, "client")
	c.textV2(fields, "client_url")
	c.checkEach(fields, "links", (*complaints).checkLink)
	c.checkEach(fields, "images", (*complaints).checkImage)
}

func (c *complaints) checkEach(fields object, name string, check func(*complaints, string, object)) {
	values, ok := fields.list(name)
	if !ok {
		c.add("'%s' must be an array", name)
	}
	for _, value := range values {
		attachment, _ := value.(map[string]any)
		check(c, name, attachment)
	}
}

// enqueueChange answers POST /v2/change/enqueue. The shape is in PagerDuty's OpenAPI
// description of Events API v2. The texts of refusals are the same as for other events
// ([unknown, safe reading]).
func enqueueChange(x *Exchange, fields object) Response {
	var found complaints
	key := found.textV2(fields, "routing_key")
	found.checkRoutingKey(key)
	change := found.readChange(fields)
	if len(found) > 0 {
		return invalidEvent(http.StatusBadRequest, found)
	}
	source, refused, ok := x.admitV2(key)
	if !ok {
		return refused
	}
	change.Service, change.At = source.Service.Name, x.Now
	x.account.AddChange(change)
	return Document(http.StatusAccepted, document{{"message", "Change event processed"}, {"status", statusSuccess}})
}

// readChange checks the payload, links and images of a change event.
func (c *complaints) readChange(fields object) account.ChangeEvent {
	c.checkEach(fields, "links", (*complaints).checkLink)
	c.checkEach(fields, "images", (*complaints).checkImage)
	payload, ok := fields.object("payload")
	if !ok || payload == nil {
		c.missing("payload")
		return account.ChangeEvent{}
	}
	change := account.ChangeEvent{Summary: c.required(payload, "summary"), Source: c.textV2(payload, "source")}
	if account.IsLonger(change.Summary, account.MaximumDescriptionLength) {
		c.add("'summary' is too long (maximum is %d characters)", account.MaximumDescriptionLength)
	}
	c.textV2(payload, "timestamp")
	if _, ok := payload.object("custom_details"); !ok {
		c.add("'custom_details' must be an object")
	}
	return change
}
