package simulator

import (
	"net/http"
	"unicode/utf8"
)

// acceptedV1 is the body of an event accepted by Events API v1.
type acceptedV1 struct {
	Status      string `json:"status"`
	Message     string `json:"message"`
	IncidentKey string `json:"incident_key"`
}

// createEventV1 answers POST /generic/2010-04-15/create_event.json. An event
// that has no effect is accepted like one that has.
func (s *Simulator) createEventV1(x *exchange) response {
	fields, ok := parseObject(x.body)
	if !ok {
		return unrecognizedEvent()
	}
	event, found := readEventV1(fields)
	if len(found) > 0 {
		return invalidEvent(http.StatusBadRequest, found)
	}
	if event.source, ok = s.integrationFor(event.integration, EventsV1); !ok {
		// [unknown, safe reading]: refused for good, not throttled.
		return invalidEvent(http.StatusBadRequest, complaints{"Service key is not registered"})
	}
	if s.eventsV1.exceeded(event.integration, x.now) {
		return throttled(http.StatusForbidden)
	}
	key := s.accept(event, x.now)
	return document(http.StatusOK, acceptedV1{statusSuccess, messageProcessed, key})
}

// readEventV1 reads an event and collects all complaints in a fixed order.
// Fields that it does not know, and empty ones, are ignored: Alertmanager sends
// fields of v2 along.
func readEventV1(fields object) (event, complaints) {
	var found complaints
	e := event{
		action:      eventAction(found.textV1(fields, "event_type")),
		integration: found.textV1(fields, "service_key"),
		incidentKey: found.textV1(fields, "incident_key"),
		description: found.textV1(fields, "description"),
		details:     fields["details"],
		channel:     channelV1,
	}
	found.checkServiceKey(e.integration)
	if !e.action.isKnown() {
		found.add("event_type is invalid (must be one of: trigger acknowledge resolve)")
	}
	found.checkTextsV1(e)
	if e.action == trigger {
		found.checkTriggerV1(fields)
	}
	return e, found
}

// textV1 returns a string field. What happens to others is [unknown, safe
// reading]: refused.
func (c *complaints) textV1(fields object, name string) string {
	value, ok := fields.text(name)
	if !ok {
		c.add("%s must be a string", name)
	}
	return value
}

// checkServiceKey checks the shape of a key. The text for a wrong length, which
// none has too, is from grafana #8979; the other one is [unknown, safe reading].
func (c *complaints) checkServiceKey(key string) {
	switch {
	case utf8.RuneCountInString(key) != serviceKeyLength:
		c.add("Service key is the wrong length (should be %d characters)", serviceKeyLength)
	case !isAlphanumeric(key):
		c.add("Service key cannot contain non-alphanumeric characters")
	}
}

// checkTextsV1 checks the texts of an event. That of a long description is from
// sensu_handlers #38. What is required is documented in prose; the texts for it
// are [unknown, safe reading].
func (c *complaints) checkTextsV1(e event) {
	if e.action == trigger && isBlank(e.description) {
		c.add("Description can't be blank")
	}
	if isLonger(e.description, maximumDescriptionLength) {
		c.add("Description is too long (maximum is %d characters)", maximumDescriptionLength)
	}
	if e.action != trigger && isBlank(e.incidentKey) {
		c.add("Incident key can't be blank")
	}
	if isLonger(e.incidentKey, maximumIncidentKeyLength) {
		c.add("Incident key is too long (maximum is %d characters)", maximumIncidentKeyLength)
	}
}

// checkTriggerV1 checks the shapes that PagerDuty's OpenAPI description of the
// API gives. The texts are [unknown, safe reading].
func (c *complaints) checkTriggerV1(fields object) {
	if _, ok := fields.object("details"); !ok {
		c.add("details must be an object")
	}
	c.textV1(fields, "client")
	c.textV1(fields, "client_url")
	contexts, ok := fields.list("contexts")
	if !ok {
		c.add("contexts must be an array")
	}
	for _, value := range contexts {
		context, _ := value.(map[string]any)
		switch context["type"] {
		case "link":
			c.checkLink("contexts", context)
		case "image":
			c.checkImage("contexts", context)
		default:
			c.add("contexts must be of type link or image")
		}
	}
}
