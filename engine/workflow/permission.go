package workflow

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
)

// Permissions are what a workflow may reach. Its zero value allows what needs no
// listing: PagerDuty's reading and event actions.
type Permissions struct {
	// PagerDuty names the functions that are allowed; it narrows only when
	// Narrowed is set.
	PagerDuty []string
	Narrowed  bool
	HTTP, Net []Pattern
	// Everything permits all: for a call that a person makes by hand. No file can
	// ask for it.
	Everything bool
}

// A Pattern is one entry of `permissions: {http, net}`.
type Pattern struct {
	Text string // as written, for messages
	// Scheme is "https" or "http" in an http entry, "net" in the others, "" when
	// the entry is an input, whose value says.
	Scheme string
	Host   string // a name, an address, `*.example.com`, or `inputs.NAME`
	Port   string // a number, `*`, `inputs.NAME`, or "" for look-ups only
	// Position is the place of the entry.
	Position Position
}

// parsePattern reads an entry; kind is "http" or "net".
func parsePattern(kind, text string) (Pattern, error) {
	pattern := Pattern{Text: text, Scheme: "net"}
	rest := text
	if kind == "http" {
		pattern.Scheme = "https"
		if scheme, after, ok := strings.Cut(text, "://"); ok {
			pattern.Scheme, rest = scheme, after
		}
		rest = strings.TrimSuffix(rest, "/")
		if pattern.Scheme != "https" && pattern.Scheme != "http" {
			return pattern, fmt.Errorf("the scheme must be https or http")
		}
	}
	pattern.Host, pattern.Port = splitHostPort(rest)
	switch {
	case kind != "http" || pattern.Port != "":
	case strings.HasPrefix(text, "inputs."):
		pattern.Scheme = "" // the input is a whole URL
	default:
		pattern.Port = defaultPort(pattern.Scheme)
	}
	return pattern, pattern.validate()
}

func (p Pattern) validate() error {
	if strings.ContainsAny(p.Host, "/?#") {
		return fmt.Errorf("it must be a host, without a path")
	}
	if !strings.HasPrefix(p.Host, "inputs.") {
		if err := checkHost(p.Host); err != nil {
			return err
		}
	}
	if p.Port == "" || p.Port == "*" || strings.HasPrefix(p.Port, "inputs.") {
		return nil
	}
	if n, err := strconv.Atoi(p.Port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("the port must be 1 to 65535 or *")
	}
	return nil
}

// checkHost reports why text is not a host: a name, an address, or a name after
// `*.`. What could never match anything is refused, since its author believes
// that it does.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name := strings.TrimPrefix(host, "*.")
	switch {
	case name == "":
		return fmt.Errorf("there is no host in it")
	case strings.Contains(name, "*"):
		return fmt.Errorf("* may only stand for the first labels, as in *.example.com")
	}
	odd := func(r rune) bool { return r < utf8.RuneSelf && !nameByte(byte(r)) && r != '-' && r != '.' }
	if at := strings.IndexFunc(name, odd); at >= 0 {
		return fmt.Errorf("a host cannot hold %q", name[at])
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return fmt.Errorf("a label of the name is empty")
	}
	return nil
}

func splitHostPort(text string) (host, port string) {
	if strings.HasPrefix(text, "[") || strings.Count(text, ":") == 1 {
		if h, p, err := net.SplitHostPort(text); err == nil {
			return strings.ToLower(keepInputs(h)), p
		}
	}
	return keepInputs(strings.Trim(text, "[]")), ""
}

