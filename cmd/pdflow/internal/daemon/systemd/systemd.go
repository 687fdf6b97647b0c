// Package systemd tells systemd how the daemon does, for units of Type=notify.
//
//   - A [Notifier] sends the messages of sd_notify(3): that the daemon is ready, reads
//     its files again, stops, and a line for `systemctl status`.
//   - [Notifier.Watch] keeps the watchdog of WatchdogSec= quiet as long as the
//     scheduler's loop lives: one that hangs is killed and started again.
//
// Without systemd, which is when NOTIFY_SOCKET is not set, all of it does nothing.
package systemd

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/pdflow/pdflow/engine/action"
)

// A Notifier talks to systemd. It is safe for concurrent use.
type Notifier struct {
	log *slog.Logger

	mu     sync.Mutex
	broken bool // the last message did not arrive, which was logged
}

// New returns a notifier. What cannot be said is logged once.
func New(log *slog.Logger) *Notifier { return &Notifier{log: log} }

// Ready says that the daemon has started, or has read its files again. One that
// stands by is ready too: it does what it was started for.
func (n *Notifier) Ready(status string) { n.send(daemon.SdNotifyReady, statusLine(status)) }

// Reloading says that files are read again; Ready must follow.
func (n *Notifier) Reloading() {
	n.send(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// Stopping says that the daemon ends.
func (n *Notifier) Stopping(status string) { n.send(daemon.SdNotifyStopping, statusLine(status)) }

// Status sets the line that `systemctl status` shows.
func (n *Notifier) Status(text string) { n.send(statusLine(text)) }

// statusLine is a message of one line: the next line would be another message.
func statusLine(text string) string {
	return "STATUS=" + strings.Join(strings.Fields(text), " ")
}

// send sends messages in one datagram, so that they take effect together.
func (n *Notifier) send(messages ...string) {
	_, err := daemon.SdNotify(false, strings.Join(messages, "\n"))
	n.report(err)
}

// report logs an error unless the message before met one too.
func (n *Notifier) report(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil && !n.broken {
		n.log.Warn("systemd cannot be told how the daemon does", "error", err)
	}
	n.broken = err != nil
}

// Watch tells the watchdog that the daemon lives, twice in its time, while alive says
// so; it returns when the context ends, or at once when systemd has set no watchdog
// for this process.
func (n *Notifier) Watch(ctx context.Context, clock action.Clock, alive func() bool) {
	within, err := daemon.SdWatchdogEnabled(false)
	n.report(err)
	if err != nil || within == 0 {
		return
	}
	n.watch(ctx, clock, within/2, alive)
}

func (n *Notifier) watch(ctx context.Context, clock action.Clock, every time.Duration, alive func() bool) {
	silent := false
	for ctx.Err() == nil {
		live := alive()
		if live {
			n.send(daemon.SdNotifyWatchdog)
		} else if !silent {
			n.log.Error("the scheduler's loop stands still: systemd's watchdog is not told that it lives")
		}
		silent = !live
		if clock.Sleep(ctx, every) != nil {
			return
		}
	}
}
