package alert

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// sendTimeout is how long one event may take, including the retries of the client.
	sendTimeout = 30 * time.Second
	// firstPause is the pause after the first refusal. It doubles after each refusal up to
	// longestPause.
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// Run sends the wishes that PagerDuty has not accepted until the context ends. The file keeps the rest.
func (a *Alerts) Run(ctx context.Context) {
	unkept := false
	for ctx.Err() == nil {
		err := a.save()
		if err != nil && !unkept {
			// Alerts are sent all the same, because they are needed when a disk is full.
			a.config.Log.Error("open alerts cannot be written to their file; they are sent, but a restart would forget them", "error", err)
		}
		unkept = err != nil
		if next := a.next(!unkept); next != nil {
			a.deliver(ctx, next)
			continue
		}
		a.rest(ctx, unkept)
	}
	if err := a.save(); err != nil {
		a.config.Log.Error("open alerts cannot be written to their file; this restart forgets them", "error", err)
	}
}

// A delivery is a wish as it is sent.
type delivery struct {
	key, wish, summary string
	details            map[string]string
	version            int
}

// next returns the wish that has been due the longest; nil if none is due. With kept, a wish is returned
// only if the file has it, because after a restart nothing else could resolve it.
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
	return &delivery{first.Key, first.Wish, first.Summary, first.Details, first.version}
}

// deliver sends a wish and keeps the result.
func (a *Alerts) deliver(ctx context.Context, d *delivery) {
	err := a.send(ctx, d)
	if err != nil && ctx.Err() != nil {
		return // the daemon is stopping; PagerDuty has not refused anything
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	entry := a.alerts[d.key]
	if entry.version != d.version {
		return // there is a newer wish, which is due
	}
	if err != nil {
		a.refused(entry, err)
		return
	}
	if entry.failed > 0 {
		a.config.Log.Info("PagerDuty accepts the alert now", "key", entry.Key, "wish", entry.Wish, "attempts", entry.failed+1)
	}
	entry.Accepted, entry.failed = true, 0
	if entry.Wish == resolved {
		delete(a.alerts, entry.Key)
	}
	a.changed = true
}

// refused sets when the wish is sent again, and logs the first refusal in a row.
func (a *Alerts) refused(entry *alert, err error) {
	entry.failed++
	entry.due = a.config.Clock.Now().Add(pause(entry.failed))
	if entry.failed == 1 {
		a.config.Log.Error("PagerDuty does not accept an alert; it is kept and sent again", "key", entry.Key, "wish", entry.Wish, "error", err)
	}
}

// pause returns how long to wait after a number of refusals.
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

// untilDue returns how long no alert is due, at most longestPause, so that a changed clock is noticed.
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
