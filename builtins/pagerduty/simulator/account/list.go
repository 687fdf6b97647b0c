package account

import "strings"

// find returns the first entry that is wanted, or nil.
func find[T any](entries []*T, wanted func(*T) bool) *T {
	for _, entry := range entries {
		if wanted(entry) {
			return entry
		}
	}
	return nil
}

// Filter returns the entries that are wanted, in their order.
func Filter[T any](entries []T, wanted func(T) bool) []T {
	var found []T
	for _, entry := range entries {
		if wanted(entry) {
			found = append(found, entry)
		}
	}
	return found
}

// Each returns the results of a function for every entry. The list is not nil.
func Each[T, R any](entries []T, apply func(T) R) []R {
	results := make([]R, 0, len(entries))
	for _, entry := range entries {
		results = append(results, apply(entry))
	}
	return results
}

// contains reports whether text contains part, regardless of case.
func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
