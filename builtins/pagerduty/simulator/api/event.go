package api

import (
	"net/http"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// sentEvent is an event as a request sends it, with the integration key.
type sentEvent struct {
	account.Event
	key string
}

// eventHandler answers an event, whose body is a JSON object.
type eventHandler func(x *Exchange, fields object) Response

// limitedEvent wraps the handler of an Events API with the limit of the body's size and the
// check that the body is an object. The status for an event that is too large is [unknown,
// safe reading]: 413, because clients do not repeat such a request. JSON that is not an
// object gets the same answer as a body that is not JSON ([unknown, safe reading]).
func limitedEvent(handle eventHandler) handler {
	return func(x *Exchange) Response {
		if x.oversized {
			return invalidEvent(http.StatusRequestEntityTooLarge, complaints{"Event is too large (maximum is 512 KB)"})
		}
		fields, ok := parseObject(x.body)
		if !ok {
			return Document(http.StatusBadRequest, eventAnswer{
				Status: "unrecognized object", Message: "Event object format is unrecognized", Errors: []string{"JSON parse error"},
			})
		}
		return handle(x, fields)
	}
}

// eventAnswer is the body of an answer of an Events API.
type eventAnswer struct {
	Status      string   `json:"status"`
	Message     string   `json:"message"`
	IncidentKey string   `json:"incident_key,omitempty"` // of an accepted event, in v1
	DedupKey    string   `json:"dedup_key,omitempty"`    // of an accepted event, in v2
	Errors      []string `json:"errors,omitzero"`        // of a refused event
}

func invalidEvent(status int, found complaints) Response {
	return Document(status, eventAnswer{Status: "invalid event", Message: "Event object is invalid", Errors: found})
}

// Texts of an accepted event, in both APIs.
const (
	statusSuccess    = "success"
	messageProcessed = "Event processed"
)

// checkLink checks a link of an event: a context of v1, an entry of links in v2. That it
// has a target is in both OpenAPI descriptions; the texts here are [unknown, safe
// reading].
func (c *complaints) checkLink(list string, link object) {
	target, ok := link.text("href")
	if !ok || account.IsBlank(target) {
		c.add("%s: a link must have href", list)
	}
	if _, ok := link.text("text"); !ok {
		c.add("%s: the text of a link must be a string", list)
	}
}

// checkImage checks an image of an event. It is documented that the source is served by
// HTTPS.
func (c *complaints) checkImage(list string, image object) {
	source, ok := image.text("src")
	if !ok || !strings.HasPrefix(source, "https://") {
		c.add("%s: an image must have src, an https URL", list)
	}
	for _, name := range []string{"href", "alt"} {
		if _, ok := image.text(name); !ok {
			c.add("%s: the %s of an image must be a string", list, name)
		}
	}
}
