// Package schedule computes scheduled times from a cron text and a time zone.
//
//	s, err := schedule.Parse("30 2 * * 1-5", "Europe/Berlin")
//	next := s.Next(after) // strictly after, in Berlin
//
// The package has no side effects: it starts nothing, does not wait, and reads no
// clock. Package scheduler starts one run for each scheduled time.
//
// # The texts
//
// A cron text has five fields (minute, hour, day of month, month, day of week), or
// is one of @hourly, @daily, @weekly, @monthly and @yearly. A field is `*`, or a
// list of values, ranges and steps between commas. Months and days may have names
// (JAN, mon). Sunday is 0 and 7. As in every cron, if neither field of days is a
// plain `*`, a day matches when one of the two fields matches. [Parse] accepts such
// a text, and [Schedule.Warnings] explains it.
//
// Cron programs silently accept some texts and then run them in a surprising way:
// a step larger than its range, an empty item of a list, a sign, a zone inside the
// text, a date that never comes. Parse refuses them with an [Error].
//
// # When the clocks change
//
// There are two kinds of text, and one rule for each:
//
//   - If the minute or the hour starts with `*` ("every ten minutes"), the schedule
//     follows elapsed time. Times that a clock change skips do not exist, and times
//     that happen twice are scheduled twice.
//   - Otherwise the text means times of day ("at half past two"). If a change skips
//     any of them, the schedule runs once, at the first time after the gap. Of a time
//     that happens twice, the first is scheduled.
//
// # Where it is
//
//	schedule.go  Schedule, Parse, Error
//	cron.go      a text to five fields, and what is wrong with the text
//	field.go     a field to items: values, ranges, steps
//	next.go      Next: the search, what a clock change does, and the note about it
//	zone.go      time zones, and the segments between two clock changes
//
// The parser and the matcher of robfig/cron are used for the normal form of a text
// and in UTC only. Its scheduler and its treatment of zones are not used: they lose
// days east of UTC, and do not return on a date that a zone skipped.
package schedule
