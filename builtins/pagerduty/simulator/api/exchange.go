package api

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// BodyLimit is the number of bytes that are read of a request's body. "512 KB" is
// documented for both Events APIs and Alertmanager counts it as 512000 bytes. For REST no
// limit is documented; it gets the same.
const BodyLimit = 512_000

// Exchange is one request, read completely, on its way to a response.
type Exchange struct {
	Method   string
	Endpoint string    // the path of its route, such as /users/{id}; empty when it has no route
	Now      time.Time // set by the caller before the request is handled

	api       *API
	account   *account.Account // the account to answer from
	target    string           // path and query as sent
	query     url.Values
	header    http.Header
	body      []byte
	oversized bool
	handle    handler
	event     bool   // the route belongs to an Events API
	id        string // the value of the first parameter of the route
	child     string // the value of the second
	token     account.Token
}

// Read reads a request and finds its route.
func (a *API) Read(request *http.Request) *Exchange {
	x := &Exchange{
		Method: request.Method,
		api:    a,
		target: request.URL.RequestURI(),
		query:  request.URL.Query(),
		header: request.Header,
	}
	found, parameters := findRoute(request.Method, request.URL.EscapedPath())
	x.Endpoint, x.handle, x.event = found.Path, found.handle, found.Event
	x.id, x.child = parameters[0], parameters[1]
	x.body, x.oversized = ReadBody(request.Body)
	return x
}

// ReadBody reads a body of at most BodyLimit bytes. A body that is longer or breaks off
// is returned empty: half an event is not an event.
func ReadBody(body io.Reader) (content []byte, oversized bool) {
	if body == nil {
		return nil, false
	}
	content, err := io.ReadAll(io.LimitReader(body, BodyLimit+1))
	if err != nil {
		return nil, false
	}
	if len(content) > BodyLimit {
		return nil, true
	}
	return content, false
}

// values returns all values of a list parameter such as include[]. Escaped brackets have
// been decoded with the query.
func (x *Exchange) values(list string) []string { return x.query[list+"[]"] }

// include returns the kinds of resources that the answer sends whole.
func (x *Exchange) include() []string { return x.values("include") }

// IsRead reports whether the request changes nothing.
func (x *Exchange) IsRead() bool { return x.Method == http.MethodGet || x.Method == http.MethodHead }

// IsEvent reports whether the request is one to an Events API.
func (x *Exchange) IsEvent() bool { return x.event }

// percentEncoded returns text as it looks in a query.
func percentEncoded(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
