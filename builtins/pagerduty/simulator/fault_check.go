package simulator

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// FaultPlan is the JSON document of faults.
type FaultPlan struct {
	Faults []Fault `json:"faults"`
}

// Words that stand for several endpoints in Match.Endpoint.
const (
	allREST   = "rest"
	allEvents = "events"
)

// ParseFaults reads the JSON document of a fault plan and validates it. Its error
// is [Problems]: every mistake with its place.
func ParseFaults(document []byte) (FaultPlan, error) {
	var plan FaultPlan
	if problems := readStrict(document, &plan); len(problems) > 0 {
		return FaultPlan{}, problems
	}
	if err := plan.Validate(); err != nil {
		return FaultPlan{}, err
	}
	return plan, nil
}

// Validate reports every mistake as [Problems], or nil.
func (p FaultPlan) Validate() error {
	var problems Problems
	names := map[string]int{}
	for i, fault := range p.Faults {
		path := index("faults", i)
		if first, ok := names[fault.Name]; ok && fault.Name != "" {
			problems.add(join(path, "name"), "the name %s is already that of %s", quoted(fault.Name), index("faults", first))
		} else {
			names[fault.Name] = i
		}
		fault.check(path, &problems)
		fault.Match.check(join(path, "match"), &problems)
	}
	return problems.asError()
}

func (f Fault) check(path string, problems *Problems) {
	traits, ok := traitsOfFaults[f.Do]
	if !ok {
		problems.add(join(path, "do"), "there is no fault %s%s", quoted(string(f.Do)), suggestion(string(f.Do), texts(kindsOfFaults)))
		return
	}
	for _, given := range f.given() {
		if !slices.Contains(traits.parameters, given) {
			problems.add(join(path, given), "means nothing to a fault %q", string(f.Do))
		}
	}
	for _, needed := range traits.required {
		if !slices.Contains(f.given(), needed) {
			problems.add(join(path, needed), "a fault %q needs it", string(f.Do))
		}
	}
	if f.Do == ChangeHeaders && len(f.Headers)+len(f.Remove) == 0 {
		problems.add(path, `a fault "headers" needs headers or remove`)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		problems.add(join(path, "status"), "expected 200 to 599, got %d", f.Status)
	}
	f.checkHeaders(path, problems)
}

// given lists the parameters that a rule has, in the order of its fields.
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

// checkHeaders refuses what net/http would not send.
func (f Fault) checkHeaders(path string, problems *Problems) {
	for _, name := range sortedNames(f.Headers) {
		switch {
		case !isHeaderName(name):
			problems.add(join(join(path, "headers"), name), "is not the name of a header")
		case strings.ContainsAny(f.Headers[name], "\r\n\x00"):
			problems.add(join(join(path, "headers"), name), "a header is one line")
		}
	}
	for i, name := range f.Remove {
		if !isHeaderName(name) {
			problems.add(index(join(path, "remove"), i), "%s is not the name of a header", quoted(name))
		}
	}
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '-' && c != '_' && (c > '~' || !isAlphanumeric(string(c)))
	}) && textproto.CanonicalMIMEHeaderKey(name) != "Content-Length"
}

func (m Match) check(path string, problems *Problems) {
	m.checkEndpoint(path, problems)
	for _, number := range []struct {
		name  string
		value int
	}{{"nth", m.Nth}, {"every", m.Every}, {"times", m.Times}} {
		if number.value < 0 {
			problems.add(join(path, number.name), "expected at least 1, got %d", number.value)
		}
	}
	if m.Nth != 0 && (m.Every != 0 || m.Times != 0) {
		problems.add(join(path, "nth"), "stands for one request; every and times say nothing more")
	}
	if !(m.Probability >= 0 && m.Probability <= 1) { // so that NaN is refused too
		problems.add(join(path, "probability"), "expected 0 to 1, got %v", m.Probability)
	}
}

// checkEndpoint holds endpoint and method against the routes.
func (m Match) checkEndpoint(path string, problems *Problems) {
	var paths, methods []string
	for _, route := range routes {
		if !slices.Contains(paths, route.path) {
			paths = append(paths, route.path)
		}
		if m.covers(route.path) && !slices.Contains(methods, route.method) {
			methods = append(methods, route.method)
		}
	}
	if len(methods) == 0 {
		problems.add(join(path, "endpoint"), "there is no endpoint %s%s", quoted(m.Endpoint),
			suggestion(m.Endpoint, append([]string{allREST, allEvents}, paths...)))
		return
	}
	if m.Method != "" && !slices.Contains(methods, m.Method) {
		problems.add(join(path, "method"), "no endpoint of the rule has the method %s; expected one of %s", quoted(m.Method), strings.Join(methods, ", "))
	}
}

// covers reports whether the rule is for the endpoint of a route. Without one it
// is for requests that have a route.
func (m Match) covers(endpoint string) bool {
	switch m.Endpoint {
	case "":
		return endpoint != ""
	case allEvents:
		return slices.Contains(eventPaths, endpoint)
	case allREST:
		return endpoint != "" && !slices.Contains(eventPaths, endpoint)
	}
	return endpoint == m.Endpoint
}

// statusText is what HTTP calls a status.
func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Unknown Error"
}
