package schedule

import "testing"

// TestForeignParser checks that whatever robfig/cron does with a text, panics
// included, becomes an error. Parse never lets such texts through.
func TestForeignParser(t *testing.T) {
	for _, text := range []string{"TZ=UTC", "CRON_TZ=UTC", "TZ=", "", "@every 1s", "x"} {
		if m, err := newMatcher(text); err == nil || m.spec != nil {
			t.Errorf("newMatcher(%q) = %v, %v; want an error", text, m, err)
		}
	}
}
