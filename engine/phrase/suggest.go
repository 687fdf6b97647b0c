package phrase

import (
	"slices"
	"strings"
)

// Nearest returns the candidate that a person most likely meant by word, or ""
// when no candidate is near. A candidate is near when it takes at most one edit,
// plus one edit for each three letters of the word. An edit inserts, deletes or
// replaces a letter, or swaps two neighbours. A candidate that shares nothing
// with the word is never near. Of two equally near candidates, the first in the
// alphabet is returned.
func Nearest(word string, candidates []string) string {
	best, bestDistance := "", 2+len(word)/3
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		if d := editDistance(word, candidate, bestDistance); d < min(bestDistance, max(len(word), len(candidate))) {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// DidYouMean returns `did you mean "x"?` for the nearest candidate, or "".
func DidYouMean(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return `did you mean "` + near + `"?`
	}
	return ""
}

// Suggest returns [DidYouMean] for the word. When no candidate is near, it
// returns the lead and all candidates, as in "one of: a, b".
func Suggest(word string, candidates []string, lead string) string {
	if hint := DidYouMean(word, candidates); hint != "" {
		return hint
	}
	return lead + strings.Join(candidates, ", ")
}

// editDistance is the optimal string alignment distance, which counts a swap of
// neighbours as one edit. It returns limit without computing the distance when
// the lengths alone show that the distance is not below limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	previous, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], previous[j-2]+1)
			}
		}
		previous, row, next = row, next, previous
	}
	return row[len(b)]
}
