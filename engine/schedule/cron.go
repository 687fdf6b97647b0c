package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/phrase"
)

// fieldOrder names the fields of a text, for messages.
const fieldOrder = "minute, hour, day of month, month, day of week"

// shorthands are names for whole texts (crontab(5), "Extensions").
var shorthands = map[string]string{
	"@hourly":   "0 * * * *",
	"@daily":    "0 0 * * *",
	"@weekly":   "0 0 * * 0",
	"@monthly":  "0 0 1 * *",
	"@yearly":   "0 0 1 1 *",
	"@midnight": "0 0 * * *",
	"@annually": "0 0 1 1 *",
}

const offeredShorthands = "@hourly, @daily, @weekly, @monthly or @yearly"

// columns are the items of the five fields, in the order of the text.
type columns [len(fields)][]item

// parseColumns reads a text of five fields or a shorthand.
func parseColumns(text string) (columns, error) {
	words := strings.Fields(text)
	if err := checkNoZone(words); err != nil {
		return columns{}, err
	}
	if len(words) > 0 && strings.HasPrefix(words[0], "@") {
		expanded, err := expandShorthand(words)
		if err != nil {
			return columns{}, err
		}
		words = strings.Fields(expanded)
	}
	if len(words) != len(fields) {
		return columns{}, wrongCount(words)
	}
	var c columns
	for i, word := range words {
		items, err := fields[i].parse(word)
		if err != nil {
			return columns{}, err
		}
		c[i] = items
	}
	return c, nil
}

// checkNoZone refuses a zone inside the text, which some cron programs accept. The
// zone has a setting of its own, and robfig/cron v3.0.1 panics on "TZ=UTC".
func checkNoZone(words []string) error {
	for _, word := range words {
		name, _, found := strings.Cut(strings.ToUpper(word), "=")
		if found && (name == "TZ" || name == "CRON_TZ") {
			return cronErrorf("give the zone with `timezone:`",
				"a zone inside the text (%q) is not accepted: expected %s only", word, fieldOrder)
		}
	}
	return nil
}

// expandShorthand returns the text that a name stands for.
func expandShorthand(words []string) (string, error) {
	name := words[0]
	switch strings.ToLower(name) {
	case "@every":
		return "", cronErrorf("for a fixed interval use steps, such as `*/10 * * * *`",
			"%q is not supported: an interval has no start to count from; expected five fields or %s",
			name, offeredShorthands)
	case "@reboot":
		return "", cronErrorf("start the workflow from the service manager of the machine",
			"%q is not supported: a schedule has times only, and the start of the machine is not a time; expected five fields or %s",
			name, offeredShorthands)
	}
	text, known := shorthands[name]
	switch {
	case !known:
		return "", cronErrorf(abbreviation(name, phrase.Names(shorthands)),
			"%q is not known: expected %s, or five fields (%s)", name, offeredShorthands, fieldOrder)
	case len(words) > 1:
		return "", cronErrorf(fmt.Sprintf("write %q alone, or five fields", name),
			"%q must be the whole text, but %q follows it", name, strings.Join(words[1:], " "))
	}
	return text, nil
}

// wrongCount returns the error for a text that does not have five fields, with a
// guess at what was meant.
func wrongCount(words []string) error {
	hint := ""
	switch {
	case len(words) == 0:
		return cronErrorf("such as `30 2 * * 1-5`, or @daily", "the text is empty: expected %s", fieldOrder)
	case len(words) == 1:
		hint = abbreviation("@"+words[0], phrase.Names(shorthands))
	case len(words) == len(fields)+1 && looksLikeZone(words[len(fields)]):
		hint = "give the zone with `timezone:`"
	case len(words) == len(fields)+1:
		hint = fmt.Sprintf("there is no field for seconds: try `%s`", strings.Join(words[1:], " "))
	}
	return cronErrorf(hint, "the text has %d of the %d fields: expected %s", len(words), len(fields), fieldOrder)
}

// reference is where the search for a first scheduled time begins. Any time would do,
// as long as it is fixed: every machine then gives the same answer on every day. The
// horizon of the search contains a 29 February from here.
var reference = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

// checkOccurs refuses a text without any scheduled time. The only possible cause is a
// day of month that the given months do not have.
func checkOccurs(c columns, m matcher) error {
	if !m.atOrAfter(reference).IsZero() {
		return nil
	}
	return cronErrorf("February has at most 29 days, and April, June, September and November have 30",
		"it never runs: no date has the day of month %q in the month %q", join(c[dayOfMonth]), join(c[month]))
}

// elapsed reports whether the text means elapsed time ("every ten minutes") and not
// times of day: its minute or its hour starts with `*`. Vixie's cron(8) uses the same
// rule when a clock changes.
func (c columns) elapsed() bool { return c[minute][0].star || c[hour][0].star }

// warnings returns a sentence for each thing that is allowed but rarely intended.
func (c columns) warnings() []string {
	var found []string
	if !everyDay(c[dayOfMonth]) && !everyDay(c[dayOfWeek]) {
		found = append(found, fmt.Sprintf(
			"day of month %q and day of week %q are both set: cron runs on days that match either, not only on days that match both",
			join(c[dayOfMonth]), join(c[dayOfWeek])))
	}
	for i, items := range c {
		for _, it := range items {
			if it.step > 1 && it.step == it.count() {
				found = append(found, fmt.Sprintf("%s %q matches only %d: its step is as large as its range",
					fields[i].name, it, it.first))
			}
		}
	}
	return found
}

// everyDay reports whether a field of days is a plain `*`. `*/2` is not: like
// robfig/cron, this package reads it as a choice of days.
func everyDay(items []item) bool { return items[0].plain() }

// String returns the normal form, which all cron programs read the same way.
func (c columns) String() string {
	var words []string
	for _, items := range c {
		words = append(words, join(items))
	}
	return strings.Join(words, " ")
}
