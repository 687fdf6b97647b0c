package simulator

import (
	"net/http"
	"time"
)

// ChangeEvent is a change that was reported to a service: a deployment, say. It
// opens no incident.
type ChangeEvent struct {
	Service string    `json:"service"` // the name
	Summary string    `json:"summary"`
	Source  string    `json:"source"`
	At      time.Time `json:"at"`
}

// acceptedChange is the body of an accepted change event.
type acceptedChange struct {
	Message string `json:"message"`
	Status  string `json:"status"`
}

// enqueueChange answers POST /v2/change/enqueue. The shape is in PagerDuty's
// OpenAPI description of Events API v2; the texts of refusals are those of other
// events there ([unknown, safe reading]).
func (s *Simulator) enqueueChange(x *exchange) response {
	fields, ok := parseObject(x.body)
	if !ok {
		return unrecognizedEvent()
	}
	var found complaints
	key := found.textV2(fields, "routing_key")
	found.checkRoutingKey(key)
	change := found.readChange(fields)
	if len(found) > 0 {
		return invalidEvent(http.StatusBadRequest, found)
	}
	source, refused := s.admitV2(key, x.now)
	if refused != nil {
		return *refused
	}
	change.Service, change.At = source.service.Name, x.now
	s.changes = append(s.changes, change)
	return document(http.StatusAccepted, acceptedChange{"Change event processed", statusSuccess})
}

// readChange checks the payload, links and images of a change event.
func (c *complaints) readChange(fields object) ChangeEvent {
	c.checkEach(fields, "links", (*complaints).checkLink)
	c.checkEach(fields, "images", (*complaints).checkImage)
	payload, ok := fields.object("payload")
	if !ok || payload == nil {
		c.missing("payload")
		return ChangeEvent{}
	}
	change := ChangeEvent{Summary: c.required(payload, "summary"), Source: c.textV2(payload, "source")}
	if isLonger(change.Summary, maximumDescriptionLength) {
		c.add("'summary' is too long (maximum is %d characters)", maximumDescriptionLength)
	}
	c.textV2(payload, "timestamp")
	if _, ok := payload.object("custom_details"); !ok {
		c.add("'custom_details' must be an object")
	}
	return change
}
