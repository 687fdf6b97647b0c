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
	// maxAnswer is how many bytes of an answer are read. The status of 10,000 workflows is about
	// 3 MB.
	maxAnswer = 64 << 20
)

// A Client sends requests to the daemon of a data folder.
type Client struct {
	socket string
	http   *http.Client
}

var _ Daemon = (*Client)(nil)

// New returns a client. It does not connect; requests fail with ErrNoDaemon if no daemon is running.
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

// Status returns the state of the daemon.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ask(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Start starts a run and returns its id.
func (c *Client) Start(ctx context.Context, request StartRequest) (run string, err error) {
	var b begun
	err = c.ask(ctx, http.MethodPost, "/v1/runs", request, &b)
	return b.Run, err
}

// Cancel asks a run to stop.
func (c *Client) Cancel(ctx context.Context, run string) error {
	return c.ask(ctx, http.MethodPost, "/v1/runs/"+url.PathEscape(run)+"/cancel", nil, nil)
}

// Resume resumes a run.
func (c *Client) Resume(ctx context.Context, run string, request ResumeRequest) error {
	return c.ask(ctx, http.MethodPost, "/v1/runs/"+url.PathEscape(run)+"/resume", request, nil)
}

// PauseSchedule pauses schedules.
func (c *Client) PauseSchedule(ctx context.Context, request PauseRequest) error {
	return c.ask(ctx, http.MethodPost, "/v1/schedules/pause", request, nil)
}

// ResumeSchedule resumes paused schedules.
func (c *Client) ResumeSchedule(ctx context.Context, name ScheduleName) error {
	return c.ask(ctx, http.MethodPost, "/v1/schedules/resume", name, nil)
}

// Reload makes the daemon read its files again.
func (c *Client) Reload(ctx context.Context) (r Reloaded, err error) {
	return r, c.ask(ctx, http.MethodPost, "/v1/reload", nil, &r)
}

// ask sends a request and decodes its answer into out, unless out is nil.
func (c *Client) ask(ctx context.Context, method, path string, in, out any) error {
	if len(c.socket) > maxPath() {
		return c.noDaemon(nil) // no daemon can have made this socket
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
		Code: Unexpected, Message: "the answer of the daemon is not valid: " + err.Error(),
		Hint: "use the pdflow version of the daemon", cause: err,
	}
}

// failed returns the error for a request without an answer.
func (c *Client) failed(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return c.noDaemon(err)
	case errors.Is(err, fs.ErrPermission):
		return &Error{Code: Forbidden, Message: c.socket + " belongs to another user", Hint: "run this command as the user of the daemon", cause: err}
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Code: TimedOut, Message: fmt.Sprintf("the daemon did not answer within %s", clientTimeout), Hint: "check before you try again: it may still happen", cause: err}
	}
	return &Error{
		Code: Unexpected, Message: "the daemon did not answer: it has ended, or it refuses this user",
		Hint: "check before you try again: it may have happened", cause: err,
	}
}

func (c *Client) noDaemon(cause error) error {
	return &Error{Code: NoDaemon, Message: "no daemon serves " + filepath.Dir(c.socket), Hint: "start one with `pdflow serve`", cause: cause}
}
