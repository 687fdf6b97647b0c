package client

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// TestRateLimit2000 makes 2,000 calls of the REST API with 20 workers, on virtual time.
// It bounds how much longer than the ideal they take, and how many are throttled.
func TestRateLimit2000(t *testing.T) {
	ideal := float64(1999/960) * 60 // seconds
	for _, test := range []struct {
		name    string
		meter   *meter
		ideal   float64
		longest float64 // as a ratio to the ideal
		refused int     // at most
	}{
		{"exact resets", &meter{}, ideal, 1.03, 0},
		{"resets in whole seconds", &meter{wholeSeconds: true}, ideal, 1.05, 0},
		{"resets rounded down", &meter{wholeSeconds: true, rounding: func(up float64) float64 { return up - 1 }}, ideal, 1.05, 12},
		{"refusals without headers", &meter{headerless: true}, ideal, 1.03, 0},
		{"no headers at all", &meter{silent: true}, ideal, 1.03, 0},
		// The other process uses 288 of 960, so two windows hold 1,344.
		{"a second process", &meter{elsewhere: 0.3}, float64(1999/672) * 60, 1.05, 3 * 20},
		{"a second process, refusals without headers", &meter{elsewhere: 0.3, headerless: true}, float64(1999/672) * 60, 1.05, 3 * 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := test.meter
				m.restLimit = documentedRequests
				c := m.virtual(t, V1, nil)
				begun := time.Now()
				if failures := parallel(2000, 20, getUser(c)); len(failures) > 0 {
					t.Fatalf("got %d failed calls, want none: %v", len(failures), failures[0])
				}
				ratio := time.Since(begun).Seconds() / test.ideal
				t.Logf("%.4f of the ideal, %d refused, %d sent", ratio, m.refused, m.calls)
				if m.own != 2000 || ratio > test.longest || m.refused > test.refused {
					t.Errorf("got %d calls at %.4f of the ideal with %d refused, want 2000, at most %.2f and %d",
						m.own, ratio, m.refused, test.longest, test.refused)
				}
			})
		})
	}
}

// TestEvents500 sends 500 events to one key. 120 leave at once; no event is held back
// before the first one is throttled.
func TestEvents500(t *testing.T) {
	for _, workers := range []int{1, 20, 500} {
		synctest.Test(t, func(t *testing.T) {
			m := &meter{eventLimit: documentedEvents}
			c := m.virtual(t, V2, nil)
			begun := time.Now()
			if failures := parallel(500, workers, trigger(c)); len(failures) > 0 {
				t.Fatalf("%d workers: got %d failed events, want none: %v", workers, len(failures), failures[0])
			}
			ratio := time.Since(begun).Seconds() / (math.Floor(499.0/documentedEvents) * 60)
			t.Logf("%d workers: %.4f of the ideal, %d refused, %d sent", workers, ratio, m.refused, m.calls)
			if m.own != 500 || ratio > 1.05 {
				t.Errorf("%d workers: got %d events at %.4f of the ideal, want 500 and at most 1.05", workers, m.own, ratio)
			}
		})
	}
}
