package client

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// PagerDuty returns at most pageSize entries at once, and offset + limit may be at
// most lastOffset (PagerDuty's documentation, "Pagination").
const (
	pageSize   = 100
	lastOffset = 10_000
)

// MaxListed is the highest limit of a list. PagerDuty lists no more entries.
const MaxListed = lastOffset

// Reference names an object of the account, such as a service.
type Reference struct {
	ID      string `json:"id"`
	Name    string `json:"summary"`
	HTMLURL string `json:"html_url"` // page in PagerDuty's web interface; may be empty
}

// listing is a list of the REST API that is read page by page.
type listing[T any] struct {
	op, path string
	name     string // field of the answer that has the list
	query    url.Values
	id       func(T) string // finds entries that move to the next page between two requests; nil: none move
	policy   policy
}

// listPage is one page of a list.
type listPage[T any] struct {
	name  string
	items []T
	limit int
	more  bool
}

// UnmarshalJSON reads the list from the field with its name.
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

// pages reads the list page by page, and stops after an error.
func (l listing[T]) pages(ctx context.Context, c *Client) iter.Seq2[listPage[T], error] {
	return func(yield func(listPage[T], error) bool) {
		page := listPage[T]{more: true}
		for offset := 0; page.more && offset < lastOffset; {
			size := min(pageSize, lastOffset-offset)
			query := url.Values{"limit": {strconv.Itoa(size)}, "offset": {strconv.Itoa(offset)}}
			maps.Copy(query, l.query)
			page = listPage[T]{name: l.name}
			err := c.do(ctx, c.rest(l.op, http.MethodGet, l.path+"?"+query.Encode(), l.policy, nil, ""), &page, page.complete)
			if !yield(page, err) || err != nil {
				return
			}
			offset += step(size, page.limit)
		}
	}
}

// read returns at most limit entries, and whether there are more.
func (l listing[T]) read(ctx context.Context, c *Client, limit int) (found []T, more bool, err error) {
	if limit < 1 || limit > MaxListed {
		return nil, false, invalid(l.op, "", "the limit is %d; it must be from 1 to %s", limit, grouped(MaxListed))
	}
	seen := map[string]bool{}
	for page, err := range l.pages(ctx, c) {
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
		if more = page.more; len(found) == limit {
			break
		}
	}
	return found, more, nil
}

// step returns the distance to the next page. A server that returns fewer entries than
// asked for names their number as its limit; a longer step would skip entries.
func step(asked, limit int) int {
	if limit > 0 {
		return min(asked, limit)
	}
	return asked
}
