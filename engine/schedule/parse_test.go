package schedule_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/schedule"
)

func TestParseNormalises(t *testing.T) {
	for text, want := range map[string]string{
		"30 2 * * 1-5":              "30 2 * * 1-5",
		"  05\t02  01 JAN  Sun ":    "5 2 1 1 0",
		"0 0 * * 7":                 "0 0 * * 0",
		"0 0 * * 5-7":               "0 0 * * 5-6,0",
		"0 0 * * FRI-SUN":           "0 0 * * 5-6,0",
		"0 0 * * sun-tue":           "0 0 * * 0-2",
		"0 0 * * SUN-SUN":           "0 0 * * 0",
		"0 0 * * 0-7":               "0 0 * * 0-6",
		"0 0 * * 1-7/2":             "0 0 * * 1-6/2,0",
		"0 0 * * 2-7/2":             "0 0 * * 2-6/2",
		"0 0 * * 7/1":               "0 0 * * 0",
		"0 0 ? jan-mar mon,WED,fri": "0 0 * 1-3 1,3,5",
		"5/15 */1 * * ?":            "5-59/15 * * * *",
		"*/15 0-23/3 1,15 */2 *":    "*/15 0-23/3 1,15 */2 *",
		"@hourly":                   "0 * * * *",
		"@daily":                    "0 0 * * *",
		"@midnight":                 "0 0 * * *",
		"@weekly":                   "0 0 * * 0",
		"@monthly":                  "0 0 1 * *",
		"@yearly":                   "0 0 1 1 *",
		"@annually":                 "0 0 1 1 *",
		"0 0 29 2 *":                "0 0 29 2 *",
		"0 0 31 2 1":                "0 0 31 2 1", // the Mondays of February
	} {
		s, err := schedule.Parse(text, "")
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got := s.Cron(); got != want {
			t.Errorf("Parse(%q).Cron() = %q, want %q", text, got, want)
		}
		if again, err := schedule.Parse(s.Cron(), ""); err != nil || again.Cron() != s.Cron() {
			t.Errorf("the normal form %q of %q changes when it is parsed: %q, %v", s.Cron(), text, again.Cron(), err)
		}
	}
}

func TestParseRefusesCron(t *testing.T) {
	tests := []struct{ text, message, hint string }{
		{"", "the text is empty: expected minute, hour, day of month, month, day of week", "@daily"},
		{" \t", "the text is empty", "@daily"},
		{"0 0 * *", "has 4 of the 5 fields: expected minute, hour, day of month", ""},
		{"daily", "has 1 of the 5 fields", `did you mean "@daily"?`},
		{"0 30 2 * * 1-5", "has 6 of the 5 fields", "no field for seconds: try `30 2 * * 1-5`"},
		{"30 2 * * * Europe/Berlin", "has 6 of the 5 fields", "`timezone:`"},
		{"0 0 12 * * ? 2026", "has 7 of the 5 fields", ""},

		{"TZ=UTC 0 0 * * *", `a zone inside the text ("TZ=UTC")`, "`timezone:`"},
		{"CRON_TZ=Europe/Berlin 0 0 * * *", "a zone inside the text", "`timezone:`"},
		{"TZ=UTC", "a zone inside the text", "`timezone:`"},
		{"CRON_TZ=UTC", "a zone inside the text", "`timezone:`"},
		{"TZ=", "a zone inside the text", "`timezone:`"},
		{"TZ=0", "a zone inside the text", "`timezone:`"},
		{"TZ= * * * * *", "a zone inside the text", "`timezone:`"},
		{"tz=UTC @daily", "a zone inside the text", "`timezone:`"},

		{"@Daily", `"@Daily" is not known: expected @hourly, @daily`, `did you mean "@daily"?`},
		{"@dayly", "is not known", ""},
		{"@month", "is not known", `did you mean "@monthly"?`},
		{"@", "is not known", ""},
		{"@daily 5", `"@daily" must be the whole text, but "5" follows it`, `write "@daily" alone`},
		{"@every 5m", `"@every" is not supported: an interval has no start`, "`*/10 * * * *`"},
		{"@every -5m", `"@every" is not supported`, ""},
		{"@every 0s", `"@every" is not supported`, ""},
		{"@every 100ms", `"@every" is not supported`, ""},
		{"@reboot", `"@reboot" is not supported: a schedule has times only`, "start the workflow"},

		{"60 * * * *", `minute "60" is out of range: expected 0 to 59`, ""},
		{"0 24 * * *", `hour "24" is out of range: expected 0 to 23`, ""},
		{"0 0 0 * *", `day of month "0" is out of range: expected 1 to 31`, ""},
		{"0 0 * 13 *", `month "13" is out of range: expected 1 to 12 or JAN to DEC`, ""},
		{"0 0 * * 8", `day of week "8" is out of range: expected 0 to 7 or SUN to SAT`, ""},
		{"99999999999999999999 * * * *", "is out of range", ""},
		{"0 0 * MARCH *", `month "MARCH" is not known: expected 1 to 12 or JAN to DEC`, `did you mean "MAR"?`},
		{"0 0 * * Tues", `day of week "Tues" is not known`, `did you mean "TUE"?`},
		{"0 0 MON * *", `day of month "MON" is not known: expected 1 to 31`, `"MON" is a day of week`},
		{"x * * * *", `minute "x" is not known`, ""},
		{"١ * * * *", "is not known", ""},
		{"? * * * *", `minute "?" is not known`, "write `*`"},
		{"0 0 L * *", `day of month "L" is not known`, "Quartz"},
		{"0 0 15W * *", `day of month "15W" is not known`, "Quartz"},
		{"0 0 * * 5#2", `day of week "5#2" is not known`, "Quartz"},

		{"+5 * * * *", `minute "+5" has a sign: expected 0 to 59`, `write "5"`},
		{"-5 * * * *", `minute "-5" has a sign`, `write "5"`},
		{"1,,2 * * * *", `minute "1,,2" has an empty item`, "comma"},
		{"1, * * * *", `minute "1," has an empty item`, "comma"},
		{", * * * *", `minute "," has an empty item`, "comma"},
		{"*,5 * * * *", "has `*` in a list", "write `*` alone"},
		{"30-10 * * * *", `minute "30-10" runs backwards: expected the smaller end first`, `"30-59,0-10"`},
		{"0 22-2 * * *", `hour "22-2" runs backwards`, `"22-23,0-2"`},
		{"0 0 * * FRI-MON", `day of week "FRI-MON" runs backwards`, `"5-6,0-1"`},
		{"1-2-3 * * * *", `minute "2-3" is not known`, "a range has two ends"},
		{"1- * * * *", `minute "" is not known`, ""},
		{"*-5 * * * *", `minute "*" is not known`, "every value already"},
		{"** * * * *", `minute "**" is not known`, "every value already"},

		{"*/70 * * * *", `the step of minute "*/70" is larger than its range, which is 0 to 59`, "starts again"},
		{"0-59/61 * * * *", `the step of minute "0-59/61" is larger than its range`, "starts again"},
		{"55/10 * * * *", "is larger than its range, which is 55 to 59", ""},
		{"0 */99999999999999999999 * * *", "is larger than its range", ""},
		{"*/0 * * * *", `the step of minute "*/0" is zero: expected 1 or more`, "`*/10`"},
		{"*/ * * * *", `the step of minute "*/" is not a number`, "`*/10`"},
		{"*/+5 * * * *", `the step of minute "*/+5" is not a number`, "`*/10`"},
		{"*/5/5 * * * *", `the step of minute "*/5/5" is not a number`, "`*/10`"},

		{"0 0 31 2 *", `it never runs: no date has the day of month "31" in the month "2"`, "at most 29 days"},
		{"0 0 31 4,JUN,9,11 *", `it never runs: no date has the day of month "31" in the month "4,6,9,11"`, "30"},
	}
	for _, test := range tests {
		_, err := schedule.Parse(test.text, "")
		checkError(t, "Parse("+test.text+")", err, "cron", test.message, test.hint)
	}
}

