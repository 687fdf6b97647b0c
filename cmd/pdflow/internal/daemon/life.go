package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/oklog/run"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
)

const (
	// schedulerLock is the file that one daemon of a data folder holds a lock on. The system
	// frees the lock when the process ends, however it ends.
	schedulerLock = "scheduler.lock"
	// standbyEvery is how often a daemon on standby tries to get the lock.
	standbyEvery = time.Second
	// retryEvery is how often runs that could not be recorded are resumed.
	retryEvery = 30 * time.Second
	// pruneEvery is how often the daemon checks whether old runs are due for deletion.
	pruneEvery = time.Hour
	// memoryThreshold is the heap size in bytes above which the daemon trades CPU for memory.
	memoryThreshold = 16 << 20
)

// add adds a part to a group. The part may return early; the group still ends only when a part
// added by lead returns.
func add(g *run.Group, ctx context.Context, part func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	g.Add(func() error {
		part(ctx)
		<-ctx.Done()
		return nil
	}, func(error) { cancel() })
}

// Run serves until the context ends and the daemon has drained. The parts in this list watch the
// daemon, so they keep running while it drains. The last one takes the lock, works and drains;
// when it returns, the others are stopped. The lock is released when all of them have ended,
// because the socket and the file of alerts belong to the daemon that holds it.
func (d *Daemon) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { close(d.stopping) })()
	var lock *flock.Flock
	defer func() {
		if lock != nil {
			_ = lock.Close()
		}
	}()
	var watch run.Group
	watching := context.WithoutCancel(ctx)
	socket, begun := make(chan net.Listener, 1), make(chan struct{})
	add(&watch, watching, d.answerProbes)
	add(&watch, watching, func(ctx context.Context) { d.systemd.Watch(ctx, d.clock, d.alive) })
	add(&watch, watching, func(ctx context.Context) {
		select {
		case listener := <-socket:
			d.serveHTTP(ctx, control.Server(control.ServerConfig{
				Daemon: controlled{d}, Log: d.log, Redact: d.env.Redactor.Redact, RedactValue: d.env.Redactor.RedactValue,
			}), listener)
		case <-ctx.Done():
			close(socket)
			for listener := range socket {
				_ = listener.Close() // it was made and never served
			}
		}
	})
	add(&watch, watching, func(ctx context.Context) {
		select {
		case <-begun:
			d.alerting.Run(ctx)
		case <-ctx.Done():
		}
	})
	watch.Add(func() (err error) {
		if lock, err = d.takeLock(ctx); lock == nil {
			return err
		}
		listener, err := control.Listen(d.journal.Path, d.log)
		if err != nil {
			return console.Exit(console.ExitUsage, err)
		}
		socket <- listener
		if err := d.begin(ctx); ctx.Err() != nil {
			d.drain() // stopped while it began: it may already have resumed runs
			return nil
		} else if err != nil {
			return console.Exit(console.ExitFailed, err)
		}
		close(begun)
		d.work(ctx)
		d.drain()
		return nil
	}, func(error) {})
	return watch.Run()
}

// work starts runs until the context ends.
func (d *Daemon) work(ctx context.Context) {
	var work run.Group
	add(&work, ctx, d.files.Run)
	add(&work, ctx, func(ctx context.Context) {
		d.every(ctx, retryEvery, func() {
			d.runs.resumeUnrecorded(ctx)
			d.files.saveNames(ctx)
		})
	})
	add(&work, ctx, func(ctx context.Context) { d.every(ctx, pruneEvery, d.prune) })
	if d.heartbeat != nil {
		add(&work, ctx, d.heartbeat.Run)
	}
	add(&work, ctx, func(ctx context.Context) { _ = d.scheduler.Run(ctx) })
	_ = work.Run()
}

// every calls a function at intervals until the context ends.
func (d *Daemon) every(ctx context.Context, pause time.Duration, do func()) {
	for d.clock.Sleep(ctx, pause) == nil {
		do()
	}
}

