package client

import (
	"context"
	"math"
	"net/http/httptest"
	"testing"
	"time"
)

// compression is how much faster time passes in the benchmarks: a minute of PagerDuty
// takes 0.6 s.
const compression = 100

// compressed starts a server for a meter, and returns a client of it. Time passes faster
// for both. A request takes 2 ms of real time.
func compressed(b *testing.B, m *meter) *Client {
	b.Helper()
	begun := time.Now()
	m.now = func() time.Time { return begun.Add(compression * time.Since(begun)) }
	m.latency = func() { time.Sleep(2 * time.Millisecond) }
	server := httptest.NewServer(m)
	b.Cleanup(server.Close)
	c, err := New(Config{
		APIKey: testAPIKey, ServiceKey: testServiceKey, APIURL: server.URL, EventsURL: server.URL, EventsAPI: V2,
		Now:   m.now,
		Sleep: func(ctx context.Context, d time.Duration) error { return sleep(ctx, d/compression) },
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// measure makes calls and reports three metrics: the time in relation to the ideal, in
// seconds of PagerDuty, and the throttled and the sent requests.
func measure(b *testing.B, m func() *meter, calls, workers int, ideal float64, call func(*Client) func(int) error) {
	b.Helper()
	var wall, refused, sent float64
	for range b.N {
		run := m()
		c := compressed(b, run)
		begun := run.now()
		if failures := parallel(calls, workers, call(c)); len(failures) > 0 {
			b.Fatalf("got %d failed calls, want none: %v", len(failures), failures[0])
		}
		wall += run.now().Sub(begun).Seconds()
		refused += float64(run.refused)
		sent += float64(run.calls)
	}
	n := float64(b.N)
	b.ReportMetric(wall/n/ideal, "wall/ideal")
	b.ReportMetric(refused/n, "refused")
	b.ReportMetric(sent/n, "sent")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRateLimit2000 makes 2,000 calls of the REST API with 20 workers.
func BenchmarkRateLimit2000(b *testing.B) {
	ideal := math.Floor(1999.0/documentedRequests) * 60
	for _, test := range []struct {
		name  string
		set   func(*meter)
		ideal float64
	}{
		{"exact", func(*meter) {}, ideal},
		{"whole-seconds", func(m *meter) { m.wholeSeconds = true }, ideal},
		{"headerless-refusals", func(m *meter) { m.headerless = true }, ideal},
		{"no-headers", func(m *meter) { m.silent = true }, ideal},
		{"second-process", func(m *meter) { m.elsewhere = 0.3 }, math.Floor(1999.0/(documentedRequests*0.7)) * 60},
	} {
		fresh := func() *meter {
			m := &meter{restLimit: documentedRequests}
			test.set(m)
			return m
		}
		b.Run(test.name, func(b *testing.B) { measure(b, fresh, 2000, 20, test.ideal, getUser) })
	}
}

// BenchmarkEvents500 sends 500 events to one key with 20 workers.
func BenchmarkEvents500(b *testing.B) {
	measure(b, func() *meter { return &meter{eventLimit: documentedEvents} }, 500, 20, math.Floor(499.0/documentedEvents)*60, trigger)
}
