package action

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/redact"
)

// A Clock is the time of a run.
type Clock = clock.Clock

// A Target is an endpoint that a call reaches and that a workflow must permit.
type Target struct {
	Scheme string // "https", "http", or "net" for sockets and name look-ups
	Host   string // lower case, without brackets
	Port   int    // 0 for a name look-up
}

// Permission returns the name of the list under `permissions:` that a target belongs
// in: "http" or "net".
func (t Target) Permission() string {
	if t.Scheme == "net" {
		return "net"
	}
	return "http"
}

// String returns the target as a permission writes it.
func (t Target) String() string {
	host := t.Host
	if strings.Contains(host, ":") { // an IPv6 address
		host = "[" + host + "]"
	}
	if t.Scheme != "net" {
		host = t.Scheme + "://" + host
	}
	switch {
	case t.Port == 0, t.Scheme == "https" && t.Port == 443, t.Scheme == "http" && t.Port == 80:
		return host
	}
	return host + ":" + strconv.Itoa(t.Port)
}

// A LogRecord is a line that a step logs.
type LogRecord struct {
	Level   string // debug, info, warn, error
	Message string
	Fields  Object
}

// A Scope is what one call gets from its run. It is a value: every call has a scope of
// its own, and an action must not keep it. The zero Scope is the scope of a call from
// Go without a run: there is nothing to permit and there are no secrets.
type Scope struct {
	Run      string // the run's id
	Workflow string // its name
	Step     string // the step's id
	// Connection names the account that the call goes to.
	Connection string
	// Since is when the call was started first, which is earlier than now in a resumed
	// run. It is zero without a run.
	Since time.Time
	// Key is the idempotency key that the engine derived for this call.
	Key   string
	Clock Clock
	// Random returns the next number of a stream that derives from the run, the
	// step and the item, so that a replay draws the same numbers.
	Random func() uint64
	// Permit refuses a target that the workflow does not list.
	Permit func(Target) error
	// Reveal returns the text of a secret for a destination that the secret is bound to.
	Reveal func(Secret, Destination) (string, error)
	// Hosts returns the hosts that a secret is bound to.
	Hosts func(Secret) []string
	// Redactor masks the texts of the keys that the call uses, in everything that the
	// call returns or logs.
	Redactor *redact.Redactor
	Log      func(LogRecord)
	// Preview is set in a dry run of a write: a request must be given to Preview and
	// not be sent.
	Preview func(Request)
}

// A Request is what a write would send.
type Request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	From   string `json:"from,omitempty"` // the header that says on whose behalf
	Body   string `json:"body,omitempty"`
}

type scopeKey struct{}

// WithScope returns a context that carries the scope to an action.
func WithScope(ctx context.Context, scope Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

// ScopeOf returns the scope of the call whose context is ctx, or the zero Scope.
func ScopeOf(ctx context.Context) Scope {
	scope, _ := ctx.Value(scopeKey{}).(Scope)
	return scope
}

// ClockOf returns the clock of the run that makes the call, or an error of kind
// permission without a run.
func ClockOf(ctx context.Context) (Clock, error) {
	if clock := ScopeOf(ctx).Clock; clock != nil {
		return clock, nil
	}
	return nil, Errorf(Permission, "there is no clock outside of a run")
}

// CanonicalHost returns the one form of a host in which hosts are compared, permitted and
// connected to: a name in lower case without the dot at its end, an address as package
// netip writes it, and IPv4 within IPv6 as IPv4.
func CanonicalHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return host
}
