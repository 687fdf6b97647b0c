package api

import (
	"net/http"
	"unicode/utf8"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
)

// createEventV1 answers POST /generic/2010-04-15/create_event.json. An event without an
// effect is accepted like any other.
func createEventV1(x *Exchange, fields object) Response {
	event, found := readEventV1(fields)
	if len(found) > 0 {
		return invalidEvent(http.StatusBadRequest, found)
	}
	var ok bool
	if event.Source, ok = x.account.Integration(event.key, account.EventsV1); !ok {
		// [unknown, safe reading]: an error that a repetition does not solve.
		return invalidEvent(http.StatusBadRequest, complaints{"Service key is not registered"})
	}
	if x.api.eventsV1.exceeded(event.key, x.Now) {
		return throttled(x.TooManyStatus())
	}
	key := x.account.Accept(event.Event, x.Now)
	return Document(http.StatusOK, eventAnswer{Status: statusSuccess, Message: messageProcessed, IncidentKey: key})
}

// readEventV1 reads an event and collects all complaints in a fixed order. Unknown fields
// and empty fields are ignored: Alertmanager adds fields of v2.
func readEventV1(fields object) (sentEvent, complaints) {
	var found complaints
	var e sentEvent
	e.Action = account.EventAction(found.text(fields, "event_type", "event_type"))
	e.key = found.text(fields, "service_key", "service_key")
	e.IncidentKey = found.text(fields, "incident_key", "incident_key")
	e.Description = found.text(fields, "description", "description")
	e.Details, e.Channel = fields["details"], account.ChannelV1
	found.checkServiceKey(e.key)
	if !e.Action.IsKnown() {
		found.add("event_type is invalid (must be one of: trigger acknowledge resolve)")
	}
	found.checkTextsV1(e.Event)
	if e.Action == account.Trigger {
		found.checkTriggerV1(fields)
	}
	return e, found
}

// checkServiceKey checks the shape of a key. The text for a wrong length, also used for no
// key, is from grafana #8979; the other text is [unknown, safe reading].
func (c *complaints) checkServiceKey(key string) {
	switch {
	case utf8.RuneCountInString(key) != seeded.ServiceKeyLength:
		c.add("Service key is the wrong length (should be %d characters)", seeded.ServiceKeyLength)
	case !account.IsAlphanumeric(key):
		c.add("Service key cannot contain non-alphanumeric characters")
	}
}

// checkTextsV1 checks the texts of an event. The message for a long description is from
// sensu_handlers #38. What is required is documented in prose; the messages for it are
// [unknown, safe reading].
func (c *complaints) checkTextsV1(e account.Event) {
	if e.Action == account.Trigger && account.IsBlank(e.Description) {
		c.add("Description can't be blank")
	}
	if account.IsLonger(e.Description, account.MaximumDescriptionLength) {
		c.add("Description is too long (maximum is %d characters)", account.MaximumDescriptionLength)
	}
	if e.Action != account.Trigger && account.IsBlank(e.IncidentKey) {
		c.add("Incident key can't be blank")
	}
	if account.IsLonger(e.IncidentKey, account.MaximumIncidentKeyLength) {
		c.add("Incident key is too long (maximum is %d characters)", account.MaximumIncidentKeyLength)
	}
}

// checkTriggerV1 checks the shapes in PagerDuty's OpenAPI description of the API. The
// texts are [unknown, safe reading].
func (c *complaints) checkTriggerV1(fields object) {
	if _, ok := fields.object("details"); !ok {
		c.add("details must be an object")
	}
	c.text(fields, "client", "client")
	c.text(fields, "client_url", "client_url")
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
