package builtins

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pdflow/pdflow/builtins/wire"
	"github.com/pdflow/pdflow/engine/action"
)

// Previewing wraps a transport. In the dry run of a write ([action.Scope.Preview]) it shows
// a request instead of sending it. The response is then 200 with the request's body and
// `"status": "success"`, so that the request is not tried again. The action must not use it.
func Previewing(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = wire.New(wire.Options{})
	}
	return previewing{next}
}

type previewing struct{ next http.RoundTripper }

// Simulated reports whether the wrapped transport sends nothing.
func (p previewing) Simulated() bool {
	simulated, ok := p.next.(interface{ Simulated() bool })
	return ok && simulated.Simulated()
}

// RoundTrip sends the request, or shows it.
func (p previewing) RoundTrip(r *http.Request) (*http.Response, error) {
	preview := action.ScopeOf(r.Context()).Preview
	if preview == nil {
		return p.next.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("the request cannot be read: %w", err)
		}
	}
	preview(action.Request{Method: r.Method, URL: r.URL.String(), From: r.Header.Get("From"), Body: string(body)})
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil && fields != nil {
		fields["status"] = json.RawMessage(`"success"`)
		body, _ = json.Marshal(fields) // it was read from JSON
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
	}, nil
}
