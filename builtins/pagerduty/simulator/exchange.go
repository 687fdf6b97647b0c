package simulator

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// bodyLimit is the most that is read of a request's body. "512 KB" is
// documented for both Events APIs and Alertmanager counts it as 512000 bytes;
// the same cap holds for REST, where none is documented.
const bodyLimit = 512_000

// exchange is one request, read completely, on its way to a response.
type exchange struct {
	method    string
	target    string // path and query as sent
	query     url.Values
	header    http.Header
	body      []byte
	oversized bool

	endpoint string // the path of the route; empty when there is none
	handle   handler
	id       string // what the first parameter of the route stood for
	child    string // and the second
	token    token  // set for REST
	now      time.Time
}

func readExchange(request *http.Request) *exchange {
	x := &exchange{
		method: request.Method,
		target: request.URL.RequestURI(),
		query:  request.URL.Query(),
		header: request.Header,
	}
	found := findRoute(request.Method, request.URL.EscapedPath())
	x.endpoint, x.handle = found.path, found.handle
	x.id, x.child = found.parameters[0], found.parameters[1]
	x.readBody(request.Body)
	return x
}

// readBody keeps nothing of a body that broke off: half an event is none.
func (x *exchange) readBody(body io.Reader) {
	if body == nil {
		return
	}
	content, err := io.ReadAll(io.LimitReader(body, bodyLimit+1))
	if err != nil {
		return
	}
	if len(content) > bodyLimit {
		x.oversized = true
		return
	}
	x.body = content
}

// values returns all values of a list parameter such as include[]. Escaped
// brackets have been decoded with the query.
func (x *exchange) values(list string) []string { return x.query[list+"[]"] }

// isRead reports whether the request changes nothing.
func (x *exchange) isRead() bool { return x.method == http.MethodGet || x.method == http.MethodHead }

// percentEncoded returns text as it looks in a query.
func percentEncoded(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
