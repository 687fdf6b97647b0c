package client

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// pageSize is the most that PagerDuty returns at once; lastOffset bounds
// offset + limit (PagerDuty's documentation, "Pagination").
const (
	pageSize   = 100
	lastOffset = 10_000
)

// MaxListed is the most that a list can be asked for: PagerDuty shows no further.
const MaxListed = lastOffset

// A listing is a list of the REST API that is read page by page.
type listing[T any] struct {
	op, path string
	name     string // of the list in the answer
	query    url.Values
	id       func(T) string // tells apart what moves to another page meanwhile; nil if nothing does
	policy   policy         // of its requests
}

// A listPage is a part of a list.
type listPage[T any] struct {
	name  string
	items []T
	limit int
	more  bool
}

// UnmarshalJSON finds the list under its name.
func (p *listPage[T]) UnmarshalJSON(text []byte) error {
	var position struct {
		Limit int  `json:"limit"`
		More  bool `json:"more"`
	}
	var fields map[string]json.RawMessage
	if err := cmp.Or(json.Unmarshal(text, &position), json.Unmarshal(text, &fields)); err != nil {
		return err
	}
	p.limit, p.more = position.Limit, position.More
	if list, ok := fields[p.name]; ok {
		return json.Unmarshal(list, &p.items)
	}
	return nil
}

func (p *listPage[T]) complete() bool { return p.items != nil }

// read returns up to limit entries, and whether there are more.
func (l listing[T]) read(ctx context.Context, c *Client, limit int) (found []T, more bool, err error) {
	if limit < 1 || limit > MaxListed {
		return nil, false, invalid(l.op, "", "the limit is %d; it must be from 1 to %s", limit, grouped(MaxListed))
	}
	seen := map[string]bool{}
	for offset := 0; ; {
		size := min(pageSize, lastOffset-offset)
		page, err := l.page(ctx, c, offset, size)
		if err != nil {
			return nil, false, err
		}
		for _, item := range page.items {
			if l.id != nil && seen[l.id(item)] {
				continue
			}
			if len(found) == limit {
				return found, true, nil
			}
			if l.id != nil {
				seen[l.id(item)] = true
			}
			found = append(found, item)
		}
		// A service that gives less than it was asked for says so in limit; a longer
		// step would skip some.
		if page.limit > 0 {
			size = min(size, page.limit)
		}
		if offset += size; !page.more || len(found) == limit || offset >= lastOffset {
			return found, page.more, nil
		}
	}
}

func (l listing[T]) page(ctx context.Context, c *Client, offset, size int) (listPage[T], error) {
	query := url.Values{"limit": {strconv.Itoa(size)}, "offset": {strconv.Itoa(offset)}}
	for name, values := range l.query {
		query[name] = values
	}
	page := listPage[T]{name: l.name}
	err := c.rest(ctx, l.op, http.MethodGet, l.path+"?"+query.Encode(), l.policy, nil, &page, "")
	return page, err
}
