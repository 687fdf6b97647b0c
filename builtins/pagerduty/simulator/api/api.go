// Package api is the HTTP side of a simulated PagerDuty account: the REST API and both
// Events APIs. It reads requests, calls package account, and writes what comes back as
// PagerDuty does.
//
// The nouns:
//
//   - The [API] answers requests for one account.
//   - An [Exchange] is one request, read completely, on its way to a [Response].
//   - A route is one line of the list in route.go: method, path and handler. Everything
//     that depends on the endpoints follows from that list: 404 and 405, the endpoints
//     of the fault plan ([Routes]), and the check of docs/simulator.md.
//   - A handler is a function of an Exchange. The file of a resource has its
//     documents (the JSON) and its handlers.
//   - A [Request] is the record of an answered request. It never holds a key.
//
// What holds for all routes of an API is in authorization.go (REST: credential, rate
// limit, size, permission; GET needs only a key, every other method one that may write)
// and event.go (Events). limit.go has the rate limits, listing.go the pages, object.go
// the strict reading of a body, document.go the writing of an answer's JSON, response.go
// the errors.
//
// To add a REST route: the resource in package account, one file for it here with its
// document and handlers, one line in route.go, and one line in docs/simulator.md.
//
// Where no public source says what the real service does, a comment says "[unknown, safe
// reading]": the simulator then refuses rather than accepts.
//
// An API has no lock. Its caller runs one request at a time.
package api

import (
	"net/http"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// Config is how an API answers. Glance and Webhooks are required.
type Config struct {
	Limits         Limits
	StrictFrom     bool             // POST /users needs a From header
	RemoteWebhooks bool             // webhooks may go to other machines
	Glance         func() time.Time // the time, without moving a virtual clock
	Webhooks       *webhook.Sender
}

// API answers requests for one account.
type API struct {
	config   Config
	account  *account.Account
	windows  map[string]rateWindow // by API key
	eventsV1 slidingLimit
	eventsV2 slidingLimit
}

// New returns an API. Reset must be called before its first use.
func New(config Config) *API { return &API{config: config} }

// Reset makes the API answer for an account, with new rate limits.
func (a *API) Reset(to *account.Account) {
	a.account = to
	a.windows = map[string]rateWindow{}
	a.eventsV1 = newSlidingLimit(a.config.Limits.EventsV1)
	a.eventsV2 = newSlidingLimit(a.config.Limits.EventsV2)
}

// Handle lets the account do what a request asks for.
func (a *API) Handle(x *Exchange) Response {
	if !x.IsRead() {
		a.account.Remember(x.Now)
	}
	x.account = a.account
	return x.handle(x)
}

// HandleAsOf answers a request that only reads from the account as it was at a time.
func (a *API) HandleAsOf(x *Exchange, at time.Time) Response {
	x.account = a.account.AsOf(at)
	return x.handle(x)
}

// WithRequestID gives an answer of the REST API its request identifier.
func (a *API) WithRequestID(answer Response) Response {
	return answer.WithHeader("x-request-id", a.account.Identifiers.Request())
}

// StatusAnswer answers a request with a status and the body that its API has for it.
func (a *API) StatusAnswer(x *Exchange, status int) Response {
	if x.IsEvent() {
		return Document(status, eventAnswer{Status: StatusText(status), Message: StatusText(status), Errors: []string{}})
	}
	known, ok := statusErrors[status]
	if !ok {
		known = errorDetail{Message: StatusText(status), Code: codeInternal}
	}
	return single(status, "error", known)
}

// StatusText returns the name that HTTP has for a status.
func StatusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Unknown Error"
}
