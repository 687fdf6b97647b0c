package action

import "github.com/pdflow/pdflow/engine/phrase"

// The functions of this file moved to package phrase. They stay until package engine and
// the packages attempt and journal use that package.

// SortedNames is [phrase.Names].
func SortedNames[V any](o map[string]V) []string { return phrase.Names(o) }

// Clip is [phrase.Clip].
func Clip(s string, limit int) string { return phrase.Clip(s, limit) }
