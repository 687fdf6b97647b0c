// Package web declares the module http.
//
//   - web.go declares the five functions and checks their input.
//   - request.go makes a request of an input and reveals the secrets in it.
//   - exchange.go sends the request, follows redirects and reads the response.
package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/jsonvalue"
	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// httpDoc is the Doc of every function.
const httpDoc = "Every status is a result; the call fails only when there is no answer. The answer may be at most 1 MB. Secrets may be used in " +
	"headers, query, json and auth, and as the whole url. They are inserted when the request is sent, and only for the hosts that they are bound to."

// Actions returns the actions of the module http. Their requests are sent with transport.
func Actions(transport http.RoundTripper) []*action.Action {
	h := module{transport}
	return []*action.Action{
		action.New(spec("request", "Send an HTTP request with any method.", action.Once), func(ctx context.Context, in methodInput) (answerOutput, error) {
			return h.request(ctx, in.Method, in.requestInput)
		}, action.Rules[methodInput]{
			Validate: (*methodInput).validate, Targets: (*methodInput).targets,
			EffectOf: func(in *methodInput) action.Effect { return in.effect(in.Method) },
		}),
		h.function(http.MethodGet, "Send a GET request.", action.Reads),
		h.function(http.MethodPost, "Send a POST request.", action.Once),
		h.function(http.MethodPut, "Send a PUT request.", action.Once),
		h.function(http.MethodDelete, "Send a DELETE request.", action.Once),
	}
}

func spec(function, summary string, effect action.Effect) action.Spec {
	return action.Spec{
		Name: "http." + function, Summary: summary, Doc: httpDoc, Effect: effect,
		Example: action.Object{"status": 200.0, "ok": true, "headers": action.Object{}, "body": ""},
	}
}

type module struct{ transport http.RoundTripper }

// function declares the function of one method.
func (h module) function(method, summary string, effect action.Effect) *action.Action {
	return action.New(spec(strings.ToLower(method), summary, effect),
		func(ctx context.Context, in requestInput) (answerOutput, error) {
			return h.request(ctx, method, in)
		}, action.Rules[requestInput]{
			Validate: (*requestInput).validate, Targets: (*requestInput).targets,
			EffectOf: func(in *requestInput) action.Effect { return in.effect(method) },
		})
}

// requestInput is the input of every function but http.request, which also has a method.
type requestInput struct {
	URL             action.Text   `json:"url" target:"true" required:"true" doc:"An http or https URL, or a secret that is one"`
	Headers         action.Object `json:"headers" secrets:"true" doc:"Headers, by name"`
	Query           action.Object `json:"query" secrets:"true" doc:"Query parameters, added to the parameters of the URL; a list repeats a parameter"`
	JSON            any           `json:"json" secrets:"true" doc:"The body, sent as JSON"`
	Body            string        `json:"body" doc:"The body, sent as it is"`
	Auth            authInput     `json:"auth" doc:"{bearer = TOKEN} or {basic = {user = ..., password = ...}}"`
	Timeout         time.Duration `json:"timeout" default:"30s" doc:"How long to wait for the whole answer, at most 5m"`
	FollowRedirects bool          `json:"follow_redirects" doc:"Whether to follow up to 10 redirects to permitted hosts"`
	Idempotent      bool          `json:"idempotent" doc:"Whether sending it twice does no harm, so that it may be repeated"`
	IdempotencyKey  string        `json:"idempotency_key" max:"255" doc:"The Idempotency-Key header, by which the server knows a repeat"`
}

// methodInput is the input of http.request.
type methodInput struct {
	Method string `json:"method" default:"GET" enum:"GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" doc:"The method"`
	requestInput
}

type authInput struct {
	Bearer action.Credential `json:"bearer" doc:"The token of an Authorization: Bearer header"`
	Basic  basicInput        `json:"basic" doc:"User and password"`
}

type basicInput struct {
	User     action.Credential `json:"user" required:"true" doc:"The user's name"`
	Password action.Credential `json:"password" doc:"The password"`
}

type answerOutput struct {
	Status  int           `json:"status" doc:"The status code"`
	OK      bool          `json:"ok" doc:"True for a status from 200 to 299"`
	Headers action.Object `json:"headers" doc:"The headers, by name in lower case; several with one name are joined with a comma"`
	Body    string        `json:"body" doc:"The body; bytes that are not UTF-8 are replaced"`
}

// validate checks what can be checked without the text of the secrets.
func (in *requestInput) validate() error {
	var err error
	if _, hidden := in.URL.Secret(); !hidden {
		_, err = ParseURL(in.URL.String())
	}
	return cmp.Or(err, in.checkBody(), in.checkAuth(), reach.CheckTimeout(in.Timeout), in.checkHeaders(), in.checkQuery())
}

// targets returns the endpoint of the URL. The endpoint of a secret URL is checked when the
// secret is revealed.
func (in *requestInput) targets() ([]action.Target, error) {
	if _, hidden := in.URL.Secret(); hidden {
		return nil, nil
	}
	u, err := ParseURL(in.URL.String())
	if err != nil {
		return nil, err
	}
	return []action.Target{targetOf(u)}, nil
}

// effect returns what a repeat of the request with a method does. The author may know
// that the server recognises a repeat.
func (in *requestInput) effect(method string) action.Effect {
	switch {
	case method == http.MethodGet, method == http.MethodHead:
		return action.Reads
	case in.Idempotent, in.IdempotencyKey != "":
		return action.Repeats
	}
	return action.Once
}

