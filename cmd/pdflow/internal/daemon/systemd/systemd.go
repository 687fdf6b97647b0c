// Package systemd sends the state of the daemon to systemd, for units of Type=notify.
//
//   - A [Notifier] sends the messages of sd_notify(3): the daemon is ready, reloads or stops, and a line
//     for `systemctl status`.
//   - [Notifier.Watch] resets the watchdog of WatchdogSec= while the scheduler's loop runs. If the loop
//     hangs, systemd kills the daemon and starts it again.
//
// Without systemd, when NOTIFY_SOCKET is not set, it does nothing.
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

// A Notifier sends messages to systemd. It is safe for concurrent use.
type Notifier struct {
	log *slog.Logger

	mu     sync.Mutex
	broken bool // the last message could not be sent, which was logged
}

// New returns a notifier. The first of several failures in a row is logged.
func New(log *slog.Logger) *Notifier { return &Notifier{log: log} }

// Ready says that the daemon has started, or has reloaded. A daemon on standby is ready too.
func (n *Notifier) Ready(status string) { n.send(daemon.SdNotifyReady, statusLine(status)) }

// Reloading says that files are read again. Ready must follow.
func (n *Notifier) Reloading() {
	n.send(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// Stopping says that the daemon is stopping.
func (n *Notifier) Stopping(status string) { n.send(daemon.SdNotifyStopping, statusLine(status)) }

// Status sets the line that `systemctl status` shows.
func (n *Notifier) Status(text string) { n.send(statusLine(text)) }

// statusLine returns a message of one line, because the next line would be another message.
func statusLine(text string) string {
	return "STATUS=" + strings.Join(strings.Fields(text), " ")
}

// send sends messages in one datagram, so that they take effect together.
func (n *Notifier) send(messages ...string) {
	_, err := daemon.SdNotify(false, strings.Join(messages, "\n"))
	n.report(err)
}

// report logs an error, unless the message before failed too.
func (n *Notifier) report(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil && !n.broken {
		n.log.Warn("systemd cannot be notified", "error", err)
	}
	n.broken = err != nil
}

// Watch resets the watchdog twice in its time while alive returns true. It returns when the context ends,
// or at once if systemd has set no watchdog for this process.
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
			n.log.Error("the scheduler's loop has stalled: systemd's watchdog is not reset")
		}
		silent = !live
		if clock.Sleep(ctx, every) != nil {
			return
		}
	}
}
