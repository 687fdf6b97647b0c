package simulator

import "time"

const (
	// restLimit requests per key are allowed in one window (PagerDuty's
	// developer documentation, "REST API Rate Limits").
	restLimit    = 960
	windowLength = time.Minute
)

// rateWindow counts the requests of one key since start.
type rateWindow struct {
	start time.Time
	used  int
}

// countAgainstLimit counts one request of key and returns what the headers
// tell: how many are left, and in how many seconds the window ends.
func (s *Simulator) countAgainstLimit(key string, now time.Time) (remaining, reset int) {
	window, ok := s.windows[key]
	if !ok || now.Before(window.start) || now.Sub(window.start) >= windowLength {
		window = &rateWindow{start: now}
		s.windows[key] = window
	}
	window.used++
	left := window.start.Add(windowLength).Sub(now)
	// Rounded up: who waits that long must find a new window.
	seconds := (left + time.Second - 1) / time.Second
	return max(restLimit-window.used, 0), int(seconds)
}
