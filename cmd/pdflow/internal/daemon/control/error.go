package control

import (
	"errors"
	"net/http"
)

// Code classifies an error for programs.
type Code string

// The codes.
const (
	NotFound   Code = "not_found"  // the run, workflow or schedule does not exist
	Invalid    Code = "invalid"    // the request cannot be fulfilled
	Conflict   Code = "conflict"   // the present state does not allow the request
	Stopping   Code = "stopping"   // the daemon is stopping
	TooLarge   Code = "too_large"  // the request is too large
	Internal   Code = "internal"   // the daemon failed
	Unexpected Code = "unexpected" // the answer is not from a daemon of this version
	TimedOut   Code = "timed_out"  // there was no answer in time
	Forbidden  Code = "forbidden"  // the socket belongs to another user
	NoDaemon   Code = "no_daemon"  // no daemon is running
)

// Error is the error of a request. The daemon sends it to the client as JSON.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	cause error
}

// ErrNoDaemon says that no daemon serves the data folder. Compare it with errors.Is.
var ErrNoDaemon = &Error{Code: NoDaemon, Message: "no daemon serves this data folder"}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// Unwrap returns the cause. It is not sent to the client.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is find [ErrNoDaemon] in the errors of a client, whose messages name the
// folder.
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

// asError returns an error as it is sent to the client.
func asError(err error) *Error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed
	}
	return &Error{Code: Internal, Message: err.Error(), Hint: "the daemon's log says more"}
}
