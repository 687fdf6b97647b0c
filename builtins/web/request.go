package web

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pdflow/pdflow/builtins/jsonvalue"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/redact"
)

// maxBody is the largest body of a request or a response in bytes: both are recorded.
const maxBody = 1 << 20

func errBodyTooLarge(what string) *action.Error {
	return action.Errorf(action.Limit, "%s is larger than 1 MB (%d bytes), the most that a run records", what, maxBody)
}

// userAgent is sent unless the author gives another.
const userAgent = "pdflow"

// An exchange is a request with its secrets revealed. It changes with every redirect. It
// belongs to one call.
type exchange struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
	// private contains the headers that must not be sent to another host.
	private     map[string]bool
	privateBody bool             // the body must not be sent to another host
	mask        *redact.Redactor // masks every text that was revealed, in errors
	secret      string           // names the secret that the URL is, in messages; empty: it is none
	writes      bool             // a repeat may do harm
	hops        int              // redirects followed so far
}

// newExchange makes the request of a checked input, with the texts of its secrets.
func (h module) newExchange(ctx context.Context, method string, in requestInput) (*exchange, error) {
	x := &exchange{method: method, header: http.Header{}, private: map[string]bool{}, mask: &redact.Redactor{}, writes: in.effect(method).Writes()}
	var err error
	if secret, hidden := in.URL.Secret(); hidden {
		x.secret = secret.String()
		x.url, err = h.secretURL(ctx, secret, x.mask)
	} else {
		x.url, err = ParseURL(in.URL.String())
	}
	if err != nil {
		return nil, err
	}
	u := x.url
	r := &revealer{ctx: ctx, to: action.Destination(targetOf(u).Host), mask: x.mask}
	for _, part := range []func(*revealer, requestInput) error{x.addQuery, x.addBody, x.addHeaders, x.addAuth} {
		if err := part(r, in); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// secretURL returns the URL that a secret is. It may go to its own host only if the secret is
// bound to the host and the workflow may reach it. No error quotes the URL.
func (h module) secretURL(ctx context.Context, secret action.Secret, mask *redact.Redactor) (*url.URL, error) {
	text, err := action.RevealSecret(ctx, secret, action.InProcess)
	if err != nil {
		return nil, err
	}
	mask.Add(text)
	u, err := ParseURL(strings.TrimSpace(text))
	scope := action.ScopeOf(ctx)
	if simulated, ok := h.transport.(interface{ Simulated() bool }); err != nil && ok && simulated.Simulated() && scope.Hosts != nil {
		u, err = madeUpURL(secret, scope.Hosts(secret))
	}
	if err != nil {
		return nil, &action.Error{
			Kind: action.InvalidInput, Message: fmt.Sprintf("the secret %s is not a URL such as https://hooks.example.com/path", secret.Name),
			Hint: "look at the variable or the file that it comes from",
		}
	}
	mask.Add(u.String())
	target := targetOf(u)
	if _, err := action.RevealSecret(ctx, secret, action.Destination(target.Host)); err != nil {
		return nil, &action.Error{
			Kind: action.Permission, Message: fmt.Sprintf("the secret %s is a URL of a host that it is not bound to", secret.Name),
			Hint: "list the host of the URL under `hosts` of the secret",
		}
	}
	if scope.Permit != nil {
		if err := scope.Permit(target); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// madeUpURL is the URL that a secret is in a simulated run in which the secret is not set or
// is another text: https://HOST/NAME, with the first host that it is bound to.
func madeUpURL(secret action.Secret, hosts []string) (*url.URL, error) {
	if len(hosts) == 0 {
		return nil, fmt.Errorf("it is bound to no host")
	}
	return ParseURL("https://" + strings.Replace(hosts[0], "*", "simulated", 1) + "/" + url.PathEscape(secret.Name))
}

func (x *exchange) addQuery(r *revealer, in requestInput) error {
	query := url.Values{}
	for _, name := range phrase.Names(in.Query) {
		for _, item := range ListOf(in.Query[name]) {
			text, err := r.scalar(item)
			if err != nil {
				return err
			}
			query.Add(name, text)
		}
	}
	if len(query) == 0 {
		return nil
	}
	// The URL's own query stays as it is written: some servers depend on its form.
	x.url.RawQuery = strings.TrimPrefix(x.url.RawQuery+"&"+query.Encode(), "&")
	return nil
}

func (x *exchange) addBody(r *revealer, in requestInput) error {
	switch {
	case in.JSON != nil:
		before := r.revealed
		value, err := r.value(in.JSON)
		if err != nil {
			return err
		}
		x.privateBody = r.revealed > before
		if x.body, err = jsonvalue.Marshal(value); err != nil {
			return action.Errorf(action.InvalidInput, `"json" cannot be written as JSON`)
		}
		x.header.Set("Content-Type", "application/json")
	case in.Body != "":
		x.body = []byte(in.Body)
		x.header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if len(x.body) > maxBody {
		return errBodyTooLarge("the body")
	}
	return nil
}

func (x *exchange) addHeaders(r *revealer, in requestInput) error {
	x.header.Set("User-Agent", userAgent)
	if in.IdempotencyKey != "" {
		x.header.Set("Idempotency-Key", in.IdempotencyKey)
	}
	for _, name := range phrase.Names(in.Headers) {
		before := r.revealed
		text, err := r.scalar(in.Headers[name])
		if err != nil {
			return err
		}
		if err := checkHeaderText(name, text); err != nil {
			return err
		}
		x.header.Set(name, text)
		if r.revealed > before || isCredentialHeader(name) {
			x.private[http.CanonicalHeaderKey(name)] = true
		}
	}
	return nil
}

// isCredentialHeader reports whether a header is private even when its value is plain
// text.
func isCredentialHeader(name string) bool {
	canonical := http.CanonicalHeaderKey(name)
	return canonical == "Authorization" || canonical == "Cookie"
}

func (x *exchange) addAuth(r *revealer, in requestInput) error {
	if in.Auth == (authInput{}) {
		return nil
	}
	value, err := r.authorization(in.Auth)
	if err != nil {
		return err
	}
	if err := checkHeaderText("Authorization", value); err != nil {
		return err
	}
	x.header.Set("Authorization", value)
	x.private["Authorization"] = true
	return nil
}

// A revealer gets the text of secrets for one host, and counts them.
type revealer struct {
	ctx      context.Context
	to       action.Destination
	mask     *redact.Redactor
	revealed int // how many so far
}

func (r *revealer) secret(s action.Secret) (string, error) {
	text, err := action.RevealSecret(r.ctx, s, r.to)
	if err != nil {
		return "", err
	}
	r.mask.Add(text)
	r.revealed++
	return text, nil
}

// scalar returns the text of a value for a header or a query parameter.
func (r *revealer) scalar(v any) (string, error) {
	if secret, ok := v.(action.Secret); ok {
		return r.secret(secret)
	}
	text, ok := ScalarText(v)
	if !ok { // the input was checked
		return "", fmt.Errorf("a %T is not a text", v)
	}
	return text, nil
}

// value returns a copy of a value with the secrets in it revealed.
func (r *revealer) value(v any) (any, error) {
	switch v := v.(type) {
	case action.Secret:
		return r.secret(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = r.value(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case action.Object:
		out := make(action.Object, len(v))
		for _, name := range phrase.Names(v) {
			var err error
			if out[name], err = r.value(v[name]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// authorization returns the value of the Authorization header.
func (r *revealer) authorization(auth authInput) (string, error) {
	if !auth.Bearer.IsZero() {
		token, err := r.credential(auth.Bearer)
		return "Bearer " + token, err
	}
	user, err := r.credential(auth.Basic.User)
	if err != nil {
		return "", err
	}
	password, err := r.credential(auth.Basic.Password)
	if err != nil {
		return "", err
	}
	if strings.Contains(user, ":") { // RFC 7617 2
		return "", action.Errorf(action.InvalidInput, `the "user" of basic authentication cannot contain a colon`)
	}
	pair := user + ":" + password
	// The base64 text of the pair contains neither half, so the pair itself is masked.
	r.mask.Add(pair)
	action.ScopeOf(r.ctx).Redactor.Add(pair)
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)), nil
}

func (r *revealer) credential(c action.Credential) (string, error) {
	text, err := c.Reveal(r.ctx, r.to)
	if err != nil {
		return "", err
	}
	r.mask.Add(text)
	r.revealed++
	return text, nil
}
