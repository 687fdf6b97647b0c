package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// handler answers an exchange. It runs while no other handler does.
type handler func(*Exchange) Response

// route is one endpoint. In its path, {name} stands for any one segment.
type route struct {
	method string
	path   string
	handle handler
	event  bool // its credential is in the body; its errors differ from REST's
}

// rest returns a route of the REST API.
func rest(method, path string, handle handler) route {
	return route{method: method, path: path, handle: authorized(handle)}
}

// event returns a route of an Events API.
func event(method, path string, handle handler) route {
	return route{method: method, path: path, handle: limitedEvent(handle), event: true}
}

// pathEventsV1 is the endpoint of Events API v1, which answers 403 for too many events.
const pathEventsV1 = "/generic/2010-04-15/create_event.json"

// routes is everything that the API answers. The first match wins, so /users/me stands
// before /users/{id}.
var routes = []route{
	event(http.MethodPost, pathEventsV1, createEventV1),
	event(http.MethodPost, "/v2/enqueue", enqueueEventV2),
	event(http.MethodPost, "/v2/change/enqueue", enqueueChange),
	rest(http.MethodGet, "/abilities", listAbilities),
	rest(http.MethodGet, "/abilities/{id}", getAbility),
	rest(http.MethodGet, "/escalation_policies", listPolicies),
	rest(http.MethodGet, "/escalation_policies/{id}", getPolicy),
	rest(http.MethodGet, "/incidents", listIncidents),
	rest(http.MethodPost, "/incidents", createIncident),
	rest(http.MethodPut, "/incidents", updateIncidents),
	rest(http.MethodGet, "/incidents/{id}", getIncident),
	rest(http.MethodPut, "/incidents/{id}", updateIncident),
	rest(http.MethodGet, "/incidents/{id}/alerts", listAlerts),
	rest(http.MethodGet, "/incidents/{id}/log_entries", listLogEntries),
	rest(http.MethodGet, "/incidents/{id}/notes", listNotes),
	rest(http.MethodPost, "/incidents/{id}/notes", createNote),
	rest(http.MethodGet, "/oncalls", listOnCalls),
	rest(http.MethodGet, "/schedules", listSchedules),
	rest(http.MethodGet, "/schedules/{id}", getSchedule),
	rest(http.MethodGet, "/services", listServices),
	rest(http.MethodGet, "/services/{id}", getService),
	rest(http.MethodGet, "/services/{id}/integrations/{integration}", getIntegration),
	rest(http.MethodGet, "/users", listUsers),
	rest(http.MethodPost, "/users", createUser),
	rest(http.MethodGet, "/users/me", getCurrentUser),
	rest(http.MethodGet, "/users/{id}", getUser),
	rest(http.MethodPut, "/users/{id}", updateUser),
	rest(http.MethodDelete, "/users/{id}", deleteUser),
	rest(http.MethodGet, "/users/{id}/contact_methods", listContactMethods),
	rest(http.MethodGet, "/users/{id}/notification_rules", listNotificationRules),
	rest(http.MethodGet, "/webhook_subscriptions", listSubscriptions),
	rest(http.MethodPost, "/webhook_subscriptions", createSubscription),
	rest(http.MethodGet, "/webhook_subscriptions/{id}", getSubscription),
	rest(http.MethodDelete, "/webhook_subscriptions/{id}", deleteSubscription),
	rest(http.MethodPost, "/webhook_subscriptions/{id}/enable", enableSubscription),
	rest(http.MethodPost, "/webhook_subscriptions/{id}/ping", pingSubscription),
}

// Endpoint is a route, for those who write rules about routes.
type Endpoint struct {
	Method string
	Path   string
	Event  bool // whether it belongs to an Events API
}

// Endpoints returns all routes in their order.
func Endpoints() []Endpoint {
	endpoints := make([]Endpoint, 0, len(routes))
	for _, r := range routes {
		endpoints = append(endpoints, Endpoint{r.method, r.path, r.event})
	}
	return endpoints
}

// findRoute returns the route of a request and the values of its parameters. A request
// that has none gets a route without a path, which answers 404 or 405.
func findRoute(method, escapedPath string) (route, [2]string) {
	segments := strings.Split(WithoutTrailingSlash(escapedPath), "/")
	var allowed []string
	for _, r := range routes {
		parameters, ok := r.match(segments)
		if ok && r.method == method {
			return r, parameters
		}
		if ok && !slices.Contains(allowed, r.method) {
			allowed = append(allowed, r.method)
		}
	}
	if len(allowed) > 0 {
		return route{handle: refuseMethod(allowed)}, [2]string{}
	}
	return route{handle: refusePath}, [2]string{}
}

// WithoutTrailingSlash removes one slash at the end of a path, as the service does: pypd
// posts events to create_event.json/ and Rapid7's plugin reads /users/.
func WithoutTrailingSlash(path string) string {
	return strings.TrimSuffix(path, "/")
}

// match reports whether escaped segments match the path of the route. Each segment is
// unescaped on its own: an escaped slash belongs to an identifier.
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

func refusePath(x *Exchange) Response { return x.api.WithRequestID(notFound()) }

// refuseMethod answers 405. What the service does is [unknown, safe reading]: the status
// is HTTP's own and the body has the shape of all REST errors.
func refuseMethod(allowed []string) handler {
	return func(x *Exchange) Response {
		answer := failure(http.StatusMethodNotAllowed, codeNotFound, "Method Not Allowed").
			WithHeader("Allow", strings.Join(allowed, ", "))
		return x.api.WithRequestID(answer)
	}
}
