package permission

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// A Pattern is one entry of the lists of endpoints: a scheme, a host and a port.
type Pattern struct {
	Text string // as written, for messages
	// Scheme is "https" or "http" in an entry of http, and "net" in an entry of net.
	// It is "" when the entry is an input, whose value has the scheme.
	Scheme string
	Host   string // a name, an address, `*.example.com`, or `inputs.NAME`
	Port   string // a number, `*`, `inputs.NAME`, or "" for look-ups of names only
	// Position is the place of the entry in its file.
	Position source.Position
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
			return pattern, errors.New("the scheme must be https or http")
		}
	}
	var err error
	if pattern.Host, pattern.Port, err = splitHostPort(rest); err != nil {
		return pattern, err
	}
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
		return errors.New("it must be a host, without a path")
	}
	if !strings.HasPrefix(p.Host, "inputs.") {
		if err := checkHost(p.Host); err != nil {
			return err
		}
	}
	if p.Port == "" || p.Port == "*" || strings.HasPrefix(p.Port, "inputs.") {
		return nil
	}
	if _, ok := readPort(p.Port); !ok {
		return errors.New("the port must be 1 to 65535 or *")
	}
	return nil
}

// checkHost reports why a text is not a host: a name, an address, or a name after
// `*.`. A text that could never match anything is refused, since its author
// believes that it matches.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name := strings.TrimPrefix(host, "*.")
	switch {
	case name == "":
		return errors.New("there is no host in it")
	case strings.Contains(name, "*"):
		return errors.New("* may only stand for the first labels, as in *.example.com")
	}
	odd := func(r rune) bool { return r < utf8.RuneSelf && !isLetterOrDigit(r) && !strings.ContainsRune("_-.", r) }
	if at := strings.IndexFunc(name, odd); at >= 0 {
		return fmt.Errorf("a host cannot hold %q", name[at])
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return errors.New("a label of the name is empty")
	}
	return nil
}

func isLetterOrDigit(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// splitHostPort returns the host and the port of a text, in canonical form. Without a port
// the second text is empty.
func splitHostPort(text string) (host, number string, err error) {
	host, rest := text, "" // the rest begins with the colon
	if inner, bracketed := strings.CutPrefix(text, "["); bracketed {
		var closed bool
		host, rest, closed = strings.Cut(inner, "]")
		if _, err := netip.ParseAddr(host); !closed || err != nil || !strings.Contains(host, ":") {
			return "", "", errors.New("brackets enclose an IPv6 address, as in [2001:db8::1]:443")
		}
		if rest != "" && rest[0] != ':' {
			return "", "", errors.New("only a port may follow the brackets, as in [2001:db8::1]:443")
		}
	} else if strings.Count(text, ":") == 1 {
		colon := strings.IndexByte(text, ':')
		host, rest = text[:colon], text[colon:]
	}
	if rest == ":" {
		return "", "", errors.New("the port after the colon is missing")
	}
	return keepInputs(host), canonicalPort(strings.TrimPrefix(rest, ":")), nil
}

// readPort returns the canonical text of a port: without zeros at its beginning.
func readPort(text string) (canonical string, ok bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return "", false
	}
	n, err := strconv.Atoi(text)
	return strconv.Itoa(n), err == nil && n >= 1 && n <= 65535
}

// canonicalPort returns the canonical text of a port, and any other text as it is.
func canonicalPort(text string) string {
	if port, ok := readPort(text); ok {
		return port
	}
	return text
}

// keepInputs returns a canonical host. The name of an input stays as it is.
func keepInputs(host string) string {
	if strings.HasPrefix(host, "inputs.") || strings.HasSuffix(host, ".") {
		return host
	}
	return action.CanonicalHost(host)
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// Inputs returns the names of the inputs that the entry refers to.
func (p Pattern) Inputs() []string {
	var names []string
	for _, part := range []string{p.Host, p.Port} {
		if name, ok := strings.CutPrefix(part, "inputs."); ok {
			names = append(names, name)
		}
	}
	return names
}

// resolve replaces the inputs that a pattern names by their values. It returns
// false when a value is missing or is not a host or a port.
func (p Pattern) resolve(inputs action.Object) (Pattern, bool) {
	if p.Scheme == "" {
		return p.resolveURL(inputs)
	}
	host, hostKnown := substitute(p.Host, inputs)
	port, portKnown := substitute(p.Port, inputs)
	if !hostKnown || !portKnown {
		return p, false
	}
	if p.Scheme == "net" && strings.HasPrefix(p.Host, "inputs.") && port == "" {
		var err error
		if host, port, err = splitHostPort(host); err != nil {
			return p, false
		}
	}
	p.Host, p.Port = action.CanonicalHost(host), canonicalPort(port)
	return p, true
}

func (p Pattern) resolveURL(inputs action.Object) (Pattern, bool) {
	text, _ := inputs[strings.TrimPrefix(p.Host, "inputs.")].(string)
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return p, false
	}
	p.Scheme, p.Host, p.Port = u.Scheme, action.CanonicalHost(u.Hostname()), defaultPort(u.Scheme)
	if u.Port() != "" {
		var ok bool
		if p.Port, ok = readPort(u.Port()); !ok {
			return p, false
		}
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
		// The value of an input is never a wildcard.
		return v, v != "" && !strings.Contains(v, "*")
	case float64:
		return phrase.Number(v), true
	}
	return "", false
}

func (p Pattern) matches(t action.Target) bool {
	if p.Scheme != t.Scheme || !MatchHost(p.Host, t.Host) {
		return false
	}
	// A look-up of a name reveals less than a connection, so every entry for the host
	// allows it.
	return t.Port == 0 || p.Port == "*" || p.Port == strconv.Itoa(t.Port)
}

// Covers reports whether this pattern allows everything that another pattern
// allows. A pattern that depends on inputs counts as covered, since its values are
// known in the run only.
func (p Pattern) Covers(other Pattern) bool {
	if len(other.Inputs()) > 0 {
		return true
	}
	host := other.Host
	if suffix, any := strings.CutPrefix(host, "*"); any {
		host = "any" + suffix // only a wildcard that is as wide matches this name
		if !strings.HasPrefix(p.Host, "*") {
			return false
		}
	}
	if p.Scheme != other.Scheme || !MatchHost(p.Host, host) {
		return false
	}
	return other.Port == "" || p.Port == "*" || p.Port == other.Port
}

// MatchHost reports whether a host matches a pattern. `*.` at the beginning of a
// pattern stands for one label or more.
func MatchHost(pattern, host string) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return len(host) > len(suffix) && strings.HasSuffix(host, suffix)
	}
	return pattern == host
}
