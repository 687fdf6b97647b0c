package alert

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// sendTimeout is how long PagerDuty may take for one event, with the retries of
	// its client.
	sendTimeout = 30 * time.Second
	// firstPause and longestPause bound how long after a refusal the next attempt is
	// made; it doubles in between.
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// Run tells PagerDuty what it has not accepted, until the context ends. What is then
// left is in the file.
func (a *Alerts) Run(ctx context.Context) {
	unkept := false
	for ctx.Err() == nil {
		err := a.save()
		if err != nil && !unkept {
			// It is sent all the same: a full disk is just when it is needed.
			a.config.Log.Error("alerts are sent, and would be forgotten by a restart", "error", err)
		}
		unkept = err != nil
		if next := a.next(!unkept); next != nil {
			a.deliver(ctx, next)
			continue
		}
		a.rest(ctx, unkept)
	}
	if err := a.save(); err != nil {
		a.config.Log.Error("open alerts are forgotten by this restart", "error", err)
	}
}

// A delivery is a wish as it is sent.
type delivery struct {
	key, wish, summary string
	details            map[string]string
	version            int
}

// next returns the wish that has been due longest; nil when none is due. With kept
// nothing is sent that is not in the file: a restart would not know how to resolve it.
func (a *Alerts) next(kept bool) *delivery {
	a.mu.Lock()
	defer a.mu.Unlock()
	if kept && a.changed {
		return nil // Run was woken, and writes the file first
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

// deliver sends a wish and notes what became of it.
func (a *Alerts) deliver(ctx context.Context, d *delivery) {
	err := a.send(ctx, d)
	if err != nil && ctx.Err() != nil {
		return // the end of the daemon, not of PagerDuty
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

// refused sets when the wish is sent again, and logs the first refusal of a row.
func (a *Alerts) refused(entry *alert, err error) {
	entry.failed++
	entry.due = a.config.Clock.Now().Add(pause(entry.failed))
	if entry.failed == 1 {
		a.config.Log.Error("PagerDuty does not accept an alert; it is kept and sent again", "key", entry.Key, "wish", entry.Wish, "error", err)
	}
}

// pause is how long to wait after so many refusals.
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

// rest waits until something changes or is due.
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

// untilDue is how long nothing is due; a set clock is noticed within longestPause.
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
