// Package schedule turns a cron text and a zone into instants.
//
//	s, err := schedule.Parse("30 2 * * 1-5", "Europe/Berlin")
//	next := s.Next(after) // strictly after, in Berlin
//
// It is pure: it starts nothing, sleeps never and reads no clock. Who runs a
// workflow at an instant, and once only, is decided elsewhere.
//
// # The texts
//
// A cron text is five fields (minute, hour, day of month, month, day of week)
// or one of @hourly, @daily, @weekly, @monthly and @yearly. A field is `*`, or
// values, ranges and steps between commas; months and days may be named (JAN,
// mon); Sunday is 0 and 7. As in every cron, a day matches when either its day
// of month or its day of week does, if neither field is a plain `*`: [Parse]
// accepts that and [Schedule.Warnings] tells.
//
// Whatever cron programs accept in silence and run in a surprising way is
// refused with an [Error]: a step larger than its range, an empty list item, a
// sign, a zone inside the text, a date that never comes.
//
// # When the clocks change
//
// There is one rule for each of two kinds of text, and no setting:
//
//   - The minute or the hour starts with `*` ("every ten minutes"): the
//     schedule follows elapsed time. Times that a clock change skips do not
//     exist, and times that happen twice run twice.
//   - Otherwise it means times of day ("at half past two"). If a change skips
//     any of them, it runs once, at the first instant after the gap; of a time
//     that happens twice it runs the first.
//
// # The way through the code
//
// [Parse] splits the text (cron.go), reads each field into items (field.go,
// item.go), rebuilds a normal text from them for the parser of robfig/cron
// (matcher.go), and loads the zone (zone.go). [Schedule.Next] cuts time into
// segments of one offset each (segment.go) and asks the matcher, which knows
// only wall clocks without changes, inside each (next.go). robfig/cron's own
// scheduler and its own treatment of zones are not used: east of UTC they lose
// days, and on a date that a zone skipped they do not return.
package schedule
