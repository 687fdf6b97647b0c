package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Note says what a change of the clocks has to do with an instant of the schedule;
// empty when nothing: that it was moved, since its time does not exist that day, or
// that it is the first after the clocks changed.
func (s Schedule) Note(at time.Time) string {
	at = at.In(s.Zone())
	segment := segmentAt(at)
	if segment.shift == 0 || at.Sub(segment.start) >= 24*time.Hour {
		return ""
	}
	direction, by := "forward", segment.shift
	if by < 0 {
		direction, by = "back", -by
	}
	change := fmt.Sprintf("the clocks went %s by %s at %s", direction, hours(by), segment.start.In(s.Zone()).Format("2006-01-02 15:04"))
	if !s.matches(segment.wall(at)) {
		return "moved: " + change + ", and the times in between do not exist"
	}
	return change
}

// hours writes a shift without the zeros at its end.
func hours(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}

// matches reports whether the clocks show a time of the cron text.
func (s Schedule) matches(wall time.Time) bool {
	return s.matcher.atOrAfter(wall).Equal(wall)
}