func (in *requestInput) checkBody() error {
	switch {
	case in.JSON != nil && in.Body != "":
		return errors.New(`give either "json" or "body"`)
	case len(in.Body) > maxBody:
		return errBodyTooLarge("the body")
	case jsonvalue.DeeperThan(in.JSON, jsonvalue.MaxDepth):
		return jsonvalue.ErrTooDeep(`"json"`)
	}
	return nil
}

func (in *requestInput) checkAuth() error {
	if in.Auth == (authInput{}) {
		return nil
	}
	if !in.Auth.Bearer.IsZero() && in.Auth.Basic != (basicInput{}) {
		return errors.New(`"auth" takes either "bearer" or "basic"`)
	}
	if given(in.Headers, "Authorization") {
		return errors.New(`give either "auth" or the header "Authorization"`)
	}
	return nil
}

// managedHeaders say how the request is sent. They follow from the other inputs; a Host
// header could also reach a host that is not permitted.
var managedHeaders = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te",
	"Trailer", "Transfer-Encoding", "Upgrade",
}

func (in *requestInput) checkHeaders() error {
	if in.IdempotencyKey != "" && given(in.Headers, "Idempotency-Key") {
		return errors.New(`give either "idempotency_key" or the header "Idempotency-Key"`)
	}
	if err := checkHeaderText("Idempotency-Key", in.IdempotencyKey); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, name := range phrase.Names(in.Headers) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !IsToken(name):
			return fmt.Errorf("%q is not the name of a header", phrase.Clip(name, 40))
		case seen[canonical]:
			return fmt.Errorf("the header %q is given twice", canonical)
		case slices.Contains(managedHeaders, canonical):
			return fmt.Errorf("the header %q cannot be given: it follows from the other inputs", canonical)
		}
		seen[canonical] = true
		text, ok := ScalarText(in.Headers[name])
		if !ok {
			return fmt.Errorf("the header %q must be a string, a number, a boolean or a secret", name)
		}
		if err := checkHeaderText(name, text); err != nil {
			return err
		}
	}
	return nil
}

func (in *requestInput) checkQuery() error {
	for _, name := range phrase.Names(in.Query) {
		for _, item := range ListOf(in.Query[name]) {
			if _, ok := ScalarText(item); !ok {
				return fmt.Errorf("the query parameter %q must be a string, a number, a boolean, a secret or a list of these", phrase.Clip(name, 40))
			}
		}
	}
	return nil
}

// checkHeaderText refuses text that would end the header and begin another. It does not
// quote the text, which may be the text of a secret.
func checkHeaderText(name, text string) error {
	for _, c := range []byte(text) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return action.Errorf(action.InvalidInput, "the header %q has a line break or another control character in its value", phrase.Clip(name, 40))
		}
	}
	return nil
}

// IsToken is RFC 9110 5.6.2's rule for the name of a header.
func IsToken(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return name != ""
}

// given reports whether an object has a header, in upper or lower case.
func given(headers action.Object, name string) bool {
	for header := range headers {
		if strings.EqualFold(header, name) {
			return true
		}
	}
	return false
}

// ScalarText returns the text of a value for a header or a query parameter. It returns ""
// for a secret, whose text is not known yet, and ok = false for any other value.
func ScalarText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return phrase.Number(v), true
	case bool:
		return strconv.FormatBool(v), true
	case action.Secret:
		return "", true
	}
	return "", false
}

// ListOf returns a list as it is, and any other value as a list of one.
func ListOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// ParseURL reads the URL of a request or of a redirect. Its errors do not quote the
// query, which may contain a secret.
func ParseURL(text string) (*url.URL, error) {
	shown, _, _ := strings.Cut(text, "?")
	if strings.Contains(shown, "@") {
		shown = "…" // a password may stand before the @
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, action.Errorf(action.InvalidInput, "%q cannot be read as a URL", phrase.Clip(shown, 80))
	case u.User != nil:
		return nil, &action.Error{
			Kind: action.InvalidInput, Message: "the URL has a user in it",
			Hint: "give auth = {basic = {user = ..., password = ...}}",
		}
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.Opaque != "":
		return nil, action.Errorf(action.InvalidInput, "%q is not a URL such as https://example.com/path", phrase.Clip(shown, 80))
	}
	if err := cmp.Or(reach.CheckHost(u.Hostname()), reach.CheckPort(targetOf(u).Port)); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""                     // never sent
	u.Host = strings.TrimPrefix(Origin(u), u.Scheme+"://") // what is checked is dialled and sent
	u.RawQuery = encoded(u.RawQuery)
	return u, nil
}

// encoded percent-encodes the bytes of a query that the first line of a request may not
// contain (RFC 3986 3.4). A space would end the target there.
func encoded(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`{}|\\^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func targetOf(u *url.URL) action.Target {
	target := action.Target{Scheme: u.Scheme, Host: action.CanonicalHost(u.Hostname())}
	switch {
	case u.Port() != "":
		target.Port, _ = strconv.Atoi(u.Port())
	case u.Scheme == "https":
		target.Port = 443
	default:
		target.Port = 80
	}
	return target
}

// Origin returns scheme, host and port in canonical form, without a default port.
func Origin(u *url.URL) string { return targetOf(u).String() }
