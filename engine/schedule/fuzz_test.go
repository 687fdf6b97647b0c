package schedule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/schedule"
)

// FuzzParse proves that no text makes Parse panic and that every refusal has a
// message. The scheduled times of every other text increase, are in the zone, and the
// search for them ends.
func FuzzParse(f *testing.F) {
	for _, cron := range []string{
		"30 2 * * 1-5", "@daily", "TZ=UTC", "CRON_TZ= * * * * *", "0 0 31 2 *", "0 0 29 2 *", "*/70 * * * *",
		"1,,2 * * * *", "0 0 ? JAN-MAR FRI-SUN", "@every 5m", "0 0 * * 1-7/2", "0 12 30 12 *", "*/5 2 29 2 *",
	} {
		f.Add(cron, "Europe/Berlin", int64(1772924400))
		f.Add(cron, "Pacific/Apia", int64(1325152800))
	}
	f.Add("0 0 * * *", "", int64(-62135596800))
	f.Add("0 0 1 1 *", "America/New_York", int64(1<<62))
	f.Fuzz(func(t *testing.T, cron, zone string, unix int64) {
		s, err := schedule.Parse(cron, zone)
		if err != nil {
			var refused *schedule.Error
			if !errors.As(err, &refused) || refused.Message == "" || refused.Field == "" {
				t.Fatalf("Parse(%q, %q): got error %#v, want a *schedule.Error that says something", cron, zone, err)
			}
			return
		}
		at := time.Unix(unix, 0)
		for range 5 {
			next := s.Next(at)
			if next.IsZero() {
				if y := at.UTC().Year(); y > 0 && y < 9990 {
					t.Fatalf("%s: nothing after %s", s, at)
				}
				return
			}
			if !next.After(at) || next.Location() != s.Zone() {
				t.Fatalf("%s: Next(%s) = %s, want a later time in the zone", s, at, next)
			}
			at = next
		}
	})
}
