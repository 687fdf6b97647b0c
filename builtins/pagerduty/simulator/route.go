package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// handler answers an exchange. It runs while no other does.
type handler func(*Simulator, *exchange) response

// route is one endpoint. In its path, {id} stands for any one segment.
type route struct {
	method string
	path   string
	handle handler
}

// routes is everything that the simulator answers. The first match wins, so
// /users/me stands before /users/{id}.
var routes = []route{
	{http.MethodPost, "/generic/2010-04-15/create_event.json", events((*Simulator).createEventV1)},
	{http.MethodPost, "/v2/enqueue", events((*Simulator).enqueueEventV2)},

	{http.MethodGet, "/abilities", rest((*Simulator).listAbilities)},
	{http.MethodGet, "/incidents", rest((*Simulator).listIncidents)},
	{http.MethodGet, "/incidents/{id}", rest((*Simulator).getIncident)},
	{http.MethodGet, "/services", rest((*Simulator).listServices)},
	{http.MethodGet, "/users", rest((*Simulator).listUsers)},
	{http.MethodPost, "/users", rest((*Simulator).createUser)},
	{http.MethodGet, "/users/me", rest((*Simulator).getCurrentUser)},
	{http.MethodGet, "/users/{id}", rest((*Simulator).getUser)},
	{http.MethodPut, "/users/{id}", rest((*Simulator).updateUser)},
	{http.MethodDelete, "/users/{id}", rest((*Simulator).deleteUser)},
}

// findRoute returns the handler for a request and what {id} stood for. It
// always returns a handler: one that answers 404 or 405 if need be.
func findRoute(method, escapedPath string) (handle handler, id string) {
	segments := strings.Split(withoutTrailingSlash(escapedPath), "/")
	var allowed []string
	for _, route := range routes {
		id, ok := route.match(segments)
		if ok && route.method == method {
			return route.handle, id
		}
		if ok && !slices.Contains(allowed, route.method) {
			allowed = append(allowed, route.method)
		}
	}
	if len(allowed) > 0 {
		return refuseMethod(allowed), ""
	}
	return refusePath, ""
}

// withoutTrailingSlash drops one slash at the end, as the service does: pypd
// posts events to create_event.json/ and Rapid7's plugin reads /users/.
func withoutTrailingSlash(path string) string {
	return strings.TrimSuffix(path, "/")
}

// match reports whether the escaped segments are those of the route. They are
// unescaped one by one: an escaped slash belongs to an identifier.
func (r route) match(segments []string) (id string, ok bool) {
	pattern := strings.Split(r.path, "/")
	if len(pattern) != len(segments) {
		return "", false
	}
	for i, want := range pattern {
		got, err := url.PathUnescape(segments[i])
		switch {
		case err != nil:
			return "", false
		case want == "{id}" && got != "":
			id = got
		case want != got:
			return "", false
		}
	}
	return id, true
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
