package schedule

import (
	"fmt"
	"testing"
)

// TestT1SameTimes: two schedules are the same when their times are, however they are
// spelled. The schedules of one row are the same; those of two rows are not.
func TestT1SameTimes(t *testing.T) {
	type spelling struct{ cron, zone string }
	type placed struct {
		spelling
		row  int
		spec Schedule
	}
	var all []placed
	for row, spellings := range [][]spelling{
		{{"@yearly", ""}, {"0 0 1 1 *", ""}, {"@annually", "UTC"}, {"00 0 1 JAN *", "Etc/UTC"}, {"0 0 1 1 ?", "Etc/GMT"}},
		{{"* * * * *", ""}, {"*/1 * * * *", "UTC"}, {"0-59 * * * *", ""}, {"* 0-23 1-31 1-12 0-6", ""}, {"* * 1-31 * 1", ""}, {"* * 3 * 0-6", ""}},
		{{"0 0 * * 0", ""}, {"0 0 * * 7", ""}, {"0 0 * * SUN", ""}, {"@weekly", ""}, {"0 0 ? * sun", ""}},
		{{"0,30 8 * * *", ""}, {"*/30 8 * * *", ""}, {"30,0 8 * * *", ""}, {"0-59/30 8 * * *", ""}},
		{{"0 9 * * 1-5", "Europe/Berlin"}, {"0 9 * * MON-FRI", "Europe/Paris"}, {"0 9 * * 1,2,3,4,5", "Europe/Berlin"}},
		{{"0 9 * * 1-5", ""}},
		{{"0 9 * * 1-5", "Africa/Lagos"}}, // the time of Berlin in winter, but not in summer
		{{"0 9 1 * 1", "Europe/Berlin"}},  // a day of the month or a weekday
		{{"0 9 1 * *", "Europe/Berlin"}},
		{{"0 9 * * 1", "Europe/Berlin"}, {"0 9 */1 * 1", "Europe/Berlin"}},
		{{"0 9 */2 * 1", "Europe/Berlin"}}, // every other day, if it is a Monday
	} {
		for _, s := range spellings {
			spec, err := Parse(s.cron, s.zone)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, placed{s, row, spec})
		}
	}
	for _, a := range all {
		for _, b := range all {
			t.Run(fmt.Sprintf("%v and %v", a.spelling, b.spelling), func(t *testing.T) {
				if got, want := a.spec.SameTimes(b.spec), a.row == b.row; got != want {
					t.Errorf("got %t, want %t", got, want)
				}
			})
		}
	}
	if (Schedule{}).SameTimes(Schedule{}) {
		t.Error("schedules without times are the same")
	}
}
