package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
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
	handle(mux, c, "POST /v1/runs/{run}/resume", func(ctx context.Context, r *http.Request, in ResumeRequest) (nothing, error) {
		return nothing{}, d.Resume(ctx, r.PathValue("run"), in)
	})
	handle(mux, c, "POST /v1/schedules/pause", func(ctx context.Context, _ *http.Request, in PauseRequest) (nothing, error) {
		return nothing{}, d.PauseSchedule(ctx, in)
	})
	handle(mux, c, "POST /v1/schedules/resume", func(ctx context.Context, _ *http.Request, in ScheduleName) (nothing, error) {
		return nothing{}, d.ResumeSchedule(ctx, in)
	})
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
		write(w, http.StatusOK, out)
	})
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
	e := Error{Code: Internal, Message: err.Error(), Hint: "the daemon's log says more"}
	var typed *Error
	if errors.As(err, &typed) {
		e = *typed
	}
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

// SocketName is the socket's name in the data folder.
const SocketName = "pdflow.sock"

// maxPath returns the longest name of a socket: sun_path of sockaddr_un has 108 bytes on
// Linux, and 104 on macOS and others. Both include a zero byte at the end.
func maxPath() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// stageName is the start of the name of the folder in which a socket is made. os.MkdirTemp
// adds a number.
const stageName = ".control-"

// stageLength is how much longer the name of a new socket can be than its final name.
const stageLength = len(stageName) + len("4294967295/s") - len(SocketName)

// Listen makes the socket of a data folder. The caller must hold the scheduler's lock of
// the folder: a socket that exists then belongs to a daemon that died, and is replaced.
// Closing the listener removes the socket. Close it before you release the lock.
func Listen(folder string, log *slog.Logger) (net.Listener, error) {
	name := filepath.Join(folder, SocketName)
	if length, most := len(name)+stageLength, maxPath(); length > most {
		return nil, fmt.Errorf("the path of the data folder %s is %d characters too long for a socket in it: choose a shorter --data-dir", folder, length-most)
	}
	if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("%s exists and is not a socket of a daemon: move it away", name)
	}
	// Folders of daemons that died while they made their socket.
	left, _ := filepath.Glob(filepath.Join(folder, stageName+"*"))
	for _, old := range left {
		_ = os.RemoveAll(old)
	}
	listener, err := stage(folder, name)
	if err != nil {
		return nil, fmt.Errorf("the control socket %s cannot be made: %w; use a data folder on a local disk", name, err)
	}
	return &ownersOnly{listener, name, log}, nil
}

// stage makes the socket in a folder that only its owner can enter, sets its mode, and
// renames it. So no other user can find it before its mode is set, and the rename replaces
// an old socket in the same step.
func stage(folder, name string) (*net.UnixListener, error) {
	private, err := os.MkdirTemp(folder, stageName) // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	first := filepath.Join(private, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it will have another name
	if err = os.Chmod(first, 0o600); err == nil {
		err = os.Rename(first, name)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// ownersOnly is a listener for the daemon's user and for root only.
type ownersOnly struct {
	*net.UnixListener
	name string
	log  *slog.Logger
}

// Accept returns the next connection of a user who has access.
func (l *ownersOnly) Accept() (net.Conn, error) {
	for {
		connection, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		user, known, err := peer(connection)
		if err == nil && (!known || user == 0 || user == os.Geteuid()) {
			return connection, nil
		}
		l.log.Warn("the control socket refuses another user", "uid", user, "error", err)
		_ = connection.Close()
	}
}

// Close closes the listener and removes the socket. The socket cannot be one of the next
// daemon yet, because that daemon waits for the lock.
func (l *ownersOnly) Close() error {
	err := l.UnixListener.Close()
	if gone := os.Remove(l.name); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
