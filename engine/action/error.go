package action

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Kind classifies a failure for machines: scripts compare err.kind with it
// and a step's `retry.on` lists it.
type Kind string

// The kinds of failure. There are no others.
const (
	InvalidInput   Kind = "invalid_input"   // the input is wrong
	Unauthorized   Kind = "unauthorized"    // there is no key, or the key is not accepted
	Forbidden      Kind = "forbidden"       // the key is accepted but may not do this
	NotFound       Kind = "not_found"       // what the input names does not exist
	Conflict       Kind = "conflict"        // it exists already, or is in use
	RateLimited    Kind = "rate_limited"    // the service asks to slow down
	Unavailable    Kind = "unavailable"     // no answer, or a failure of the service
	Timeout        Kind = "timeout"         // the time for the call ran out
	Cancelled      Kind = "cancelled"       // the run was stopped
	Permission     Kind = "permission"      // the workflow does not list what the call needs
	Limit          Kind = "limit"           // a limit of the sandbox was exceeded
	UnknownOutcome Kind = "unknown_outcome" // the call may or may not have been done: a person must look
	Script         Kind = "script"          // an error of the workflow's own Lua
)

// Kinds returns every kind, in the order of their declaration.
func Kinds() []Kind {
	return []Kind{
		InvalidInput, Unauthorized, Forbidden, NotFound, Conflict, RateLimited, Unavailable,
		Timeout, Cancelled, Permission, Limit, UnknownOutcome, Script,
	}
}

// Retryable reports whether failures of the kind may go away when the call is made
// again.
func (k Kind) Retryable() bool {
	return k == RateLimited || k == Unavailable || k == Timeout
}

// An Error is the failure of an action.
type Error struct {
	Kind    Kind
	Message string // what was wrong, where, and what was expected
	Hint    string // what to try; may be empty
	Action  string // the action's name, filled in by the engine
	Status  int    // the HTTP status, when there was one
	Code    int    // the service's own code, when there was one
	// RetryAfter is how long the service asked to wait; zero when it did not say.
	RetryAfter time.Duration
	// Details are further fields of the error for scripts, such as the parts that failed.
	Details Object
	// Final says that the attempt ends with this failure: no script can catch it, because it
	// says nothing about what the call asked.
	Final bool
	// Ambiguous says that the call may have been done although it failed. The engine
	// then does what [Effect.LostAnswer] says.
	Ambiguous bool
	Err       error // the cause, for errors.Is and errors.As
}

// Error returns the message, after the action's name when the name is known.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Action != "" {
		b.WriteString(e.Action + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error of a kind with a formatted message. The operand of a %w
// becomes the cause.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// AsError returns err as an Error. The errors of a context become timeout and
// cancelled; any other error that is not an Error becomes one of kind script.
func AsError(err error) *Error {
	var typed *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typed):
		return typed
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Timeout, Message: "the time for this call ran out", Err: err}
	case errors.Is(err, context.Canceled):
		return &Error{Kind: Cancelled, Message: "the call was cancelled", Err: err}
	}
	return &Error{Kind: Script, Message: err.Error(), Err: err}
}
