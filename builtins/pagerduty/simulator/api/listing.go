package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// Limits of listings, from "Pagination" in PagerDuty's developer documentation.
const (
	defaultPageLimit = 25
	maximumPageLimit = 100
	maximumPageEnd   = 10_000 // of offset + limit
)

// listing answers with the page of a list that a request asks for. Clients need "more" in
// every listing (pdpyras), so listings that the service sends whole have it too. Only
// notes and abilities do not.
func listing[T any](x *Exchange, name string, all []T, render renderer[T]) Response {
	page, complaint := pageOf(x, name, all, render)
	if complaint != "" {
		return InvalidInput(complaint)
	}
	return Document(http.StatusOK, page)
}

// pageOf returns the page of a list for offset, limit and total of a request. A limit above
// the maximum is clamped. For other bad values the answer of the service is [unknown, safe
// reading]: the complaint, which is empty when there is none.
func pageOf[T any](x *Exchange, name string, all []T, render renderer[T]) (page document, complaint string) {
	offset, validOffset := readNumber(x.query, "offset", 0, 0)
	limit, validLimit := readNumber(x.query, "limit", defaultPageLimit, 1)
	limit = min(limit, maximumPageLimit)
	switch {
	case !validOffset:
		return nil, "Offset must be a number of at least 0"
	case !validLimit:
		return nil, "Limit must be a number of at least 1"
	case offset > maximumPageEnd-limit:
		return nil, "Offset and limit must not exceed 10000 together"
	}
	start := min(offset, len(all))
	end := min(start+limit, len(all))
	var total any // null unless asked for
	if x.query.Get("total") == "true" {
		total = len(all)
	}
	page = document{
		{name, account.Each(all[start:end], func(v T) document { return render(x.account, v, x.include()) })},
		{"limit", limit},
		{"offset", offset},
		{"more", end < len(all)},
		{"total", total},
	}
	return page, ""
}

func readNumber(query url.Values, name string, absent, minimum int) (number int, ok bool) {
	text := query.Get(name)
	if text == "" {
		return absent, true
	}
	number, err := strconv.Atoi(text)
	return number, err == nil && number >= minimum
}

// isAmong reports whether a filter accepts a value. An empty filter accepts all.
func isAmong(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}
