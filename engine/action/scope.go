package action

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// A Clock tells the time and waits. Everything below the command line takes one,
// so that tests run on virtual time.
type Clock interface {
	Now() time.Time
	// Sleep waits, or returns the context's error as soon as that ends.
	Sleep(ctx context.Context, d time.Duration) error
	// AfterFunc calls f once d has passed, unless the returned function was
	// called before; that one reports whether it was in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// A Target is what a call wants to reach beside PagerDuty.
type Target struct {
	Scheme string // "https", "http", or "net" for sockets and name look-ups
	Host   string // lower case, without brackets
	Port   int    // 0 for a name look-up
}

// String returns the target as a permission writes it.
func (t Target) String() string {
	host := t.Host
	if strings.Contains(host, ":") { // an address of IP version 6
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

// A Scope is what one call may know and ask of the run that makes it. Its zero
// value is that of a call from Go without any run: nothing is permitted beyond
// what the host itself does, and there are no secrets.
type Scope struct {
	Run  string // the run's id
	Step string // the step's id
	// Connection names the account of PagerDuty that the call goes to.
	Connection string
	// Since is when the call was begun first: earlier than now in a run that was
	// resumed. Zero outside of a run.
	Since time.Time
	// Key is the idempotency key that the engine derived for this call.
	Key   string
	Clock Clock
	// Random returns the next number of a stream that derives from the run, the
	// step and the item, so that a replay draws the same.
	Random func() uint64
	// Permit refuses a target that the workflow does not list.
	Permit func(Target) error
	// Reveal resolves a secret for a destination that it is bound to.
	Reveal func(Secret, Destination) (string, error)
	// Redactor takes the texts of keys that the call uses: nothing of it shows them.
	Redactor *Redactor
	Log      func(LogRecord)
	// Preview is set when the call is made for the sake of its requests: whatever
	// would send one calls it instead.
	Preview func(Request)
}

// A Request is what a write would send.
type Request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	From   string `json:"from,omitempty"` // the header, on whose behalf
	Body   string `json:"body,omitempty"`
}

type scopeKey struct{}

// WithScope returns a context that carries the scope to an action.
func WithScope(ctx context.Context, scope *Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

var emptyScope = &Scope{}

// ScopeOf returns the scope of the call in which ctx was given, or an empty one.
func ScopeOf(ctx context.Context) *Scope {
	if scope, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		return scope
	}
	return emptyScope
}

// ClockOf returns the clock of the run that makes the call, or an error of kind
// permission outside of a run.
func ClockOf(ctx context.Context) (Clock, error) {
	if clock := ScopeOf(ctx).Clock; clock != nil {
		return clock, nil
	}
	return nil, Errorf(Permission, "there is no clock outside of a run")
}
