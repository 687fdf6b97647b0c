package control

import (
	"errors"
	"net/http"
)

// A Code is the kind of an error, for programs.
type Code string

// The codes.
const (
	NotFound   Code = "not_found"  // the run, workflow or schedule does not exist
	Invalid    Code = "invalid"    // the request cannot be carried out
	Conflict   Code = "conflict"   // the run is not in a state that permits it
	Stopping   Code = "stopping"   // the daemon is stopping and starts nothing
	TooLarge   Code = "too_large"  // the request is too large
	Internal   Code = "internal"   // the daemon failed
	Unexpected Code = "unexpected" // the answer is not from a daemon of this version
	TimedOut   Code = "timed_out"  // the answer did not come in time
	Forbidden  Code = "forbidden"  // the socket belongs to another user
	NoDaemon   Code = "no_daemon"  // no daemon is running
)

// An Error is an error as it is sent.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	cause error
}

// ErrNoDaemon says that the data folder has no daemon. Compare with errors.Is.
var ErrNoDaemon = &Error{Code: NoDaemon, Message: "no daemon serves this data folder"}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// Unwrap returns the cause, which is not sent.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether the error is [ErrNoDaemon], whatever folder it names.
func (e *Error) Is(target error) bool { return target == ErrNoDaemon && e.Code == NoDaemon }

// statuses are the HTTP statuses of the codes that a server sends.
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

// asError returns an error as it is sent.
func asError(err error) *Error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed
	}
	return &Error{Code: Internal, Message: err.Error(), Hint: "the daemon's log has details"}
}
