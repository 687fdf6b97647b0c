package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// clientTimeout is a little longer than the daemon may take.
	clientTimeout = answerTimeout + 5*time.Second
	// maxAnswer is the largest answer in bytes. The status of 10,000 workflows has about
	// 3 MB.
	maxAnswer = 64 << 20
)

// Client sends requests to the daemon of a data folder.
type Client struct {
	socket string
	http   *http.Client
}

var _ Daemon = (*Client)(nil)

// New returns a client. It does not check whether a daemon is running.
func New(folder string) *Client {
	c := &Client{socket: filepath.Join(folder, SocketName)}
	c.http = &http.Client{
		Timeout: clientTimeout,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", c.socket)
		}},
	}
	return c
}

// Status returns the status of the daemon.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ask(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Start starts a run and returns its id.
func (c *Client) Start(ctx context.Context, request StartRequest) (run string, err error) {
	var b begun
	err = c.ask(ctx, http.MethodPost, "/v1/runs", request, &b)
	return b.Run, err
}

// Resume resumes or retries a run.
func (c *Client) Resume(ctx context.Context, run string, request ResumeRequest) error {
	return c.ask(ctx, http.MethodPost, "/v1/runs/"+url.PathEscape(run)+"/resume", request, nil)
}

// PauseSchedule pauses schedules: they start no runs.
func (c *Client) PauseSchedule(ctx context.Context, request PauseRequest) error {
	return c.ask(ctx, http.MethodPost, "/v1/schedules/pause", request, nil)
}

// ResumeSchedule ends the pause of schedules.
func (c *Client) ResumeSchedule(ctx context.Context, name ScheduleName) error {
	return c.ask(ctx, http.MethodPost, "/v1/schedules/resume", name, nil)
}

// ask sends a request and decodes the answer into out; out may be nil.
func (c *Client) ask(ctx context.Context, method, path string, in, out any) error {
	if len(c.socket) > maxPath() {
		return c.noDaemon(nil) // a daemon could not have made it
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return &Error{Code: Invalid, Message: "the request cannot be written as JSON: " + err.Error(), cause: err}
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://pdflow"+path, body)
	if err != nil {
		return &Error{Code: Invalid, Message: "the request cannot be made: " + err.Error(), cause: err}
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return c.failed(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return c.failed(err)
	}
	return decodeAnswer(answer.StatusCode, text, out)
}

func decodeAnswer(status int, text []byte, out any) error {
	if status != http.StatusOK {
		var e Error
		if json.Unmarshal(text, &e) != nil || e.Code == "" {
			return unexpected(fmt.Errorf("it answered %d", status))
		}
		return &e
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return unexpected(err)
	}
	return nil
}

func unexpected(err error) error {
	return &Error{
		Code: Unexpected, Message: "the daemon's answer cannot be read: " + err.Error(),
		Hint: "use a pdflow of the daemon's version", cause: err,
	}
}

// failed returns the error of a request without an answer.
func (c *Client) failed(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return c.noDaemon(err)
	case errors.Is(err, fs.ErrPermission):
		return &Error{Code: Forbidden, Message: c.socket + " belongs to another user", Hint: "run this command as the user that runs the daemon", cause: err}
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Code: TimedOut, Message: fmt.Sprintf("the daemon did not answer within %s", clientTimeout), Hint: "check before you try again: the daemon may still do it", cause: err}
	}
	return &Error{
		Code: Unexpected, Message: "the daemon did not answer: it has ended, or refuses this user",
		Hint: "check before you try again: the daemon may have done it", cause: err,
	}
}

func (c *Client) noDaemon(cause error) error {
	return &Error{Code: NoDaemon, Message: "no daemon serves " + filepath.Dir(c.socket), Hint: "start one with `pdflow serve`", cause: cause}
}
