package schedule_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/schedule"
)

// everyMinutes divides the minutes of all oracleCrons.
const everyMinutes = 5

// oracleCrons cover both kinds of text, at the hours at which clocks change, on days
// that match, that do not match, and that a zone skips.
var oracleCrons = []string{
	"30 2 * * *", "30 1 * * *", "0 0 * * *", "0 5 * * *", "0 12 * * *", "15 23 * * 6",
	"0 5 * * 0", "0 5 * * 5", "15 0-3 * * *", "0,30 1,2,3 * * 0", "0 2 * 3,10 *",
	"30 0 1 * *", "0 0 13 * 5", "0 12 30 12 *", "5 0 24 4 *", "45 23 29-31 * *",
	"*/15 * * * *", "0 * * * *", "45 */2 * * *", "*/20 2 * * *", "0 */6 * * 0", "*/30 0 30 12 *",
}

// oracleZones are zones with unusual clock changes, each with a year that has one.
var oracleZones = []struct {
	zone string
	year int
}{
	{"America/New_York", 2026},
	{"America/New_York", 2048}, // a leap year beyond the table of changes
	{"Australia/Lord_Howe", 2026},
	{"Africa/Cairo", 2026},
	{"Asia/Beirut", 2026},
	{"America/Santiago", 2026},
	{"America/Havana", 2026},
	{"Pacific/Apia", 2011},
	{"Pacific/Chatham", 2026},
	{"America/St_Johns", 2011}, // one minute past midnight
	{"America/Scoresbysund", 2024},
	{"Asia/Gaza", 2026},
	{"Europe/Dublin", 2026},
	{"Africa/Casablanca", 2026},
	{"Antarctica/Troll", 2026},
	{"America/Ciudad_Juarez", 2022},
	{"America/Metlakatla", 2018},
	{"Pacific/Kwajalein", 1993},
}

// TestOracle compares Next with a walk through every minute of two years.
func TestOracle(t *testing.T) {
	for i, zone := range oracleZones {
		if testing.Short() && i%3 != 0 {
			continue // the race detector has seen enough by then
		}
		t.Run(zone.zone+"/"+strconv.Itoa(zone.year), func(t *testing.T) {
			t.Parallel()
			location, err := time.LoadLocation(zone.zone)
			if err != nil {
				t.Fatal(err)
			}
			minutes := walk(zone.year, location)
			points := probes(minutes)
			for _, cron := range oracleCrons {
				s, want := mustParse(t, cron, zone.zone), runs(newPolicy(t, cron), minutes, location)
				compare(t, s, minutes, want)
				compareFrom(t, s, points, want)
			}
		})
	}
}

// compare follows Next from the start of the walk to its end.
func compare(t *testing.T, s schedule.Schedule, minutes []moment, want []time.Time) {
	t.Helper()
	at := minutes[0].time().Add(-time.Second)
	for _, w := range want {
		if at = s.Next(at); !at.Equal(w) {
			t.Fatalf("%s: Next gives %s, the walk %s", s, at, w)
		}
	}
	if at = s.Next(at); !at.After(minutes[len(minutes)-1].time()) {
		t.Fatalf("%s: Next gives %s, which the walk does not", s, at)
	}
}

// compareFrom calls Next for times in between.
func compareFrom(t *testing.T, s schedule.Schedule, points, want []time.Time) {
	t.Helper()
	for _, point := range points {
		for len(want) > 0 && !want[0].After(point) {
			want = want[1:]
		}
		if len(want) == 0 {
			return
		}
		if got := s.Next(point); !got.Equal(want[0]) {
			t.Fatalf("%s: Next(%s) = %s, the walk %s", s, point, got, want[0])
		}
	}
}

// probes picks times from the whole walk, most of them around clock changes. The
// strides are not multiples of a day.
func probes(minutes []moment) []time.Time {
	const around = 40 // more than three hours
	var points []time.Time
	for i := range minutes {
		near := minutes[max(0, i-around)].season != minutes[min(len(minutes)-1, i+around)].season
		if i%1999 == 0 || near && i%3 == 0 {
			points = append(points, minutes[i].time())
		}
	}
	return points
}

// A moment is one minute of real time and what the clocks show then. It is
// small because there are many in a year.
type moment struct {
	unix  int64 // in minutes
	shown face
	// repeated says that the clocks have shown this minute before.
	repeated bool
	// season counts the clock changes before this minute.
	season int8
	// skipped is the number of minutes that the clocks skipped just before.
	skipped int16
}

