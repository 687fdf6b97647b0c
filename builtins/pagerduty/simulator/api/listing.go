package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Limits of listings, from "Pagination" in PagerDuty's developer documentation.
const (
	defaultPageLimit = 25
	maximumPageLimit = 100
	maximumPageEnd   = 10_000 // of offset + limit
)

// page is the part of a listing that a request asks for.
type page struct {
	offset, limit int
	total         bool
}

// pageDocument is the part of a listing's body that describes the page.
type pageDocument struct {
	Limit  int  `json:"limit"`
	Offset int  `json:"offset"`
	More   bool `json:"more"`
	Total  *int `json:"total"` // null unless asked for
}

// listing answers with the page of a list that a request asks for. Clients need "more" in
// every listing (pdpyras), so listings that the service sends whole have it too. Only
// notes and abilities do not.
func listing[T any](x *Exchange, name string, all []T, render func(T) any) Response {
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return InvalidInput(complaint)
	}
	found, position := cut(all, asked)
	documents := make([]any, 0, len(found))
	for _, entry := range found {
		documents = append(documents, render(entry))
	}
	return Document(http.StatusOK, map[string]any{
		name:     documents,
		"limit":  position.Limit,
		"offset": position.Offset,
		"more":   position.More,
		"total":  position.Total,
	})
}

// readPage reads offset, limit and total. A limit above the maximum is clamped. For other
// bad values the answer of the service is [unknown, safe reading]: the complaint, which is
// empty when there is none.
func readPage(query url.Values) (asked page, complaint string) {
	offset, validOffset := readNumber(query, "offset", 0, 0)
	limit, validLimit := readNumber(query, "limit", defaultPageLimit, 1)
	limit = min(limit, maximumPageLimit)
	switch {
	case !validOffset:
		return page{}, "Offset must be a number of at least 0"
	case !validLimit:
		return page{}, "Limit must be a number of at least 1"
	case offset > maximumPageEnd-limit:
		return page{}, "Offset and limit must not exceed 10000 together"
	}
	return page{offset: offset, limit: limit, total: query.Get("total") == "true"}, ""
}

func readNumber(query url.Values, name string, absent, minimum int) (number int, ok bool) {
	text := query.Get(name)
	if text == "" {
		return absent, true
	}
	number, err := strconv.Atoi(text)
	return number, err == nil && number >= minimum
}

// cut returns the part of a list that the page covers, and the description of the page.
func cut[T any](all []T, asked page) ([]T, pageDocument) {
	start := min(asked.offset, len(all))
	end := min(start+asked.limit, len(all))
	position := pageDocument{Limit: asked.limit, Offset: asked.offset, More: end < len(all)}
	if asked.total {
		count := len(all)
		position.Total = &count
	}
	return all[start:end], position
}

// isAmong reports whether a filter accepts a value. An empty filter accepts all.
func isAmong(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}
