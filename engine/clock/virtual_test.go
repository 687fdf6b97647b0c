package clock_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/clock"
)

var startTime = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

// Advance and Skip move the time. A sleep whose context has ended returns at once, and a
// timer can be stopped once.
func TestVirtualAlone(t *testing.T) {
	c := clock.NewVirtual(startTime)
	c.Advance(time.Hour)
	if err := c.Skip(context.Background(), time.Minute); err != nil {
		t.Error(err)
	}
	if got := c.Now().Sub(startTime); got != 61*time.Minute {
		t.Errorf("got %s, want 61m", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Sleep(ctx, time.Hour); err == nil {
		t.Error("got no error of a context that has ended")
	}
	stop := c.AfterFunc(time.Hour, func() { t.Error("a stopped timer fired") })
	if !stop() || stop() {
		t.Error("want a timer to be stopped in time once")
	}
}

// The time moves to the next timer only while no work is counted, and a sleep counts as
// none. Timers that are due at the same time fire in the order in which they were set.
func TestVirtualMovesWhenAllWorkRests(t *testing.T) {
	c := clock.NewVirtual(startTime)
	c.Begin()
	var fired []string
	at := func(name string, d time.Duration) {
		c.AfterFunc(d, func() { fired = append(fired, name) })
	}
	at("third", time.Hour)
	at("first", time.Minute)
	at("second", time.Minute)
	if err := c.Sleep(context.Background(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if len(fired) != 3 || fired[0] != "first" || fired[1] != "second" || fired[2] != "third" {
		t.Errorf("got the timers %v", fired)
	}
	if got := c.Now().Sub(startTime); got != 2*time.Hour {
		t.Errorf("got %s, want 2h", got)
	}
}

// A silentContext ends without closing its Done channel, so only the clock notices it.
type silentContext struct {
	context.Context
	ended atomic.Bool
}

func (c *silentContext) Err() error {
	if c.ended.Load() {
		return context.Canceled
	}
	return nil
}

// The clock wakes a sleeper whose context has ended before it moves the time, and the sleep
// returns the error of the context.
func TestVirtualSleepOfEndedContext(t *testing.T) {
	c, ctx := clock.NewVirtual(startTime), &silentContext{Context: context.Background()}
	c.Begin()
	c.AfterFunc(time.Minute, func() { ctx.ended.Store(true) })
	err := c.Sleep(ctx, time.Hour)
	if took := c.Now().Sub(startTime); !errors.Is(err, context.Canceled) || took != time.Minute {
		t.Errorf("got %v after %s, want %v after 1m0s", err, took, context.Canceled)
	}
}
