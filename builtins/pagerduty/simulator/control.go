package simulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// controlPrefix is where the control API is. PagerDuty has nothing there.
const controlPrefix = "/sim/"

// controlRoute is one endpoint of the control API.
type controlRoute struct {
	method string
	path   string
	handle func(*Simulator, []byte) response
}

// controlRoutes are apart from routes: they are no requests to PagerDuty, are not
// recorded and have no faults.
var controlRoutes = []controlRoute{
	{http.MethodGet, "/sim/state", (*Simulator).controlState},
	{http.MethodPost, "/sim/state", (*Simulator).controlSetState},
	{http.MethodGet, "/sim/faults", (*Simulator).controlFaults},
	{http.MethodPost, "/sim/faults", (*Simulator).controlSetFaults},
	{http.MethodDelete, "/sim/faults", (*Simulator).controlClearFaults},
	{http.MethodGet, "/sim/clock", (*Simulator).controlClock},
	{http.MethodPost, "/sim/clock", (*Simulator).controlMoveClock},
	{http.MethodPost, "/sim/reset", (*Simulator).controlReset},
}

// isControl reports whether a request is for the control API. Without a token
// there is none, and its paths are like any others.
func (s *Simulator) isControl(request *http.Request) bool {
	return s.settings.controlToken != "" && strings.HasPrefix(request.URL.Path, controlPrefix)
}

// serveControl answers a request to the control API.
func (s *Simulator) serveControl(writer http.ResponseWriter, request *http.Request) {
	answer, ok := s.refuseControl(request)
	if ok {
		answer = s.routeControl(request)
	}
	answer.header.Set("Cache-Control", "no-store")
	answer.writePart(writer, answer.body)
}

// refuseControl turns away whoever is not the owner of the token on this machine.
// A web page that a person looks at can send requests here, by a name that it lets
// point to this machine: Host and Origin give it away.
func (s *Simulator) refuseControl(request *http.Request) (refused response, ok bool) {
	if !isLoopback(hostName(request.Host)) {
		return controlFailure(http.StatusForbidden, "the Host header must be localhost or a loopback address", nil), false
	}
	if origin := request.Header.Get("Origin"); origin != "" && !isSameOrigin(origin, request.Host) {
		return controlFailure(http.StatusForbidden, "the Origin header must be absent or that of this server", nil), false
	}
	given := sha256.Sum256([]byte(readCredential(request.Header.Get("Authorization")).key))
	want := sha256.Sum256([]byte(s.settings.controlToken))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return controlFailure(http.StatusUnauthorized, `the control API needs its token: send "Authorization: Bearer TOKEN"`, nil), false
	}
	return response{}, true
}

// hostName is a Host header without its port.
func hostName(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return strings.Trim(host, "[]")
	}
	return name
}

func isSameOrigin(origin, host string) bool {
	parsed, err := url.Parse(origin)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && strings.EqualFold(parsed.Host, host)
}

func (s *Simulator) routeControl(request *http.Request) response {
	x := &exchange{}
	x.readBody(request.Body)
	if x.oversized {
		return controlFailure(http.StatusRequestEntityTooLarge, "a document may have 512 KB", nil)
	}
	path := withoutTrailingSlash(request.URL.Path)
	var allowed, known []string
	for _, route := range controlRoutes {
		switch {
		case route.path == path && route.method == request.Method:
			return route.handle(s, x.body)
		case route.path == path:
			allowed = append(allowed, route.method)
		}
		if !slices.Contains(known, route.path) {
			known = append(known, route.path)
		}
	}
	if len(allowed) > 0 {
		return controlFailure(http.StatusMethodNotAllowed, "expected the method "+strings.Join(allowed, " or "), nil).
			withHeader("Allow", strings.Join(allowed, ", "))
	}
	return controlFailure(http.StatusNotFound, "the control API has no such path"+suggestion(path, known), nil)
}

// controlError is the body of a refusal of the control API.
type controlError struct {
	Error    string   `json:"error"`
	Problems Problems `json:"problems,omitempty"`
}

func controlFailure(status int, message string, problems Problems) response {
	return document(status, controlError{message, problems})
}

// refuseDocument answers a document with mistakes.
func refuseDocument(err error) response {
	var problems Problems
	if !errors.As(err, &problems) {
		problems = Problems{{Message: err.Error()}}
	}
	return controlFailure(http.StatusBadRequest, "the document has mistakes", problems)
}

// clockDocument is the time of the account, or how to move it.
type clockDocument struct {
	Now     *time.Time `json:"now,omitempty"`
	Advance Duration   `json:"advance,omitempty"`
}

// controlClock answers GET /sim/clock.
func (s *Simulator) controlClock([]byte) response {
	now := s.timeline.glance()
	return document(http.StatusOK, clockDocument{Now: &now})
}

// controlMoveClock answers POST /sim/clock with {"advance": "1m"} or {"now": TIME}.
// Time only moves forward; what falls due in between happens.
func (s *Simulator) controlMoveClock(body []byte) response {
	var wanted clockDocument
	problems := readStrict(body, &wanted)
	by := time.Duration(wanted.Advance)
	if wanted.Now != nil {
		by = wanted.Now.Sub(s.timeline.glance())
	}
	switch {
	case len(problems) > 0:
	case (wanted.Now == nil) == (wanted.Advance == 0):
		problems.add("", `expected either {"advance": "1m"} or {"now": "2026-01-31T09:00:00Z"}`)
	case by < 0:
		problems.add("now", "expected a time after %s; the account's time does not go back", timestamp(s.timeline.glance()))
	}
	if len(problems) > 0 {
		return refuseDocument(problems)
	}
	s.timeline.jump(by)
	s.Settle()
	return s.controlClock(nil)
}

// controlReset answers POST /sim/reset: the account is as it was at the start, with
// the same keys, and so are faults and counters. Time goes on.
func (s *Simulator) controlReset([]byte) response {
	s.Reset()
	return noContent()
}

// Reset gives the account its starting state again, with the same keys. What was
// on its way is forgotten; time goes on.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin()
}
