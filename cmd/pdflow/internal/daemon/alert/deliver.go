package alert

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

const (
	// sendTimeout bounds the sending of one event, including the retries of the client.
	sendTimeout = 30 * time.Second
	// firstPause is the pause after the first failure. The pause doubles with each failure,
	// up to longestPause.
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// Run sends the alerts that PagerDuty has not accepted, until the context ends. The file
// then has the alerts that are left.
func (a *Alerts) Run(ctx context.Context) {
	unkept := false
	for ctx.Err() == nil {
		err := a.save()
		if err != nil && !unkept {
			// The alerts are sent although they are not stored: a full disk may be what they
			// are about.
			a.config.Log.Error("open alerts cannot be stored; they are sent, but a restart would forget them", "error", err)
		}
		unkept = err != nil
		if next := a.next(!unkept); next != nil {
			a.deliver(ctx, next)
			continue
		}
		a.rest(ctx, unkept)
	}
	if err := a.save(); err != nil {
		a.config.Log.Error("open alerts cannot be stored; the next daemon does not know them", "error", err)
	}
}

// delivery is a wish that is being sent.
type delivery struct {
	key, wish, summary string
	details            map[string]string
	version            int
}

// next returns the wish that has been due the longest, or nil if none is due. With kept it
// returns only a wish that is in the file, so that the next daemon can resolve it.
func (a *Alerts) next(kept bool) *delivery {
	a.mu.Lock()
	defer a.mu.Unlock()
	if kept && a.changed {
		return nil // Run writes the file first
	}
	var first *alert
	for _, entry := range a.sorted() {
		if !entry.Accepted && !entry.due.After(a.config.Clock.Now()) && (first == nil || entry.due.Before(first.due)) {
			first = entry
		}
	}
	if first == nil {
		return nil
	}
	first.Sent = true
	a.conceal(first) // secrets that are known since it was opened
	return &delivery{first.Key, first.Wish, first.Summary, maps.Clone(first.Details), first.version}
}

// deliver sends a wish and records the result.
func (a *Alerts) deliver(ctx context.Context, d *delivery) {
	err := a.send(ctx, d)
	if err != nil && ctx.Err() != nil {
		return // the daemon is stopping
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.alerts[d.key]
	if entry.version != d.version {
		return // a newer wish has replaced this one
	}
	if err != nil {
		entry.failed++
		entry.due = a.config.Clock.Now().Add(pause(entry.failed))
		if entry.failed == 1 { // the first of several failures in a row
			a.config.Log.Error("PagerDuty did not accept an alert; it will be sent again", "key", entry.Key, "wish", entry.Wish, "error", err)
		}
		return
	}
	if entry.failed > 0 {
		a.config.Log.Info("PagerDuty has now accepted the alert", "key", entry.Key, "wish", entry.Wish, "attempts", entry.failed+1)
	}
	entry.Accepted, entry.failed = true, 0
	if entry.Wish == resolved {
		delete(a.alerts, entry.Key)
	}
	a.changed = true
}

// pause returns the pause after a number of failures in a row.
func pause(failed int) time.Duration {
	return min(firstPause<<min(failed-1, 20), longestPause)
}

func (a *Alerts) send(ctx context.Context, d *delivery) error {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := a.config.Clock.AfterFunc(sendTimeout, func() { cancel(fmt.Errorf("no answer within %s", sendTimeout)) })
	defer stop()
	var err error
	if d.wish == triggered {
		err = a.config.Sender.Trigger(limited, d.key, d.summary, d.details)
	} else {
		err = a.config.Sender.Resolve(limited, d.key)
	}
	if err != nil && errors.Is(err, context.Canceled) && limited.Err() != nil {
		return context.Cause(limited)
	}
	return err
}

// rest waits until an alert changes or is due.
func (a *Alerts) rest(ctx context.Context, unkept bool) {
	wait := a.untilDue()
	if unkept {
		wait = min(wait, firstPause)
	}
	due := make(chan struct{})
	stop := a.config.Clock.AfterFunc(wait, func() { close(due) })
	defer stop()
	select {
	case <-ctx.Done():
	case <-a.wake:
	case <-due:
	}
}

// untilDue returns the time until the next alert is due, at most longestPause: then Run
// notices if the clock was set.
func (a *Alerts) untilDue() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	wait := longestPause
	for _, entry := range a.alerts {
		if !entry.Accepted {
			wait = min(wait, max(entry.due.Sub(a.config.Clock.Now()), 0))
		}
	}
	return wait
}