func TestParseRefusesZone(t *testing.T) {
	tests := []struct{ zone, message, hint string }{
		{"Local", `"Local" is another zone on every machine`, "Europe/Berlin"},
		{"local", "is another zone on every machine", "Europe/Berlin"},
		{"localtime", "is another zone on every machine", "Europe/Berlin"},
		{"posixrules", `"posixrules" is not known: expected a name of the IANA time zone database`, ""},
		{"right/Europe/Berlin", "is not known", `"Europe/Berlin"`},
		{"europe/berlin", "is not known", `did you mean "Europe/Berlin"?`},
		{"America/New York", "is not known", `did you mean "America/New_York"?`},
		{"Berlin", "is not known", `did you mean "Europe/Berlin"?`},
		{"Europe/New_York", "is not known", `did you mean "America/New_York"?`},
		{"utc", "is not known", `did you mean "UTC"?`},
		{"UTC+2", "is not known", "the sign is reversed"},
		{"+02:00", "is not known", "the sign is reversed"},
		{"Mars/Olympus", "is not known", "expected a place"},
		{"../Europe/Berlin", "is not known", ""},
		{"Europe/../Europe/Berlin", "is not known", ""},
		{" ", "is not known", ""},
		{"Europe/Berlin\x00", "is not known", ""},
	}
	for _, test := range tests {
		_, err := schedule.Parse("@daily", test.zone)
		checkError(t, "zone "+test.zone, err, "timezone", test.message, test.hint)
	}
}

func checkError(t *testing.T, what string, err error, field, message, hint string) {
	t.Helper()
	var refused *schedule.Error
	if !errors.As(err, &refused) {
		t.Errorf("%s: got error %v, want a *schedule.Error", what, err)
		return
	}
	if refused.Field != field || !strings.Contains(refused.Message, message) {
		t.Errorf("%s: got %q, want %q", what, refused.Error(), field+": "+message)
	}
	if want := field + ": " + refused.Message; refused.Error() != want {
		t.Errorf("%s: Error() = %q, want %q", what, refused.Error(), want)
	}
	if !strings.Contains(refused.Hint, hint) {
		t.Errorf("%s: got hint %q, want %q", what, refused.Hint, hint)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"30 2 * * 1-5", nil},
		{"0 0 1 * ?", nil},
		{"0 0 13 * FRI", []string{`day of month "13" and day of week "5" are both set: cron runs on days that match either, not only on days that match both`}},
		{"0 0 */10 * 1", []string{`day of month "*/10" and day of week "1" are both set: cron runs on days that match either, not only on days that match both`}},
		{"*/60 * * * *", []string{`minute "*/60" matches only 0: its step is as large as its range`}},
	}
	for _, test := range tests {
		if got := mustParse(t, test.text, "").Warnings(); !slices.Equal(got, test.want) {
			t.Errorf("Warnings of %q = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestString(t *testing.T) {
	for zone, want := range map[string]string{
		"":              "0 0 * * * (UTC)",
		"Europe/Berlin": "0 0 * * * (Europe/Berlin)",
	} {
		if got := mustParse(t, "@daily", zone).String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
