package schedule_test

import (
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/schedule"
)

// wallLayout is how these tests write times: what the clocks show, and the offset
// from UTC.
const wallLayout = "2006-01-02T15:04 -0700"

func mustParse(t testing.TB, cron, zone string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(cron, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNext has the cases that other cron libraries get wrong: days that are lost when
// the clocks change, times that are lost or doubled, searches that never end.
func TestNext(t *testing.T) {
	tests := []struct {
		name, cron, zone string
		after            string   // wall time in the zone
		want             []string // the scheduled times that follow
	}{
		{
			"half an hour into a gap", "30 2 * * *", "America/New_York", "2026-03-07T12:00 -0500",
			[]string{"2026-03-08T03:00 -0400", "2026-03-09T02:30 -0400"},
		},
		{
			"several in a gap run once", "0,20,40 2 * * *", "America/New_York", "2026-03-08T00:00 -0500",
			[]string{"2026-03-08T03:00 -0400", "2026-03-09T02:00 -0400"},
		},
		{
			"in the gap and right after it", "0 2,3 * * *", "America/New_York", "2026-03-08T00:00 -0500",
			[]string{"2026-03-08T03:00 -0400", "2026-03-09T02:00 -0400"},
		},
		{
			"the last second before a gap", "30 2 * * *", "America/New_York", "2026-03-08T01:59 -0500",
			[]string{"2026-03-08T03:00 -0400"},
		},
		{
			"from the end of a gap", "30 2 * * *", "America/New_York", "2026-03-08T03:00 -0400",
			[]string{"2026-03-09T02:30 -0400"},
		},
		{
			"the first of a fold", "30 1 * * *", "America/New_York", "2026-10-31T12:00 -0400",
			[]string{"2026-11-01T01:30 -0400", "2026-11-02T01:30 -0500"},
		},
		{
			"from between the two of a fold", "30 1 * * *", "America/New_York", "2026-11-01T01:00 -0500",
			[]string{"2026-11-02T01:30 -0500"},
		},
		{
			"every hour over a gap", "0 * * * *", "America/New_York", "2026-03-08T00:30 -0500",
			[]string{"2026-03-08T01:00 -0500", "2026-03-08T03:00 -0400", "2026-03-08T04:00 -0400"},
		},
		{
			"every hour over a fold", "0 * * * *", "America/New_York", "2026-11-01T00:30 -0400",
			[]string{"2026-11-01T01:00 -0400", "2026-11-01T01:00 -0500", "2026-11-01T02:00 -0500"},
		},
		{
			"every half hour over a fold", "*/30 * * * *", "America/New_York", "2026-11-01T01:00 -0400",
			[]string{"2026-11-01T01:30 -0400", "2026-11-01T01:00 -0500", "2026-11-01T01:30 -0500"},
		},
		{
			"a gap skips elapsed time", "*/30 2 * * *", "America/New_York", "2026-03-07T12:00 -0500",
			[]string{"2026-03-09T02:00 -0400", "2026-03-09T02:30 -0400"},
		},
		{
			"noon after half an hour forward", "0 12 * * *", "Australia/Lord_Howe", "2026-10-03T13:00 +1030",
			[]string{"2026-10-04T12:00 +1100", "2026-10-05T12:00 +1100"},
		},
		{
			"noon after half an hour back", "0 12 * * *", "Australia/Lord_Howe", "2026-04-04T13:00 +1100",
			[]string{"2026-04-05T12:00 +1030", "2026-04-06T12:00 +1030"},
		},
		{
			"midnight around half an hour", "0 0 * * *", "Australia/Lord_Howe", "2026-10-03T13:00 +1030",
			[]string{"2026-10-04T00:00 +1030", "2026-10-05T00:00 +1100"},
		},
		{
			"a weekday after a gap at midnight", "0 5 * * 5", "Africa/Cairo", "2026-04-20T00:00 +0200",
			[]string{"2026-04-24T05:00 +0300", "2026-05-01T05:00 +0300"},
		},
		{
			"a Sunday after a gap at midnight", "0 5 * * 0", "Asia/Beirut", "2026-03-25T00:00 +0200",
			[]string{"2026-03-29T05:00 +0300", "2026-04-05T05:00 +0300"},
		},
		{
			"a date after a gap at midnight", "0 5 24 4 *", "Africa/Cairo", "2026-04-01T00:00 +0200",
			[]string{"2026-04-24T05:00 +0300", "2027-04-24T05:00 +0200"},
		},
		{
			"another date after a gap at midnight", "0 5 29 3 *", "Asia/Beirut", "2026-03-01T00:00 +0200",
			[]string{"2026-03-29T05:00 +0300", "2027-03-29T05:00 +0300"},
		},
		{
			"midnight itself in a gap", "0 0 * * *", "Asia/Beirut", "2026-03-28T12:00 +0200",
			[]string{"2026-03-29T01:00 +0300", "2026-03-30T00:00 +0300"},
		},
		{
			"west of UTC", "0 5 * * 0", "America/Santiago", "2026-09-05T12:00 -0400",
			[]string{"2026-09-06T05:00 -0300", "2026-09-13T05:00 -0300"},
		},
		{
			"a fold of midnight", "0 0 * * *", "America/Havana", "2026-10-31T12:00 -0400",
			[]string{"2026-11-01T00:00 -0400", "2026-11-02T00:00 -0500"},
		},
		{
			"the day that Apia skipped", "0 0 30 12 *", "Pacific/Apia", "2011-12-01T00:00 -1000",
			[]string{"2011-12-31T00:00 +1400", "2012-12-30T00:00 +1400"},
		},
		{
			"noon of the day that Apia skipped", "0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00 -1000",
			[]string{"2011-12-31T00:00 +1400", "2012-12-30T12:00 +1400"},
		},
		{
			"either day around the one that Apia skipped", "0 5 31 12 5", "Pacific/Apia", "2011-12-29T00:00 -1000",
			[]string{"2011-12-31T00:00 +1400", "2011-12-31T05:00 +1400", "2012-12-07T05:00 +1400"},
		},
		{
			"elapsed time has no skipped day", "* * 30 12 *", "Pacific/Apia", "2011-12-29T00:00 -1000",
			[]string{"2012-12-30T00:00 +1400"},
		},
		{
			"a change in the middle of a rule's season", "30 23 * * *", "America/Ciudad_Juarez", "2022-11-29T12:00 -0600",
			[]string{"2022-11-29T23:30 -0600", "2022-11-30T23:30 -0700"},
		},
		{
			"from inside that fold", "30 23 * * *", "America/Ciudad_Juarez", "2022-11-29T23:10 -0700",
			[]string{"2022-11-30T23:30 -0700"},
		},
		{
			"29 February across 2100", "0 0 29 2 *", "", "2096-03-01T00:00 +0000",
			[]string{"2104-02-29T00:00 +0000", "2108-02-29T00:00 +0000"},
		},
		{
			"29 February across 2100 with changes of clocks", "0 0 29 2 *", "Europe/Berlin", "2096-03-01T00:00 +0100",
			[]string{"2104-02-29T00:00 +0100"},
		},
		{
			"the last day of a leap year, beyond the zone's table", "0 12 31 12 *", "America/New_York", "2048-12-31T11:00 -0500",
			[]string{"2048-12-31T12:00 -0500", "2049-12-31T12:00 -0500"},
		},
		{
			"either day of month or day of week", "0 0 13 * 5", "UTC", "2026-02-07T00:00 +0000",
			[]string{"2026-02-13T00:00 +0000", "2026-02-20T00:00 +0000"},
		},
		{
			"a step of days is a choice of days", "0 0 */10 * 1", "UTC", "2026-01-01T00:00 +0000",
			[]string{"2026-01-05T00:00 +0000", "2026-01-11T00:00 +0000", "2026-01-12T00:00 +0000"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := mustParse(t, test.cron, test.zone)
			at, err := time.ParseInLocation(wallLayout, test.after, s.Zone())
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				at = s.Next(at)
				if got := at.Format(wallLayout); got != want {
					t.Fatalf("%s: got %s, want %s", s, got, want)
				}
			}
		})
	}
}

// TestNextOfFractions proves that Next does not return a minute again for a time just
// after it, and does not skip it for a time just before it.
func TestNextOfFractions(t *testing.T) {
	s := mustParse(t, "* * * * *", "")
	minute := time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)
	for before, want := range map[time.Duration]time.Time{
		-time.Nanosecond: minute,
		0:                minute.Add(time.Minute),
		time.Nanosecond:  minute.Add(time.Minute),
	} {
		if got := s.Next(minute.Add(before)); !got.Equal(want) {
			t.Errorf("Next(%s) = %s, want %s", minute.Add(before), got, want)
		}
	}
}

