package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// maxBody is the largest request in bytes. The inputs of a run are the largest part.
	maxBody = 1 << 20
	// answerTimeout is how long the daemon may take to answer.
	answerTimeout = 30 * time.Second

	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// ServerConfig is the configuration of [Server]. Daemon and Log are required.
type ServerConfig struct {
	Daemon Daemon
	Log    *slog.Logger
	// Redact masks secrets in messages. Nil masks nothing.
	Redact func(string) string
	// RedactValue masks secrets in answers, which are values of JSON. Nil masks nothing.
	RedactValue func(any) any
}

// Server returns the server for a listener of [Listen].
func Server(c ServerConfig) *http.Server {
	if c.Redact == nil {
		c.Redact = func(text string) string { return text }
	}
	return &http.Server{
		Handler: http.MaxBytesHandler(routes(c), maxBody), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: answerTimeout + readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
		// The listener has checked the user already.
		BaseContext: func(net.Listener) context.Context { return context.Background() },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if unix, ok := c.(*net.UnixConn); ok {
				if user, known, err := peer(unix); known && err == nil {
					return context.WithValue(ctx, userKey{}, user)
				}
			}
			return ctx
		},
	}
}

type userKey struct{}

// User returns the id of the user at the other end of a request's connection. known is
// false where the system does not tell it.
func User(ctx context.Context) (user int, known bool) {
	user, known = ctx.Value(userKey{}).(int)
	return user, known
}

// nothing stands for an empty body.
type nothing struct{}

// begun is the answer to a start.
type begun struct {
	Run string `json:"run"`
}

func routes(c ServerConfig) http.Handler {
	d := c.Daemon
	mux := http.NewServeMux()
	handle(mux, c, "GET /v1/status", func(ctx context.Context, _ *http.Request, _ nothing) (Status, error) { return d.Status(ctx) })
	handle(mux, c, "POST /v1/runs", func(ctx context.Context, _ *http.Request, in StartRequest) (begun, error) {
		if in.Workflow == "" {
			return begun{}, &Error{Code: Invalid, Message: "the name of the workflow is missing"}
		}
		run, err := d.Start(ctx, in)
		return begun{run}, err
	})
	handle(mux, c, "POST /v1/runs/{run}/cancel", func(ctx context.Context, r *http.Request, _ nothing) (nothing, error) {
		return nothing{}, d.Cancel(ctx, r.PathValue("run"))
	})
	handle(mux, c, "POST /v1/runs/{run}/resume", func(ctx context.Context, r *http.Request, in ResumeRequest) (nothing, error) {
		return nothing{}, d.Resume(ctx, r.PathValue("run"), in)
	})
	handle(mux, c, "POST /v1/schedules/pause", func(ctx context.Context, _ *http.Request, in PauseRequest) (nothing, error) {
		return nothing{}, d.PauseSchedule(ctx, in)
	})
	handle(mux, c, "POST /v1/schedules/resume", func(ctx context.Context, _ *http.Request, in ScheduleName) (nothing, error) {
		return nothing{}, d.ResumeSchedule(ctx, in)
	})
	handle(mux, c, "POST /v1/reload", func(ctx context.Context, _ *http.Request, _ nothing) (Reloaded, error) { return d.Reload(ctx) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.refuse(w, r, &Error{Code: NotFound, Message: r.Method + " " + r.URL.Path + " is not a request that this daemon knows", Hint: "use a pdflow of the daemon's version"})
	})
	return mux
}

// handle registers a handler that decodes the request, calls do and encodes its result.
func handle[In, Out any](mux *http.ServeMux, c ServerConfig, pattern string, do func(context.Context, *http.Request, In) (Out, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := read(r.Body, &in); err != nil {
			c.refuse(w, r, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerTimeout)
		defer cancel()
		out, err := do(ctx, r, in)
		if err != nil {
			c.refuse(w, r, err)
			return
		}
		shown, err := c.shown(out)
		if err != nil {
			c.refuse(w, r, err)
			return
		}
		write(w, http.StatusOK, shown)
	})
}

// shown returns an answer without secrets.
func (c ServerConfig) shown(answer any) (any, error) {
	if c.RedactValue == nil {
		return answer, nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return c.RedactValue(value), nil
}

// read decodes a body of one JSON value. An empty body leaves in as it is.
func read(body io.Reader, in any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(in)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text follows the JSON value")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &Error{Code: TooLarge, Message: fmt.Sprintf("the request is larger than %d KiB", maxBody>>10), Hint: "give smaller inputs"}
	case err != nil:
		return &Error{Code: Invalid, Message: "the request cannot be read: " + err.Error(), Hint: "use a pdflow of the daemon's version"}
	}
	return nil
}

// refuse answers with an error. It logs a failure of the daemon.
func (c ServerConfig) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		err = &Error{Code: TimedOut, Message: fmt.Sprintf("the daemon did not finish within %s", answerTimeout), Hint: "check before you try again: the daemon may still do it"}
	}
	e := *asError(err)
	e.Message, e.Hint = c.Redact(e.Message), c.Redact(e.Hint)
	if e.Code == Internal {
		c.Log.Error("a request at the control socket failed", "request", r.Method+" "+r.URL.Path, "error", e.Message)
	}
	write(w, e.status(), e)
}

func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // fails only if the client has gone
}
