package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/schedule"
)

func TestNote(t *testing.T) {
	for _, test := range []struct{ cron, zone, after, at, want string }{
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00 +0200", "moved: the clocks went forward by 1h at 2026-03-29 03:00"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:30 +0200", ""},
		{"0 12 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T12:00 +0100", "the clocks went back by 1h at 2026-10-25 02:00"},
		{"0 12 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-04T12:00 +1100", "the clocks went forward by 30m at 2026-10-04 02:30"},
		{"0 12 * * *", "Europe/Berlin", "2026-06-01T12:00:00Z", "2026-06-02T12:00 +0200", ""},
		{"0 12 * * *", "", "2026-03-28T12:00:00Z", "2026-03-29T12:00 +0000", ""},
	} {
		s, err := schedule.Parse(test.cron, test.zone)
		if err != nil {
			t.Fatal(err)
		}
		after, err := time.Parse(time.RFC3339, test.after)
		if err != nil {
			t.Fatal(err)
		}
		at := s.Next(after)
		if got := at.Format(wallLayout); got != test.at {
			t.Errorf("%s %s: got %s, want %s", test.cron, test.zone, got, test.at)
		}
		if got := s.Note(at); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s %s at %s: got %q, want %q", test.cron, test.zone, test.at, got, test.want)
		}
	}
}
