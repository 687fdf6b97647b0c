package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// handler answers an exchange. It runs while no other does.
type handler func(*Simulator, *exchange) response

// route is one endpoint. In its path, {name} stands for any one segment.
type route struct {
	method string
	path   string
	handle handler
}

// Paths of the Events APIs, whose answers differ from REST's and from each
// other's.
const (
	pathEventsV1 = "/generic/2010-04-15/create_event.json"
	pathEventsV2 = "/v2/enqueue"
	pathChanges  = "/v2/change/enqueue"
)

// eventPaths are the endpoints that take their credential from the body.
var eventPaths = []string{pathEventsV1, pathEventsV2, pathChanges}

// routes is everything that the simulator answers. The first match wins, so
// /users/me stands before /users/{id}.
var routes = []route{
	{http.MethodPost, pathEventsV1, events((*Simulator).createEventV1)},
	{http.MethodPost, pathEventsV2, events((*Simulator).enqueueEventV2)},
	{http.MethodPost, pathChanges, events((*Simulator).enqueueChange)},

	{http.MethodGet, "/abilities", rest((*Simulator).listAbilities)},
	{http.MethodGet, "/abilities/{id}", rest((*Simulator).getAbility)},
	{http.MethodGet, "/escalation_policies", rest((*Simulator).listPolicies)},
	{http.MethodGet, "/escalation_policies/{id}", rest((*Simulator).getPolicy)},
	{http.MethodGet, "/incidents", rest((*Simulator).listIncidents)},
	{http.MethodPost, "/incidents", rest((*Simulator).createIncident)},
	{http.MethodPut, "/incidents", rest((*Simulator).updateIncidents)},
	{http.MethodGet, "/incidents/{id}", rest((*Simulator).getIncident)},
	{http.MethodPut, "/incidents/{id}", rest((*Simulator).updateIncident)},
	{http.MethodGet, "/incidents/{id}/alerts", rest((*Simulator).listAlerts)},
	{http.MethodGet, "/incidents/{id}/log_entries", rest((*Simulator).listLogEntries)},
	{http.MethodGet, "/incidents/{id}/notes", rest((*Simulator).listNotes)},
	{http.MethodPost, "/incidents/{id}/notes", rest((*Simulator).createNote)},
	{http.MethodGet, "/oncalls", rest((*Simulator).listOnCalls)},
	{http.MethodGet, "/schedules", rest((*Simulator).listSchedules)},
	{http.MethodGet, "/schedules/{id}", rest((*Simulator).getSchedule)},
	{http.MethodGet, "/services", rest((*Simulator).listServices)},
	{http.MethodGet, "/services/{id}", rest((*Simulator).getService)},
	{http.MethodGet, "/services/{id}/integrations/{integration}", rest((*Simulator).getIntegration)},
	{http.MethodGet, "/users", rest((*Simulator).listUsers)},
	{http.MethodPost, "/users", rest((*Simulator).createUser)},
	{http.MethodGet, "/users/me", rest((*Simulator).getCurrentUser)},
	{http.MethodGet, "/users/{id}", rest((*Simulator).getUser)},
	{http.MethodPut, "/users/{id}", rest((*Simulator).updateUser)},
	{http.MethodDelete, "/users/{id}", rest((*Simulator).deleteUser)},
	{http.MethodGet, "/users/{id}/contact_methods", rest((*Simulator).listContactMethods)},
	{http.MethodGet, "/users/{id}/notification_rules", rest((*Simulator).listNotificationRules)},
	{http.MethodGet, "/webhook_subscriptions", rest((*Simulator).listSubscriptions)},
	{http.MethodPost, "/webhook_subscriptions", rest((*Simulator).createSubscription)},
	{http.MethodGet, "/webhook_subscriptions/{id}", rest((*Simulator).getSubscription)},
	{http.MethodDelete, "/webhook_subscriptions/{id}", rest((*Simulator).deleteSubscription)},
	{http.MethodPost, "/webhook_subscriptions/{id}/enable", rest((*Simulator).enableSubscription)},
	{http.MethodPost, "/webhook_subscriptions/{id}/ping", rest((*Simulator).pingSubscription)},
}

// destination is what a request's method and path led to.
type destination struct {
	path       string // of the route; empty when there is none
	handle     handler
	parameters [2]string
}

// findRoute returns the handler for a request. There always is one: it answers
// 404 or 405 if need be.
func findRoute(method, escapedPath string) destination {
	segments := strings.Split(withoutTrailingSlash(escapedPath), "/")
	var allowed []string
	for _, route := range routes {
		parameters, ok := route.match(segments)
		if ok && route.method == method {
			return destination{route.path, route.handle, parameters}
		}
		if ok && !slices.Contains(allowed, route.method) {
			allowed = append(allowed, route.method)
		}
	}
	if len(allowed) > 0 {
		return destination{handle: refuseMethod(allowed)}
	}
	return destination{handle: refusePath}
}

// withoutTrailingSlash drops one slash at the end, as the service does: pypd
// posts events to create_event.json/ and Rapid7's plugin reads /users/.
func withoutTrailingSlash(path string) string {
	return strings.TrimSuffix(path, "/")
}

// match reports whether the escaped segments are those of the route. They are
// unescaped one by one: an escaped slash belongs to an identifier.
func (r route) match(segments []string) (parameters [2]string, ok bool) {
	pattern := strings.Split(r.path, "/")
	if len(pattern) != len(segments) {
		return parameters, false
	}
	found := 0
	for i, want := range pattern {
		got, err := url.PathUnescape(segments[i])
		switch {
		case err != nil:
			return parameters, false
		case strings.HasPrefix(want, "{") && got != "":
			parameters[found] = got
			found++
		case want != got:
			return parameters, false
		}
	}
	return parameters, true
}

func refusePath(s *Simulator, _ *exchange) response {
	return notFound().withHeader("x-request-id", s.identifiers.request())
}

// refuseMethod answers 405. What the service does is [unknown, safe reading]:
// the status is HTTP's own and the body has the shape of all REST errors.
func refuseMethod(allowed []string) handler {
	return func(s *Simulator, _ *exchange) response {
		return failure(http.StatusMethodNotAllowed, codeNotFound, "Method Not Allowed").
			withHeader("Allow", strings.Join(allowed, ", ")).
			withHeader("x-request-id", s.identifiers.request())
	}
}
