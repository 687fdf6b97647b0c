package simulator

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of an event, the same in both Events APIs.
const (
	// maximumDescriptionLength is in the texts that users quote:
	// sensu_handlers #38 for v1, stream-tester #354 for v2. Alertmanager
	// counts it in characters, not bytes.
	maximumDescriptionLength = 1024
	// maximumIncidentKeyLength is from the documentation of both APIs.
	maximumIncidentKeyLength = 255
)

// eventAction is what an event wants done.
type eventAction string

const (
	trigger     eventAction = "trigger"
	acknowledge eventAction = "acknowledge"
	resolve     eventAction = "resolve"
)

// eventActions is in the order in which v1's complaint lists them.
var eventActions = []eventAction{trigger, acknowledge, resolve}

func (a eventAction) isKnown() bool { return slices.Contains(eventActions, a) }

// event is what both Events APIs understand of a request.
type event struct {
	action      eventAction
	integration string // the key
	incidentKey string
	description string
	severity    string // v2 only
	details     any
	channel     string
	source      *integration // set when the key is known
}

// eventError is the body of a refused event, in both APIs.
type eventError struct {
	Status  string   `json:"status"`
	Message string   `json:"message"`
	Errors  []string `json:"errors"`
}

// unrecognizedEvent answers a body that is no JSON. That JSON which is no object
// is answered alike is [unknown, safe reading].
func unrecognizedEvent() response {
	return document(http.StatusBadRequest, eventError{
		Status:  "unrecognized object",
		Message: "Event object format is unrecognized",
		Errors:  []string{"JSON parse error"},
	})
}

func invalidEvent(status int, found complaints) response {
	return document(status, eventError{
		Status:  "invalid event",
		Message: "Event object is invalid",
		Errors:  found,
	})
}

// Texts of an accepted event, in both APIs.
const (
	statusSuccess    = "success"
	messageProcessed = "Event processed"
)

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

func isLonger(text string, characters int) bool {
	return utf8.RuneCountInString(text) > characters
}

func isAlphanumeric(text string) bool {
	for _, c := range text {
		digit := '0' <= c && c <= '9'
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !digit && !letter {
			return false
		}
	}
	return true
}
