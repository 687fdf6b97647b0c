package simulator

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// severities is the enumeration in PagerDuty's OpenAPI description of v2.
var severities = []string{"critical", "error", "warning", "info"}

// acceptedV2 is the body of an event accepted by Events API v2.
type acceptedV2 struct {
	Status   string `json:"status"`
	Message  string `json:"message"`
	DedupKey string `json:"dedup_key"`
}

// enqueueEventV2 answers POST /v2/enqueue. An event that has no effect is
// accepted like one that has.
func (s *Simulator) enqueueEventV2(x *exchange) response {
	fields, ok := parseObject(x.body)
	if !ok {
		return unrecognizedEvent()
	}
	event, found := readEventV2(fields)
	if len(found) > 0 {
		return invalidEvent(http.StatusBadRequest, found)
	}
	var refused *response
	if event.source, refused = s.admitV2(event.integration, x.now); refused != nil {
		return *refused
	}
	key := s.accept(event, x.now)
	return document(http.StatusAccepted, acceptedV2{statusSuccess, messageProcessed, key})
}

// invalidRoutingKey is the answer for a key that the account does not know, in
// plain text, unlike every other one (robusta #571).
const invalidRoutingKey = "Invalid routing key"

// admitV2 returns what a well-formed key reaches, or a refusal.
func (s *Simulator) admitV2(key string, at time.Time) (*integration, *response) {
	found, ok := s.integrationFor(key, EventsV2)
	if !ok {
		refused := plainText(http.StatusBadRequest, invalidRoutingKey)
		return nil, &refused
	}
	if s.eventsV2.exceeded(key, at) {
		refused := throttled(http.StatusTooManyRequests)
		return nil, &refused
	}
	return found, nil
}

// readEventV2 reads an event and collects all complaints in a fixed order. The
// payload means something to a trigger only.
func readEventV2(fields object) (event, complaints) {
	var found complaints
	e := event{
		action:      eventAction(found.textV2(fields, "event_action")),
		integration: found.textV2(fields, "routing_key"),
		incidentKey: found.textV2(fields, "dedup_key"),
		channel:     channelV2,
	}
	found.checkRoutingKey(e.integration)
	found.checkEventAction(e.action)
	if e.action != trigger && isBlank(e.incidentKey) {
		found.missing("dedup_key")
	}
	if isLonger(e.incidentKey, maximumIncidentKeyLength) {
		found.add("'dedup_key' is too long (maximum is %d characters)", maximumIncidentKeyLength)
	}
	if e.action == trigger {
		found.readPayload(fields, &e)
		found.checkAttachments(fields)
	}
	return e, found
}

// textV2 returns a string field. What happens to others is [unknown, safe
// reading]: refused.
func (c *complaints) textV2(fields object, name string) string {
	value, ok := fields.text(name)
	if !ok {
		c.add("'%s' must be a string", name)
	}
	return value
}

// missing complains in the words known for event_action. That they hold for
// other fields is [unknown, safe reading].
func (c *complaints) missing(name string) { c.add("'%s' is missing or blank", name) }

// checkRoutingKey checks the shape of a key, in the words of the service.
func (c *complaints) checkRoutingKey(key string) {
	switch {
	case isBlank(key):
		c.add("'routing_key' cannot be blank")
	case utf8.RuneCountInString(key) != serviceKeyLength:
		c.add("Length of 'routing_key' is incorrect (should be %d characters)", serviceKeyLength)
	case !isAlphanumeric(key):
		c.add("'routing_key' cannot contain non-alphanumeric characters.")
	}
}

// checkEventAction checks what an event wants. The text for an action that does
// not exist is [unknown, safe reading].
func (c *complaints) checkEventAction(action eventAction) {
	switch {
	case isBlank(string(action)):
		c.missing("event_action")
	case !action.isKnown():
		c.add("'event_action' is invalid (must be one of: trigger acknowledge resolve)")
	}
}

// readPayload checks the payload of a trigger and takes what an alert shows. The
// text of a long summary is from stream-tester #354; what is required and of which
// type is in the OpenAPI description, and the texts for it are [unknown, safe
// reading].
func (c *complaints) readPayload(fields object, e *event) {
	payload, ok := fields.object("payload")
	if !ok || payload == nil {
		c.missing("payload")
		return
	}
	e.description = c.required(payload, "summary")
	if isLonger(e.description, maximumDescriptionLength) {
		c.add("'summary' is too long (maximum is %d characters)", maximumDescriptionLength)
	}
	c.required(payload, "source")
	e.severity = c.required(payload, "severity")
	if !isBlank(e.severity) && !slices.Contains(severities, e.severity) {
		c.add("'severity' is invalid (must be one of: critical error warning info)")
	}
	if _, ok := payload.object("custom_details"); !ok {
		c.add("'custom_details' must be an object")
	}
	e.details = payload["custom_details"]
}

func (c *complaints) required(payload object, name string) string {
	value, ok := payload.text(name)
	switch {
	case !ok:
		c.add("'%s' must be a string", name)
	case isBlank(value):
		c.missing(name)
	}
	return value
}

// checkAttachments checks what a trigger has beside its payload.
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
