package control

import (
	"errors"
	"net/http"
)

// A Code is an error for programs.
type Code string

// The codes.
const (
	NotFound   Code = "not_found"  // there is no such run, workflow or schedule
	Invalid    Code = "invalid"    // what was asked for cannot be done
	Conflict   Code = "conflict"   // not in the state in which it is
	Stopping   Code = "stopping"   // the daemon ends and begins nothing any more
	TooLarge   Code = "too_large"  // the request
	Internal   Code = "internal"   // the daemon failed
	Unexpected Code = "unexpected" // the answer is none of a daemon of this version
	TimedOut   Code = "timed_out"  // there was no answer in time
	Forbidden  Code = "forbidden"  // the socket belongs to another user
	NoDaemon   Code = "no_daemon"  // none lives
)

// An Error is what went wrong, as it travels.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	cause error
}

// ErrNoDaemon says that no daemon serves the data folder; compare with errors.Is.
var ErrNoDaemon = &Error{Code: NoDaemon, Message: "no daemon serves this data folder"}

// Error returns the message, and what to try.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// Unwrap returns the cause, which does not travel.
func (e *Error) Unwrap() error { return e.cause }

// Is lets errors.Is find [ErrNoDaemon] in the error of a client, which names the
// folder.
func (e *Error) Is(target error) bool { return target == ErrNoDaemon && e.Code == NoDaemon }

// statuses are HTTP's words for the codes that a server sends.
var statuses = map[Code]int{
	NotFound: http.StatusNotFound, Invalid: http.StatusUnprocessableEntity, Conflict: http.StatusConflict,
	Stopping: http.StatusServiceUnavailable, TooLarge: http.StatusRequestEntityTooLarge,
	TimedOut: http.StatusGatewayTimeout,
}

func (e *Error) status() int {
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// asError is an error as it travels.
func asError(err error) *Error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed
	}
	return &Error{Code: Internal, Message: err.Error(), Hint: "the daemon's log says more"}
}
