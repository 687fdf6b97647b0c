package schedule

import "testing"

// TestForeignParser proves that every failure of robfig/cron becomes an error, a panic
// too. Parse refuses such texts before.
func TestForeignParser(t *testing.T) {
	for _, text := range []string{"TZ=UTC", "CRON_TZ=UTC", "TZ=", "", "@every 1s", "x"} {
		if m, err := newMatcher(text); err == nil || m.spec != nil {
			t.Errorf("newMatcher(%q) = %v, %v; want an error", text, m, err)
		}
	}
}
