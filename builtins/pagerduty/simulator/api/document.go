package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// document is a JSON object of an answer. Its fields are sent in their order.
type document []field

type field struct {
	name  string
	value any
}

// MarshalJSON writes the object, or null for a nil document.
func (d document) MarshalJSON() ([]byte, error) {
	if d == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	for i, f := range d {
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		separator := ","
		if i == 0 {
			separator = "{"
		}
		fmt.Fprintf(&b, "%s%q:%s", separator, f.name, value)
	}
	return append(b.Bytes(), '}'), nil
}

// with sets the fields that the document has and adds the others. It may change the
// document.
func (d document) with(fields document) document {
	for _, f := range fields {
		i := slices.IndexFunc(d, func(g field) bool { return g.name == f.name })
		if i < 0 {
			d = append(d, f)
			continue
		}
		d[i] = f
	}
	return d
}

// renderer returns a resource as the REST API sends it. Resources that include names are
// sent whole, others as references.
type renderer[T any] func(a *account.Account, resource T, include []string) document

// refer returns the fields that every resource has. Its web page has the same path.
func refer(a *account.Account, kind, path, summary string) document {
	return document{
		{"id", path[strings.LastIndexByte(path, '/')+1:]},
		{"type", kind},
		{"summary", summary},
		{"self", a.Site.REST + path},
		{"html_url", a.Site.Web + path},
	}
}

// short makes a reference of the fields that refer returned.
func (d document) short() document {
	return d.with(document{{"type", fmt.Sprint(d[1].value, "_reference")}})
}

// embed returns a resource as it appears inside another one: whole, or else as a
// reference. It returns nil for a resource that does not exist any more.
func embed[T any](
	a *account.Account, found *T, whole bool, render renderer[*T], refer func(*account.Account, *T) document,
) document {
	switch {
	case found == nil:
		return nil
	case whole:
		return render(a, found, nil)
	}
	return refer(a, found).short()
}

// existing leaves out the documents of resources that do not exist any more.
func existing(all []document) []document {
	return slices.DeleteFunc(all, func(d document) bool { return d == nil })
}

// timestamp writes a time as the REST API does.
func timestamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func optionalTimestamp(at *time.Time) any {
	if at == nil {
		return nil
	}
	return timestamp(*at)
}

func nullIfEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}
