package fault

import (
	"maps"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

// Plan is the JSON document of faults.
type Plan struct {
	Faults []Fault `json:"faults"`
}

// Values of Match.Endpoint that stand for several endpoints.
const (
	allREST   = "rest"
	allEvents = "events"
)

// Parse reads the JSON document of a fault plan and validates it. Its error is
// [strictjson.Problems]: every mistake with its path.
func Parse(document []byte) (Plan, error) { return strictjson.Read[Plan](document) }

// Validate returns every mistake as [strictjson.Problems], or nil.
func (p Plan) Validate() error {
	var problems strictjson.Problems
	names := map[string]int{}
	for i, fault := range p.Faults {
		path := strictjson.Index("faults", i)
		if first, ok := names[fault.Name]; ok && fault.Name != "" {
			problems.Add(strictjson.Join(path, "name"), "%s already has the name %s", strictjson.Index("faults", first), strictjson.Quote(fault.Name))
		} else {
			names[fault.Name] = i
		}
		fault.check(path, &problems)
		fault.Match.check(strictjson.Join(path, "match"), &problems)
	}
	return problems.Err()
}

func (f Fault) check(path string, problems *strictjson.Problems) {
	needs, ok := traitsOf[f.Do]
	if !ok {
		problems.Add(strictjson.Join(path, "do"), "there is no fault %s%s", strictjson.Quote(string(f.Do)), strictjson.Suggestion(f.Do, kinds))
		return
	}
	for _, given := range f.given() {
		if !slices.Contains(needs.parameters, given) {
			problems.Add(strictjson.Join(path, given), "a fault %q does not use it", string(f.Do))
		}
	}
	for _, needed := range needs.required {
		if !slices.Contains(f.given(), needed) {
			problems.Add(strictjson.Join(path, needed), "a fault %q needs it", string(f.Do))
		}
	}
	if f.Do == ChangeHeaders && len(f.Headers)+len(f.Remove) == 0 {
		problems.Add(path, `a fault "headers" needs headers or remove`)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		problems.Add(strictjson.Join(path, "status"), "expected 200 to 599, got %d", f.Status)
	}
	f.checkHeaders(path, problems)
}

// given returns the names of the parameters that a rule has, in the order of its fields.
func (f Fault) given() []string {
	var found []string
	for _, parameter := range []struct {
		name  string
		there bool
	}{
		{"status", f.Status != 0},
		{"body", f.Body != ""},
		{"headers", len(f.Headers) > 0},
		{"remove", len(f.Remove) > 0},
		{"delay", f.Delay != 0},
	} {
		if parameter.there {
			found = append(found, parameter.name)
		}
	}
	return found
}

// checkHeaders refuses headers that net/http would not send.
func (f Fault) checkHeaders(path string, problems *strictjson.Problems) {
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		switch {
		case !api.IsHeaderName(name):
			problems.Add(strictjson.Join(strictjson.Join(path, "headers"), name), "is not the name of a header")
		case strings.ContainsAny(f.Headers[name], "\r\n\x00"):
			problems.Add(strictjson.Join(strictjson.Join(path, "headers"), name), "a header has one line")
		}
	}
	for i, name := range f.Remove {
		if !api.IsHeaderName(name) {
			problems.Add(strictjson.Index(strictjson.Join(path, "remove"), i), "%s is not the name of a header", strictjson.Quote(name))
		}
	}
}

func (m Match) check(path string, problems *strictjson.Problems) {
	m.checkEndpoint(path, problems)
	for _, number := range []struct {
		name  string
		value int
	}{{"nth", m.Nth}, {"every", m.Every}, {"times", m.Times}} {
		if number.value < 0 {
			problems.Add(strictjson.Join(path, number.name), "expected at least 1, got %d", number.value)
		}
	}
	if m.Nth != 0 && (m.Every != 0 || m.Times != 0) {
		problems.Add(strictjson.Join(path, "nth"), "selects one request; remove every and times")
	}
	if !(m.Probability >= 0 && m.Probability <= 1) { // refuses NaN too
		problems.Add(strictjson.Join(path, "probability"), "expected 0 to 1, got %v", m.Probability)
	}
}

// checkEndpoint compares the endpoint and the method with the routes.
func (m Match) checkEndpoint(path string, problems *strictjson.Problems) {
	var paths, methods []string
	for _, route := range api.Routes() {
		if !slices.Contains(paths, route.Path) {
			paths = append(paths, route.Path)
		}
		if m.covers(route.Path, route.Event) && !slices.Contains(methods, route.Method) {
			methods = append(methods, route.Method)
		}
	}
	if len(methods) == 0 {
		problems.Add(strictjson.Join(path, "endpoint"), "there is no endpoint %s%s", strictjson.Quote(m.Endpoint),
			strictjson.Suggestion(m.Endpoint, append([]string{allREST, allEvents}, paths...)))
		return
	}
	if m.Method != "" && !slices.Contains(methods, m.Method) {
		problems.Add(strictjson.Join(path, "method"), "no endpoint of the rule has the method %s; expected one of %s", strictjson.Quote(m.Method), strings.Join(methods, ", "))
	}
}

// covers reports whether the rule is for an endpoint, which is empty for a request without
// a route. A rule without an endpoint is for all requests that have a route.
func (m Match) covers(endpoint string, event bool) bool {
	switch m.Endpoint {
	case "":
		return endpoint != ""
	case allEvents:
		return event
	case allREST:
		return endpoint != "" && !event
	}
	return endpoint == m.Endpoint
}
