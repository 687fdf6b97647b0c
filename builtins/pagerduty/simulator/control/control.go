// Package control is the control API of the simulator, under /sim/. It lets another
// process read the state of the simulator, move its time, change its faults and reset it.
// PagerDuty has no such API.
//
// An [API] answers the requests and calls a [Target], which is the simulator. A [State] is
// everything that the simulator holds and has seen (state.go). Requests to the control API
// are not requests to PagerDuty: they are not recorded and no fault applies to them.
package control

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

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// Target is the simulator that the control API reads and changes. Its methods are safe for
// concurrent use.
type Target interface {
	State() State
	// SetState starts again with another starting state, which is valid.
	SetState(account.State)
	Rules() []fault.Rule
	// SetFaults replaces the fault plan with a valid one.
	SetFaults(fault.Plan)
	Now() time.Time
	// Advance moves the time forward. What becomes due happens.
	Advance(time.Duration)
	Reset()
}

// API answers the requests of the control API.
type API struct {
	token  string
	target Target
}

// New returns a control API that needs a token. With an empty token there is no control
// API: it serves no request.
func New(token string, target Target) *API { return &API{token, target} }

// Serves reports whether a request is one to the control API.
func (a *API) Serves(request *http.Request) bool {
	return a.token != "" && strings.HasPrefix(request.URL.Path, "/sim/")
}

// route is one endpoint of the control API.
type route struct {
	method string
	path   string
	handle func(*API, []byte) api.Response
}

var routes = []route{
	{http.MethodGet, "/sim/state", (*API).getState},
	{http.MethodPost, "/sim/state", (*API).setState},
	{http.MethodGet, "/sim/faults", (*API).getFaults},
	{http.MethodPost, "/sim/faults", (*API).setFaults},
	{http.MethodDelete, "/sim/faults", (*API).clearFaults},
	{http.MethodGet, "/sim/clock", (*API).getClock},
	{http.MethodPost, "/sim/clock", (*API).moveClock},
	{http.MethodPost, "/sim/reset", (*API).reset},
}

// ServeHTTP answers a request for which Serves is true.
func (a *API) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	answer, ok := a.refuse(request)
	if ok {
		answer = a.route(request)
	}
	answer.Header.Set("Cache-Control", "no-store")
	answer.Write(writer, answer.Body)
}

// refuse refuses a request that does not come from the owner of the token on this machine.
// A web page in the browser of the owner can send requests here through a host name that
// resolves to this machine. Its Host and Origin headers show that.
func (a *API) refuse(request *http.Request) (refused api.Response, ok bool) {
	if !webhook.IsLoopback(hostName(request.Host)) {
		return failure(http.StatusForbidden, "the Host header must be localhost or a loopback address", nil), false
	}
	if origin := request.Header.Get("Origin"); origin != "" && !isSameOrigin(origin, request.Host) {
		return failure(http.StatusForbidden, "the Origin header must be absent or name this server", nil), false
	}
	key, _ := api.ReadCredential(request.Header)
	given, want := sha256.Sum256([]byte(key)), sha256.Sum256([]byte(a.token))
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return failure(http.StatusUnauthorized, `the control API needs its token: send "Authorization: Bearer TOKEN"`, nil), false
	}
	return api.Response{}, true
}

// hostName returns a Host header without its port.
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

func (a *API) route(request *http.Request) api.Response {
	body, oversized := api.ReadBody(request.Body)
	if oversized {
		return failure(http.StatusRequestEntityTooLarge, "a document may have 512 KB", nil)
	}
	path := api.WithoutTrailingSlash(request.URL.Path)
	var allowed, known []string
	for _, r := range routes {
		switch {
		case r.path == path && r.method == request.Method:
			return r.handle(a, body)
		case r.path == path:
			allowed = append(allowed, r.method)
		}
		if !slices.Contains(known, r.path) {
			known = append(known, r.path)
		}
	}
	if len(allowed) > 0 {
		return failure(http.StatusMethodNotAllowed, "expected the method "+strings.Join(allowed, " or "), nil).
			WithHeader("Allow", strings.Join(allowed, ", "))
	}
	return failure(http.StatusNotFound, "the control API has no such path"+strictjson.Suggestion(path, known), nil)
}

// errorDocument is the body of a refusal.
type errorDocument struct {
	Error    string              `json:"error"`
	Problems strictjson.Problems `json:"problems,omitempty"`
}

func failure(status int, message string, problems strictjson.Problems) api.Response {
	return api.Document(status, errorDocument{message, problems})
}

// refuseDocument answers a document with mistakes.
func refuseDocument(err error) api.Response {
	var problems strictjson.Problems
	if !errors.As(err, &problems) {
		problems = strictjson.Problems{{Message: err.Error()}}
	}
	return failure(http.StatusBadRequest, "the document has mistakes", problems)
}

// getState answers GET /sim/state.
func (a *API) getState([]byte) api.Response {
	return api.Document(http.StatusOK, a.target.State())
}

// setState answers POST /sim/state: the account starts again with another starting state.
// The keys and services of options stay.
func (a *API) setState(body []byte) api.Response {
	state, err := account.ParseState(body)
	if err != nil {
		return refuseDocument(err)
	}
	a.target.SetState(state)
	return api.Empty(http.StatusNoContent)
}

// faultsDocument is the fault plan with its counters.
type faultsDocument struct {
	Faults []fault.Rule `json:"faults"`
}

// getFaults answers GET /sim/faults.
func (a *API) getFaults([]byte) api.Response {
	return api.Document(http.StatusOK, faultsDocument{a.target.Rules()})
}

// setFaults answers POST /sim/faults: the rules replace the present ones, and their
// counters begin at zero.
func (a *API) setFaults(body []byte) api.Response {
	plan, err := fault.Parse(body)
	if err != nil {
		return refuseDocument(err)
	}
	a.target.SetFaults(plan)
	return a.getFaults(nil)
}

// clearFaults answers DELETE /sim/faults.
func (a *API) clearFaults([]byte) api.Response {
	a.target.SetFaults(fault.Plan{})
	return api.Empty(http.StatusNoContent)
}

// clockDocument is the time of the account, or how to move it.
type clockDocument struct {
	Now     *time.Time     `json:"now,omitempty"`
	Advance fault.Duration `json:"advance,omitempty"`
}

// getClock answers GET /sim/clock.
func (a *API) getClock([]byte) api.Response {
	now := a.target.Now()
	return api.Document(http.StatusOK, clockDocument{Now: &now})
}

// moveClock answers POST /sim/clock with {"advance": "1m"} or {"now": TIME}. The time only
// moves forward.
func (a *API) moveClock(body []byte) api.Response {
	var wanted clockDocument
	problems := strictjson.Decode(body, &wanted)
	by := time.Duration(wanted.Advance)
	if wanted.Now != nil {
		by = wanted.Now.Sub(a.target.Now())
	}
	switch {
	case len(problems) > 0:
	case (wanted.Now == nil) == (wanted.Advance == 0):
		problems.Add("", `expected either {"advance": "1m"} or {"now": "2026-01-31T09:00:00Z"}`)
	case by < 0:
		problems.Add("now", "expected a time after %s; the account's time does not go back", a.target.Now().UTC().Format(time.RFC3339))
	}
	if len(problems) > 0 {
		return refuseDocument(problems)
	}
	a.target.Advance(by)
	return a.getClock(nil)
}

// reset answers POST /sim/reset: the account, its keys, the faults and all counters are as
// they were at the start. The time does not change.
func (a *API) reset([]byte) api.Response {
	a.target.Reset()
	return api.Empty(http.StatusNoContent)
}
