package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// handler answers an exchange. It runs while no other handler does.
type handler func(*Exchange) Response

// Route is one endpoint. In its path, {name} stands for any one segment.
type Route struct {
	Method string
	Path   string
	Event  bool // belongs to an Events API: the credential is in the body, errors differ from REST's
	handle handler
}

// rest returns a route of the REST API.
func rest(method, path string, handle handler) Route {
	return Route{Method: method, Path: path, handle: authorized(handle)}
}

// event returns a route of an Events API.
func event(method, path string, handle eventHandler) Route {
	return Route{Method: method, Path: path, Event: true, handle: limitedEvent(handle)}
}

// pathEventsV1 is the endpoint of Events API v1, which answers 403 for too many events.
const pathEventsV1 = "/generic/2010-04-15/create_event.json"

// routes is everything that the API answers. The first match wins, so /users/me stands
// before /users/{id}.
var routes = []Route{
	event(http.MethodPost, pathEventsV1, createEventV1),
	event(http.MethodPost, "/v2/enqueue", enqueueEventV2),
	event(http.MethodPost, "/v2/change/enqueue", enqueueChange),
	rest(http.MethodGet, "/abilities", listAbilities),
	rest(http.MethodGet, "/abilities/{id}", getAbility),
	rest(http.MethodGet, "/escalation_policies", listPolicies),
	rest(http.MethodGet, "/escalation_policies/{id}", one(policyAt, "escalation_policy", renderPolicy)),
	rest(http.MethodGet, "/incidents", listIncidents),
	rest(http.MethodPost, "/incidents", authored(createIncident)),
	rest(http.MethodPut, "/incidents", authored(updateIncidents)),
	rest(http.MethodGet, "/incidents/{id}", one(incidentAt, "incident", renderIncident)),
	rest(http.MethodPut, "/incidents/{id}", authored(updateIncident)),
	rest(http.MethodGet, "/incidents/{id}/alerts", of(incidentAt, listAlerts)),
	rest(http.MethodGet, "/incidents/{id}/log_entries", of(incidentAt, listLogEntries)),
	rest(http.MethodGet, "/incidents/{id}/notes", of(incidentAt, listNotes)),
	rest(http.MethodPost, "/incidents/{id}/notes", authored(createNote)),
	rest(http.MethodGet, "/oncalls", listOnCalls),
	rest(http.MethodGet, "/schedules", listSchedules),
	rest(http.MethodGet, "/schedules/{id}", one(scheduleAt, "schedule", renderSchedule)),
	rest(http.MethodGet, "/services", listServices),
	rest(http.MethodGet, "/services/{id}", one(serviceAt, "service", renderService)),
	rest(http.MethodGet, "/services/{id}/integrations/{integration}", of(serviceAt, getIntegration)),
	rest(http.MethodGet, "/users", listUsers),
	rest(http.MethodPost, "/users", createUser),
	rest(http.MethodGet, "/users/me", getCurrentUser),
	rest(http.MethodGet, "/users/{id}", one(userAt, "user", renderUser)),
	rest(http.MethodPut, "/users/{id}", of(userAt, updateUser)),
	rest(http.MethodDelete, "/users/{id}", deleteUser),
	rest(http.MethodGet, "/users/{id}/contact_methods", of(userAt, listContactMethods)),
	rest(http.MethodGet, "/users/{id}/notification_rules", of(userAt, listNotificationRules)),
	rest(http.MethodGet, "/webhook_subscriptions", listSubscriptions),
	rest(http.MethodPost, "/webhook_subscriptions", createSubscription),
	rest(http.MethodGet, "/webhook_subscriptions/{id}", getSubscription),
	rest(http.MethodDelete, "/webhook_subscriptions/{id}", deleteSubscription),
	rest(http.MethodPost, "/webhook_subscriptions/{id}/enable", enableSubscription),
	rest(http.MethodPost, "/webhook_subscriptions/{id}/ping", pingSubscription),
}

// of returns the handler of one resource: it finds the resource that the first parameter of
// the path names, and answers 404 when there is none.
func of[T any](find func(*Exchange) *T, handle func(*Exchange, *T) Response) handler {
	return func(x *Exchange) Response {
		if found := find(x); found != nil {
			return handle(x, found)
		}
		return notFound()
	}
}

// one returns the handler that answers with one resource under its name.
func one[T any](find func(*Exchange) *T, name string, render renderer[*T]) handler {
	return of(find, func(x *Exchange, found *T) Response {
		return single(http.StatusOK, name, render(x.account, found, x.include()))
	})
}

// The resources that the first parameter of a path can name.
func incidentAt(x *Exchange) *account.Incident       { return x.account.Incidents.ByID(x.id) }
func policyAt(x *Exchange) *account.EscalationPolicy { return x.account.Policies.ByID(x.id) }
func scheduleAt(x *Exchange) *account.Schedule       { return x.account.Schedules.ByID(x.id) }
func serviceAt(x *Exchange) *account.Service         { return x.account.Services.ByID(x.id) }
func userAt(x *Exchange) *account.Member             { return x.account.Users.ByID(x.id) }

// Routes returns all routes in their order.
func Routes() []Route { return slices.Clone(routes) }

// findRoute returns the route of a request and the values of its parameters. For a
// request without a route it returns a route without a path, which answers 404 or 405.
func findRoute(method, escapedPath string) (Route, [2]string) {
	segments := strings.Split(WithoutTrailingSlash(escapedPath), "/")
	var allowed []string
	for _, r := range routes {
		parameters, ok := r.match(segments)
		if ok && r.Method == method {
			return r, parameters
		}
		if ok && !slices.Contains(allowed, r.Method) {
			allowed = append(allowed, r.Method)
		}
	}
	if len(allowed) > 0 {
		return Route{handle: refuseMethod(allowed)}, [2]string{}
	}
	return Route{handle: refusePath}, [2]string{}
}

// WithoutTrailingSlash removes one slash at the end of a path, as the service does: pypd
// posts events to create_event.json/ and Rapid7's plugin reads /users/.
func WithoutTrailingSlash(path string) string {
	return strings.TrimSuffix(path, "/")
}

// match reports whether escaped segments match the path of the route. Each segment is
// unescaped on its own: an escaped slash belongs to an identifier.
func (r Route) match(segments []string) (parameters [2]string, ok bool) {
	pattern := strings.Split(r.Path, "/")
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
