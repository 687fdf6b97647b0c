// Package systemd reports the state of the daemon to systemd, for units of Type=notify.
//
//   - [Notifier] sends the messages of sd_notify(3): ready, reloading, stopping, and a line
//     for `systemctl status`.
//   - [Notifier.Watch] reports to the watchdog of WatchdogSec= while the scheduler's loop
//     runs. If the loop hangs, systemd kills and restarts the daemon.
//
// Without systemd (NOTIFY_SOCKET is not set) the package does nothing.
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

// Notifier sends messages to systemd. It is safe for concurrent use.
type Notifier struct {
	log *slog.Logger

	mu     sync.Mutex
	broken bool // the last message could not be sent, which was logged
}

// New returns a notifier. It logs the first of several messages in a row that cannot be
// sent.
func New(log *slog.Logger) *Notifier { return &Notifier{log: log} }

// Ready reports that the daemon has started, or has read its files again. A standby daemon
// is ready, too.
func (n *Notifier) Ready(status string) { n.send(daemon.SdNotifyReady, statusLine(status)) }

// Reloading reports that the daemon reads its files again. Ready must follow.
func (n *Notifier) Reloading() {
	n.send(daemon.SdNotifyReloading, strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

// Stopping reports that the daemon is stopping.
func (n *Notifier) Stopping(status string) { n.send(daemon.SdNotifyStopping, statusLine(status)) }

// Status sets the line that `systemctl status` shows.
func (n *Notifier) Status(text string) { n.send(statusLine(text)) }

// statusLine returns a status message on one line. A second line would be another message.
func statusLine(text string) string {
	return "STATUS=" + strings.Join(strings.Fields(text), " ")
}

// send sends messages in one datagram, so that systemd handles them together.
func (n *Notifier) send(messages ...string) {
	_, err := daemon.SdNotify(false, strings.Join(messages, "\n"))
	n.report(err)
}

// report logs an error, unless the message before failed, too.
func (n *Notifier) report(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil && !n.broken {
		n.log.Warn("messages to systemd cannot be sent", "error", err)
	}
	n.broken = err != nil
}

// Watch reports to the watchdog while alive returns true, twice in the watchdog's time. It
// returns when the context ends, or at once if systemd has set no watchdog for this
// process.
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
			n.log.Error("the scheduler's loop does not run: nothing is reported to systemd's watchdog")
		}
		silent = !live
		if clock.Sleep(ctx, every) != nil {
			return
		}
	}
}
