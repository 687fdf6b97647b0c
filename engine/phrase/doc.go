// Package phrase has the small functions by which values are written in
// messages, and read from files and flags.
//
//   - [DidYouMean] and [Suggest] offer the known name that is nearest to an
//     unknown one (suggest.go).
//   - [Clip] shortens a text that a message quotes, [WithHint] adds a hint to a
//     message.
//   - [Number], [Bytes] and [Names] write values; [ParseBytes], [ParseDuration]
//     and [Seconds] read them (phrase.go).
//
// The package imports the standard library only, so every other package may use
// it.
package phrase
