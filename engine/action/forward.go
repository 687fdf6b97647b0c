package action

import "github.com/pdflow/pdflow/engine/phrase"

// The functions of this file moved to package phrase. They stay until their
// callers use that package.

// Nearest is [phrase.Nearest].
func Nearest(word string, candidates []string) string { return phrase.Nearest(word, candidates) }

// DidYouMean is [phrase.DidYouMean].
func DidYouMean(word string, candidates []string) string { return phrase.DidYouMean(word, candidates) }

// SortedNames is [phrase.Names].
func SortedNames[V any](o map[string]V) []string { return phrase.Names(o) }

// WithHint is [phrase.WithHint].
func WithHint(message, hint string) string { return phrase.WithHint(message, hint) }

// Clip is [phrase.Clip].
func Clip(s string, limit int) string { return phrase.Clip(s, limit) }

// FormatNumber is [phrase.Number].
func FormatNumber(f float64) string { return phrase.Number(f) }