// takeLock waits until no other daemon serves this data folder. It returns nil, nil if the
// context ends first.
func (d *Daemon) takeLock(ctx context.Context) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(d.journal.Path, schedulerLock))
	held, err := lock.TryLock()
	if err != nil {
		return nil, console.Exit(console.ExitFailed, fmt.Errorf("%s cannot be locked: %w; use a data folder on a local disk", lock.Path(), err))
	}
	if held {
		return lock, nil
	}
	d.log.Info("standing by: another daemon serves this data folder", "data_dir", d.journal.Path)
	d.systemd.Ready("standing by")
	for !held {
		if d.clock.Sleep(ctx, standbyEvery) != nil {
			return nil, nil
		}
		if held, err = lock.TryLock(); err != nil {
			return nil, console.Exit(console.ExitFailed, err)
		}
	}
	d.log.Info("taking over: the other daemon has ended")
	return lock, nil
}

// begin loads the schedules and takes over what the daemon before this one left: open alerts and
// interrupted runs.
func (d *Daemon) begin(ctx context.Context) error {
	if err := d.alerting.open(); err != nil {
		return err
	}
	d.files.recall(ctx)
	d.files.library.Check()
	if err := d.scheduler.Replace(ctx, d.files.entries()); err != nil {
		return err
	}
	d.files.saveNames(ctx)
	d.files.report()
	d.alerting.recall(ctx)
	d.serving.Store(true)
	schedules := len(d.files.entries())
	d.log.Info("serving", "workflows", len(d.files.library.Snapshot().Plans()), "schedules", schedules, "data_dir", d.journal.Path)
	d.systemd.Ready("serving " + console.Plural(schedules, "schedule"))
	d.runs.resumeInterrupted(ctx)
	d.tidyMemory()
	return nil
}

// tidyMemory gives back the memory that compiling needed. A daemon with thousands of workflows
// keeps them for weeks and makes little garbage, so it collects garbage at half the usual growth,
// unless GOGC is set.
func (d *Daemon) tidyMemory() {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapAlloc < memoryThreshold {
		return
	}
	if d.env.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	debug.FreeOSMemory()
}

// prune deletes old runs, at most once a day.
func (d *Daemon) prune() {
	if err := d.journal.Tidy(d.clock.Now()); err != nil {
		d.log.Error("old runs cannot be deleted", "error", err)
	}
}

// drain waits until the running runs end, for at most Options.Drain. Runs that are still running
// then are not cancelled: the next daemon resumes them.
func (d *Daemon) drain() {
	ended := make(chan struct{})
	go func() {
		d.runs.running.Wait()
		close(ended)
	}()
	if n := len(d.runs.active.list()); n > 0 {
		d.log.Info("stopping: no run starts any more", "runs", n, "drain", d.options.Drain)
	}
	d.systemd.Stopping("waiting for runs")
	over := make(chan struct{})
	defer d.clock.AfterFunc(d.options.Drain, func() { close(over) })()
	select {
	case <-ended:
		if left := d.runs.unadmitted.list(); len(left) > 0 {
			d.log.Info("the next daemon resumes the runs that waited", "runs", strings.Join(left, " "))
		}
		d.log.Info("stopped")
	case <-over:
		d.log.Warn("stopped; runs are interrupted, and the next daemon resumes them", "runs", strings.Join(d.runs.active.list(), " "))
	}
}

// answerProbes serves /healthz, /readyz and /metrics until the context ends.
func (d *Daemon) answerProbes(ctx context.Context) {
	if d.listener == nil {
		return
	}
	d.log.Info("listening", "address", "http://"+d.listener.Addr().String())
	readiness := func() health.Readiness {
		return health.Readiness{Loaded: d.files.library != nil, Active: d.serving.Load(), Stopping: d.isStopping(), LastWake: d.scheduler.LastWake()}
	}
	d.serveHTTP(ctx, health.Server(health.Config{Readiness: readiness, Now: d.clock.Now, Metrics: d.metrics.Handler(), Log: d.log}), d.listener)
}

// maxConnections bounds the connections to one listener, so that nobody who may connect can
// take the file descriptors that runs need. Probes, a scraper and a few commands need less.
const maxConnections = 32

// serveHTTP serves until the context ends.
func (d *Daemon) serveHTTP(ctx context.Context, server *http.Server, listener net.Listener) {
	server.ConnState = bounded(maxConnections)
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		d.log.Error("the daemon answers no more requests at this address", "address", listener.Addr().String(), "error", err)
	}
}

// bounded returns a hook for the connections of a server. It closes each connection that is
// opened while there are most others. The timeouts of the server close those.
func bounded(most int) func(net.Conn, http.ConnState) {
	var open atomic.Int64
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if open.Add(1) > int64(most) {
				_ = c.Close()
			}
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
}