func TestNextIsInTheZone(t *testing.T) {
	s := mustParse(t, "0 9 * * *", "Asia/Tokyo")
	got := s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if got.Location() != s.Zone() || got.Hour() != 9 {
		t.Errorf("got %s, want 09:00 in %s", got, s.Zone())
	}
}

func TestNextAtTheEnds(t *testing.T) {
	s := mustParse(t, "0 0 1 1 *", "America/New_York")
	if got := s.Next(time.Time{}); got.IsZero() {
		t.Error("Next of the zero time is zero, want the first of the next year")
	}
	far := time.Unix(1<<60, 0)
	if got := s.Next(far); !got.IsZero() {
		t.Errorf("Next(%s) = %s, want zero", far, got)
	}
	var none schedule.Schedule
	if got := none.Next(time.Unix(0, 0)); !got.IsZero() {
		t.Errorf("the zero Schedule has the scheduled time %s, want none", got)
	}
}

func BenchmarkNext(b *testing.B) {
	for _, bench := range []struct{ name, cron, zone string }{
		{"minutes", "*/5 * * * *", "UTC"},
		{"daily", "30 2 * * *", "Europe/Berlin"},
		{"yearly", "0 0 1 1 *", "Europe/Berlin"},
		{"leap_day", "0 0 29 2 *", "Europe/Berlin"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := mustParse(b, bench.cron, bench.zone)
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			b.ReportAllocs()
			at := start
			for b.Loop() {
				if at = s.Next(at); at.Year() > 2090 {
					at = start
				}
			}
		})
	}
}
