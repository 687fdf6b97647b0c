package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"reflect"
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

// maxEntries is the most entries of one answer. A page has at most [pageSize], and the answer
// to an update at most [maxBatch].
const maxEntries = max(pageSize, maxBatch)

var errTooMany = errors.New("the answer has too many entries")

// maxList bounds the entries of a list in bytes. 10,000 incidents have about 10 MB.
const maxList = 32 << 20

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
	list, ok := fields[p.name]
	if !ok || string(list) == "null" {
		return nil
	}
	entries := json.NewDecoder(bytes.NewReader(list))
	if start, err := entries.Token(); err != nil || start != json.Delim('[') {
		return errors.New("the list is not a list")
	}
	for p.items = []T{}; entries.More(); {
		var item T
		if err := entries.Decode(&item); err != nil {
			return err
		}
		if len(p.items) == maxEntries {
			return errTooMany
		}
		p.items = append(p.items, item)
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
	seen, size := map[string]bool{}, 0
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
			if size += sizeOf(reflect.ValueOf(item)); size > maxList {
				return nil, false, &Error{
					Kind: Unavailable, Op: l.op, StatusCode: http.StatusOK,
					Message: fmt.Sprintf("PagerDuty listed more than %d MB", maxList>>20), Hint: "ask for fewer entries with a smaller limit",
				}
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

// sizeOf returns about how many bytes of memory an entry takes.
func sizeOf(v reflect.Value) int {
	size := int(v.Type().Size())
	switch v.Kind() {
	case reflect.String:
		size += v.Len()
	case reflect.Slice:
		for i := range v.Len() {
			size += sizeOf(v.Index(i))
		}
	case reflect.Struct:
		size = 0
		for i := range v.NumField() {
			size += sizeOf(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			size += sizeOf(v.Elem())
		}
	}
	return size
}
