package heartbeat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/heartbeat"
	"github.com/pdflow/pdflow/engine/clock"
)

const secretURL = "https://heartbeat.example.com/d2b1c9f0"

// bench is the environment of a heartbeat on a virtual clock. Its functions depend on how
// long the heartbeat has run.
type bench struct {
	answer    func(after time.Duration, r *http.Request) (*http.Response, error) // nil: 200
	watermark func(after time.Duration) time.Time                                // nil: the time

	begin time.Time
	calls []time.Duration
	log   bytes.Buffer
}

func (b *bench) RoundTrip(r *http.Request) (*http.Response, error) {
	after := time.Since(b.begin)
	b.calls = append(b.calls, after)
	if b.answer == nil {
		return status(200)(r)
	}
	return b.answer(after, r)
}

func (b *bench) now() time.Time {
	if b.watermark == nil {
		return time.Now()
	}
	return b.watermark(time.Since(b.begin))
}

func status(code int) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("thanks")), Request: r}, nil
	}
}

func redirect(to string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.URL.String() == to {
			return status(200)(r)
		}
		header := http.Header{"Location": {to}}
		return &http.Response{StatusCode: 302, Header: header, Body: http.NoBody, Request: r}, nil
	}
}

// run runs the heartbeat for a time.
func (b *bench) run(t *testing.T, length time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b.begin = time.Now()
		h, err := heartbeat.New(heartbeat.Config{
			Every: time.Minute,
			URL:   secretURL, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
			Transport: b, Watermark: b.now,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		h.Run(ctx)
	})
	if strings.Contains(b.log.String(), "d2b1c9f0") {
		t.Errorf("the log shows the path of the URL:\n%s", &b.log)
	}
}

// called compares the times of the calls with the expected ones.
func (b *bench) called(t *testing.T, want ...time.Duration) {
	t.Helper()
	if diff := cmp.Diff(want, b.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// logged checks that the log has one line for each text, and that the line contains it.
func (b *bench) logged(t *testing.T, want ...string) {
	t.Helper()
	lines := slices.Collect(strings.Lines(b.log.String()))
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(want), &b.log)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("got line %q, want %q in it", lines[i], want[i])
		}
	}
}

func TestBeatsWhileTheWatermarkMoves(t *testing.T) {
	var b bench
	b.run(t, 150*time.Second)
	b.called(t, 0, time.Minute, 2*time.Minute)
	b.logged(t)
}

func TestSilentWhileTheWatermarkDoesNotMove(t *testing.T) {
	var b bench
	b.watermark = func(after time.Duration) time.Time {
		if after > 30*time.Second && after < 4*time.Minute {
			return b.begin.Add(30 * time.Second)
		}
		return b.begin.Add(after)
	}
	b.run(t, 330*time.Second)
	// After one minute the watermark has moved since the start.
	b.called(t, 0, time.Minute, 4*time.Minute, 5*time.Minute)
	b.logged(t, "the scheduler does not run", "the scheduler runs again")
}

func TestSilentBeforeTheFirstLook(t *testing.T) {
	var b bench
	b.watermark = func(after time.Duration) time.Time {
		if after < 90*time.Second {
			return time.Time{}
		}
		return b.begin.Add(after)
	}
	b.run(t, 150*time.Second)
	b.called(t, 2*time.Minute)
	b.logged(t)
}

func TestClockSetBackMovesTheWatermark(t *testing.T) {
	var b bench
	b.watermark = func(after time.Duration) time.Time {
		if after > 90*time.Second {
			return b.begin.Add(after - time.Hour)
		}
		return b.begin.Add(after)
	}
	b.run(t, 150*time.Second)
	b.called(t, 0, time.Minute, 2*time.Minute)
	b.logged(t)
}

func TestFailuresInARowAreLoggedOnce(t *testing.T) {
	tests := map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		says   string
	}{
		"status":  {status(503), "it answered 503"},
		"network": {func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }, "connection refused"},
		"silence": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, "no answer within 10s"},
		"another host":   {redirect("https://elsewhere.example.com/"), "redirects to https://elsewhere.example.com; redirects to another host are not followed"},
		"another scheme": {redirect("http://heartbeat.example.com/plain"), "redirects to http://heartbeat.example.com"},
		"for ever": {func(r *http.Request) (*http.Response, error) {
			return redirect("https://heartbeat.example.com/x" + r.URL.Path)(r)
		}, "redirects more than 3 times"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := bench{answer: func(after time.Duration, r *http.Request) (*http.Response, error) {
				if after > 30*time.Second && after < 210*time.Second {
					return test.answer(r)
				}
				return status(204)(r)
			}}
			b.run(t, 6*time.Minute)
			b.logged(t, test.says, "the heartbeat succeeds again")
		})
	}
}

func TestRedirectWithinTheHost(t *testing.T) {
	b := bench{answer: func(_ time.Duration, r *http.Request) (*http.Response, error) {
		return redirect("https://heartbeat.example.com/other")(r)
	}}
	b.run(t, time.Second)
	b.called(t, 0, 0)
	b.logged(t)
}

func TestStopIsNotAFailure(t *testing.T) {
	b := bench{answer: func(_ time.Duration, r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}}
	b.run(t, time.Second)
	b.called(t, 0)
	b.logged(t)
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]struct {
		url   string
		every time.Duration
		says  string // empty: it is accepted
	}{
		"https":         {url: secretURL},
		"http loopback": {url: "http://127.0.0.1:8000/x"},
		"http v6":       {url: "http://[::1]:8000/x"},
		"http":          {url: "http://heartbeat.example.com/d2b1c9f0", says: "must begin with https://"},
		"file":          {url: "file:///d2b1c9f0", says: "is not a URL"},
		"none":          {says: "is not a URL"},
		"broken":        {url: "https://heartbeat.example.com/%zzd2b1c9f0", says: "is not a URL"},
		"ftp":           {url: "ftp://127.0.0.1/d2b1c9f0", says: "must begin with https://"},
		"too often":     {url: secretURL, every: time.Second, says: "at least 1m0s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.every == 0 {
				test.every = time.Minute
			}
			_, err := heartbeat.New(heartbeat.Config{URL: test.url, Every: test.every})
			if (err == nil) != (test.says == "") {
				t.Fatalf("got error %v, want %q", err, test.says)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "d2b1c9f0")) {
				t.Errorf("got %q, want %q in it and nothing of the path", err, test.says)
			}
		})
	}
}
