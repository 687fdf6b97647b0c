package world

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins/jsonvalue"
	"github.com/pdflow/pdflow/builtins/web"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// httpAnswer is one answer to a request.
type httpAnswer struct {
	status int
	header http.Header
	body   string
	err    error
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func readHTTPEntry(r *reader, w *World, e entry) {
	method, rest, _ := strings.Cut(e.key, " ")
	if !slices.Contains(methods, method) {
		r.problem(e.path, phrase.DidYouMean(strings.ToUpper(method), methods),
			`the key must be a method and a URL, such as "GET https://api.example.com/health"`)
		return
	}
	u, err := web.ParseURL(strings.TrimSpace(rest))
	if err != nil {
		r.problem(e.path, "", "%v", err)
		return
	}
	w.http.add(r, e, "request", requestKey(method, u, true), r.sequence, r.httpAnswer)
}

// requestKey returns a request in canonical form.
func requestKey(method string, u *url.URL, withQuery bool) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	key := method + " " + web.Origin(u) + path
	if query := u.Query(); withQuery && len(query) > 0 {
		key += "?" + query.Encode() // sorted
	}
	return key
}

func (r *reader) httpAnswer(e entry) httpAnswer {
	o, ok := e.value.(action.Object)
	if !ok {
		r.problem(e.path, "write {status: 200} or {error: connection refused}", "must be an object")
		return httpAnswer{}
	}
	r.fields("an http answer", e.path, o, "status", "headers", "body", "json", "error")
	answer := httpAnswer{status: r.status(e, o), header: r.headers(e, o), body: r.text(e.path, o, "body")}
	if text := r.text(e.path, o, "error"); text != "" {
		if len(o) > 1 {
			r.problem(e.path, "", "an answer with an error has nothing else")
		}
		answer.err = noAnswerError(text)
	}
	if o["json"] != nil {
		r.jsonBody(e, o, &answer)
	}
	return answer
}

// noAnswerError returns the error of a real transport. After a timeout the request was
// sent; after any other error it was not.
func noAnswerError(text string) error {
	if text == "timeout" {
		return os.ErrDeadlineExceeded
	}
	return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New(text)}
}

func (r *reader) status(e entry, o action.Object) int {
	if o["status"] == nil {
		return http.StatusOK
	}
	status, ok := o["status"].(float64)
	if !ok || status != math.Trunc(status) || status < 200 || status > 599 {
		r.problem(e.path+".status", "", "must be a whole number from 200 to 599")
	}
	return int(status)
}

func (r *reader) headers(e entry, o action.Object) http.Header {
	header := http.Header{}
	headers, ok := o["headers"].(action.Object)
	if !ok && o["headers"] != nil {
		r.problem(e.path+".headers", "", "must be an object")
	}
	for _, name := range phrase.Names(headers) {
		for _, item := range web.ListOf(headers[name]) {
			text, ok := web.ScalarText(item)
			if !ok || !web.IsToken(name) {
				r.problem(fmt.Sprintf("%s.headers.%s", e.path, name), "", "must be text, or a list of texts")
			}
			header.Add(name, text)
		}
	}
	return header
}

func (r *reader) jsonBody(e entry, o action.Object, answer *httpAnswer) {
	if o["body"] != nil {
		r.problem(e.path, "", "an answer has either body or json")
	}
	body, err := jsonvalue.Marshal(o["json"])
	if err != nil {
		r.problem(e.path+".json", "", "cannot be written as JSON: %v", err)
	}
	answer.body = string(body)
	if answer.header.Get("Content-Type") == "" {
		answer.header.Set("Content-Type", "application/json")
	}
}

// Transport returns the world as the network of the http module.
func (w *World) Transport() http.RoundTripper { return transport{w} }

type transport struct{ world *World }

// Simulated reports that nothing leaves this machine: a secret may be made up.
func (transport) Simulated() bool { return true }

// RoundTrip answers a request, or refuses it. The error does not show the query, which may
// contain a secret.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	bare := requestKey(request.Method, request.URL, false)
	answer, ok := t.world.http.next(requestKey(request.Method, request.URL, true))
	if !ok {
		answer, ok = t.world.http.next(bare)
	}
	switch {
	case !ok:
		return nil, errNoAnswer(bare, "http", bare, "{status: 200}")
	case answer.err != nil:
		return nil, answer.err
	}
	return answer.response(request), nil
}

func (a httpAnswer) response(request *http.Request) *http.Response {
	body := a.body
	if request.Method == http.MethodHead {
		body = ""
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Request: request,
	}
}