// keepInputs lowers the case of host names, but not of the names of inputs.
func keepInputs(host string) string {
	if strings.HasPrefix(host, "inputs.") {
		return host
	}
	return strings.ToLower(host)
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// inputNames returns the inputs that the entry refers to.
func (p Pattern) inputNames() []string {
	var names []string
	for _, part := range []string{p.Host, p.Port} {
		if name, ok := strings.CutPrefix(part, "inputs."); ok {
			names = append(names, name)
		}
	}
	return names
}

// AllowsAction reports whether a step may call the action at all. Only
// PagerDuty's are listed by name; http and net are by what they reach, and a
// host's own actions are permitted by being declared.
func (p Permissions) AllowsAction(a *action.Action) bool {
	if p.Everything || a.Module() != "pagerduty" {
		return true
	}
	if !p.Narrowed {
		return !a.Guarded
	}
	for _, name := range p.PagerDuty {
		if name == a.Function() {
			return true
		}
	}
	return false
}

// AllowsTarget reports whether a call may reach the target, given the inputs of
// the run.
func (p Permissions) AllowsTarget(t action.Target, inputs action.Object) bool {
	if p.Everything {
		return true
	}
	patterns := p.HTTP
	if t.Scheme == "net" {
		patterns = p.Net
	}
	for _, pattern := range patterns {
		if resolved, ok := pattern.resolve(inputs); ok && resolved.matches(t) {
			return true
		}
	}
	return false
}

// resolve puts the values of inputs in their places.
func (p Pattern) resolve(inputs action.Object) (Pattern, bool) {
	if p.Scheme == "" {
		return p.resolveURL(inputs)
	}
	host, ok := substitute(p.Host, inputs)
	if !ok {
		return p, false
	}
	port, ok := substitute(p.Port, inputs)
	if !ok {
		return p, false
	}
	if p.Scheme == "net" && strings.HasPrefix(p.Host, "inputs.") && port == "" {
		host, port = splitHostPort(host)
	}
	p.Host, p.Port = strings.ToLower(host), port
	return p, true
}

func (p Pattern) resolveURL(inputs action.Object) (Pattern, bool) {
	text, _ := inputs[strings.TrimPrefix(p.Host, "inputs.")].(string)
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return p, false
	}
	p.Scheme, p.Host, p.Port = u.Scheme, strings.ToLower(u.Hostname()), u.Port()
	if p.Port == "" {
		p.Port = defaultPort(p.Scheme)
	}
	return p, true
}

func substitute(part string, inputs action.Object) (string, bool) {
	name, ok := strings.CutPrefix(part, "inputs.")
	if !ok {
		return part, true
	}
	switch v := inputs[name].(type) {
	case string:
		// An input is exactly its value, never a wildcard.
		return v, v != "" && !strings.Contains(v, "*")
	case float64:
		return action.FormatNumber(v), true
	}
	return "", false
}

func (p Pattern) matches(t action.Target) bool {
	if p.Scheme != t.Scheme || !matchHost(p.Host, t.Host) {
		return false
	}
	// A look-up reveals less than a connection: any entry for the host allows it.
	return t.Port == 0 || p.Port == "*" || p.Port == strconv.Itoa(t.Port)
}

// Covers reports whether whatever another pattern allows is allowed by this one
// too. What depends on inputs counts as covered: it is known in the run only.
func (p Pattern) Covers(other Pattern) bool {
	if len(other.inputNames()) > 0 {
		return true
	}
	host := other.Host
	if suffix, any := strings.CutPrefix(host, "*"); any {
		host = "any" + suffix // a name that only a wildcard as wide allows
		if !strings.HasPrefix(p.Host, "*") {
			return false
		}
	}
	if p.Scheme != other.Scheme || !matchHost(p.Host, host) {
		return false
	}
	return other.Port == "" || p.Port == "*" || p.Port == other.Port
}

// matchHost compares a host with a pattern, which may begin with `*.`: that
// stands for one label or more.
func matchHost(pattern, host string) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return len(host) > len(suffix) && strings.HasSuffix(host, suffix)
	}
	return pattern == host
}

// ActionLine returns the line that permits an action beside those listed.
func (p Permissions) ActionLine(a *action.Action) string {
	names := append(slices.Clone(p.PagerDuty), a.Function())
	return fmt.Sprintf("permissions: {%s: [%s]}", a.Module(), strings.Join(names, ", "))
}

// Line returns the line to add to a file for a target.
func (Permissions) Line(t action.Target) string {
	if t.Scheme == "net" {
		return fmt.Sprintf("permissions: {net: [%q]}", t.String())
	}
	return fmt.Sprintf("permissions: {http: [%q]}", t.String())
}