func (m *moment) time() time.Time { return time.Unix(m.unix*60, 0) }

// A face is what a clock and a calendar on the wall show.
type face struct{ minute, hour, day, month, weekday uint8 }

func faceOf(t time.Time) face {
	_, month, day := t.Date()
	hour, minute, _ := t.Clock()
	return face{uint8(minute), uint8(hour), uint8(day), uint8(month), uint8(t.Weekday())}
}

// jumpedOver returns the minutes of the calendar that the clocks skipped just before
// m.
func (m *moment) jumpedOver(location *time.Location) []face {
	if m.skipped == 0 {
		return nil
	}
	local := m.time().In(location)
	year, month, day := local.Date()
	wall := time.Date(year, month, day, local.Hour(), local.Minute(), 0, 0, time.UTC)
	var faces []face
	for i := range int(m.skipped) {
		faces = append(faces, faceOf(wall.Add(-time.Duration(i+1)*time.Minute)))
	}
	return faces
}

// walk converts every minute of two years and a few days to wall time. All it takes
// from package time is what the clocks of a zone show at one time. It does not keep
// minutes that no text of the test can match.
func walk(year int, location *time.Location) []moment {
	start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(2, 0, 20)
	var minutes []moment
	var previous, latest int64 // wall times in minutes
	var season int8
	for at := start; at.Before(end); at = at.Add(time.Minute) {
		local := at.In(location)
		_, offset := local.Zone()
		wall := at.Unix()/60 + int64(offset/60)
		m := moment{unix: at.Unix() / 60, repeated: wall <= latest}
		if len(minutes) > 0 && wall != previous+1 {
			m.skipped = int16(max(0, wall-previous-1))
			season++
		}
		m.season = season
		previous, latest = wall, max(latest, wall)
		if wall%everyMinutes == 0 || m.skipped > 0 {
			m.shown = faceOf(local)
			minutes = append(minutes, m)
		}
	}
	return minutes
}

// runs applies the rules of the package comment, quoted here, to each minute.
func runs(p policy, minutes []moment, location *time.Location) []time.Time {
	var found []time.Time
	for i := range minutes {
		m := &minutes[i]
		run := p.matches(m.shown)
		if !p.elapsed {
			// "of a time that happens twice, the first is scheduled"
			run = run && !m.repeated
			// "if a change skips any of them, the schedule runs once, at the first time after"
			for _, missed := range m.jumpedOver(location) {
				run = run || p.matches(missed)
			}
		}
		if run {
			found = append(found, m.time())
		}
	}
	return found
}

// A policy is a cron text that is parsed a second time by the simplest means, so that
// the oracle does not repeat a mistake of the package.
type policy struct {
	elapsed                       bool
	minute, hour, dom, month, dow uint64 // bit n for the value n
	either                        bool   // both fields of days are set
}

func newPolicy(t *testing.T, cron string) policy {
	t.Helper()
	f := strings.Fields(cron)
	if outside := values(f[0], 0, 59) &^ values("*/"+strconv.Itoa(everyMinutes), 0, 59); outside != 0 {
		t.Fatalf("%q has a minute that is no multiple of %d, which the walk does not keep", cron, everyMinutes)
	}
	return policy{
		elapsed: f[0][0] == '*' || f[1][0] == '*',
		minute:  values(f[0], 0, 59), hour: values(f[1], 0, 23),
		dom: values(f[2], 1, 31), month: values(f[3], 1, 12), dow: values(f[4], 0, 6),
		either: f[2] != "*" && f[4] != "*",
	}
}

func values(field string, first, last int) (set uint64) {
	for _, part := range strings.Split(field, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		low, high, step := first, last, 1
		if stepped {
			step, _ = strconv.Atoi(stepText)
		}
		if span != "*" {
			lowText, highText, ranged := strings.Cut(span, "-")
			low, _ = strconv.Atoi(lowText)
			if high = low; ranged {
				high, _ = strconv.Atoi(highText)
			}
		}
		for v := low; v <= high; v += step {
			set |= 1 << v
		}
	}
	return set
}

func (p policy) matches(f face) bool {
	if p.minute>>f.minute&1 == 0 || p.hour>>f.hour&1 == 0 || p.month>>f.month&1 == 0 {
		return false
	}
	dom, dow := p.dom>>f.day&1 == 1, p.dow>>f.weekday&1 == 1
	if p.either {
		return dom || dow
	}
	return dom && dow
}
