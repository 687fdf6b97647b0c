package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
	"github.com/pdflow/pdflow/engine/redact"
)

// object is short for the tables below.
type object = action.Object

// network is the module with the real network.
var network = Actions(NewTransport())

// secretText is the text of every secret in the tests. No error may contain it.
const secretText = "s3cr3t & text"

var token = action.Secret{Name: "TOKEN"}

// secretScope reveals every secret for 127.0.0.1 and none for other hosts, and
// permits every target.
func secretScope() action.Scope {
	return action.Scope{
		Clock:    actiontest.NewClock(),
		Redactor: &redact.Redactor{},
		Permit:   func(action.Target) error { return nil },
		Reveal: func(s action.Secret, to action.Destination) (string, error) {
			if to != "127.0.0.1" {
				return "", action.Errorf(action.Permission, "secret %s is not bound to %s", s.Name, to)
			}
			return secretText, nil
		},
	}
}

func answerOK(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") }

func redirectTo(url string, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Location", url)
		w.WriteHeader(status)
	}
}

func TestHTTPSendsTheInput(t *testing.T) {
	server := actiontest.NewRecorder(t, []string{"Content-Type", "X-Team", "Idempotency-Key", "User-Agent"}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Node"] = []string{"a", "b"}
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "short \xff")
	})
	got, err := actiontest.Call(network, action.Scope{}, "http.post", object{
		"url": server.URL + "/a%2Fb?z=1&a", "query": object{"q": []any{"x y", 2.0}, "b": true}, "headers": object{"x-team": "ops"},
		"json": object{"text": "<hi>", "list": []any{1.0, nil}}, "idempotency_key": "k-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := object{
		"status": 418.0, "ok": false, "body": "short \uFFFD",
		"headers": object{"x-node": "a, b", "content-length": "7", "content-type": "text/plain; charset=utf-8"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if _, err := actiontest.Call(network, action.Scope{}, "http.request", object{"url": server.URL, "method": "PATCH", "body": "hi", "headers": object{"User-Agent": "me"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := actiontest.Call(network, action.Scope{}, "http.delete", object{"url": server.URL + "/x#here"}); err != nil {
		t.Fatal(err)
	}
	server.Check(t,
		actiontest.Request{
			Line: "POST /a%2Fb?z=1&a&b=true&q=x+y&q=2", Body: `{"list":[1,null],"text":"<hi>"}`,
			Header: map[string]string{"Content-Type": "application/json", "X-Team": "ops", "Idempotency-Key": "k-1", "User-Agent": "pdflow"},
		},
		actiontest.Request{
			Line: "PATCH /", Body: "hi",
			Header: map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Team": "", "Idempotency-Key": "", "User-Agent": "me"},
		},
		actiontest.Request{
			Line: "DELETE /x", Body: "",
			Header: map[string]string{"Content-Type": "", "X-Team": "", "Idempotency-Key": "", "User-Agent": "pdflow"},
		},
	)
}

func TestHTTPFunctionsHaveTheSameInputs(t *testing.T) {
	catalog, err := action.NewCatalog(network...)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := catalog.Lookup("http.request")
	for _, name := range []string{"http.get", "http.post", "http.put", "http.delete"} {
		a, _ := catalog.Lookup(name)
		if diff := cmp.Diff(request.In.Fields[1:], a.In.Fields); diff != "" {
			t.Errorf("%s (-http.request +%s):\n%s", name, name, diff)
		}
	}
}

func TestHTTPEffects(t *testing.T) {
	for _, test := range []struct {
		action string
		input  object
		want   action.Effect
	}{
		{"http.get", object{}, action.Reads},
		{"http.post", object{}, action.Once},
		{"http.put", object{"idempotent": true}, action.Repeats},
		{"http.delete", object{"idempotency_key": "k"}, action.Repeats},
		{"http.request", object{}, action.Reads},
		{"http.request", object{"method": "HEAD"}, action.Reads},
		{"http.request", object{"method": "PATCH"}, action.Once},
		{"http.request", object{"method": "OPTIONS", "idempotent": true}, action.Repeats},
	} {
		test.input["url"] = "HTTPS://Example.COM./x"
		invocation, err := actiontest.Prepare(network, test.action, test.input)
		if err != nil {
			t.Fatal(err)
		}
		if got := invocation.Effect(); got != test.want {
			t.Errorf("%s%v: got effect %v, want %v", test.action, test.input, got, test.want)
		}
		targets, err := invocation.Targets()
		if diff := cmp.Diff([]action.Target{{Scheme: "https", Host: "example.com", Port: 443}}, targets); err != nil || diff != "" {
			t.Errorf("%s: %v, targets (-want +got):\n%s", test.action, err, diff)
		}
	}
}

func TestHTTPRefusesInput(t *testing.T) {
	with := func(name string, v any) object { return object{"url": "https://example.com", name: v} }
	for _, test := range []struct {
		input object
		says  string
	}{
		{object{"url": "ftp://example.com"}, "is not a URL such as"},
		{object{"url": "https:example.com"}, "is not a URL such as"},
		{object{"url": "https://u:hunter2@example.com/"}, "the URL has a user in it"},
		{object{"url": "https://u:hunter2@example.com:x/"}, `"…" cannot be read as a URL`},
		{object{"url": "https://exa mple.com/?q=hunter2"}, `"https://exa mple.com/" cannot be read`},
		{object{"url": "https://example.com:70000/"}, "from 1 to 65535"},
		{object{"url": "https://exämple.com/"}, "neither a host name nor an IP address"},
		{with("timeout", "6m"), "at most 5m0s"},
		{with("timeout", 0.0), "more than 0s"},
		{with("headers", object{"X-A": "a\r\nX-B: hunter2"}), `the header "X-A" has a line break`},
		{with("headers", object{"X A": "a"}), `"X A" is not the name of a header`},
		{with("headers", object{"x-a": "a", "X-A": "a"}), `the header "X-A" is given twice`},
		{with("headers", object{"host": "internal"}), `the header "Host" cannot be given`},
		{with("headers", object{"X-A": []any{}}), `the header "X-A" must be a string`},
		{with("query", object{"q": object{}}), `the query parameter "q" must be`},
		{with("auth", object{"bearer": "abcdef", "basic": object{"user": "u"}}), `either "bearer" or "basic"`},
		{with("auth", object{"baerer": "abcdef"}), `unknown input "auth.baerer"`},
		{with("auth", token), `"auth" does not take a secret`},
		{object{"url": "https://example.com", "auth": object{"bearer": token}, "headers": object{"authorization": "x"}}, `either "auth" or the header`},
		{object{"url": "https://example.com", "idempotency_key": "k", "headers": object{"idempotency-key": "x"}}, `either "idempotency_key" or the header`},
		{with("idempotency_key", "a\nb"), "line break"},
		{object{"url": "https://example.com", "json": true, "body": "x"}, `either "json" or "body"`},
		{with("body", token), "does not take a secret"},
	} {
		_, err := actiontest.Prepare(network, "http.post", test.input)
		actiontest.CheckError(t, fmt.Sprint(test.input), err, action.InvalidInput, test.says)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error quotes a private text: %v", err)
		}
	}
	_, err := actiontest.Prepare(network, "http.post", with("body", strings.Repeat("x", maxBody+1)))
	actiontest.CheckError(t, "a large body", err, action.Limit, "the body is larger than 1 MB")
}

func TestHTTPRevealsSecrets(t *testing.T) {
	server := actiontest.NewRecorder(t, []string{"X-Key", "Authorization"}, answerOK)
	scope := secretScope()
	for _, input := range []object{
		{"headers": object{"X-Key": token}, "query": object{"k": token}, "json": object{"a": []any{token}}, "auth": object{"bearer": token}},
		{"json": token, "auth": object{"basic": object{"user": "ann", "password": token}}},
	} {
		input["url"] = server.URL
		if _, err := actiontest.Call(network, scope, "http.put", input); err != nil {
			t.Fatal(err)
		}
	}
	server.Check(t,
		actiontest.Request{
			Line: "PUT /?k=s3cr3t+%26+text", Body: `{"a":["s3cr3t & text"]}`,
			Header: map[string]string{"X-Key": secretText, "Authorization": "Bearer " + secretText},
		},
		actiontest.Request{
			Line: "PUT /", Body: `"s3cr3t & text"`,
			Header: map[string]string{"X-Key": "", "Authorization": "Basic YW5uOnMzY3IzdCAmIHRleHQ="},
		},
	)
	if got := scope.Redactor.Redact("Basic YW5uOnMzY3IzdCAmIHRleHQ="); strings.Contains(got, "YW5u") {
		t.Errorf("the pair of user and password is not redacted: %q", got)
	}
}

func TestHTTPSendsNothingWithAnUnboundSecret(t *testing.T) {
	for _, input := range []object{
		{"headers": object{"X-Key": token}},
		{"query": object{"k": []any{token}}},
		{"json": object{"a": token}},
		{"auth": object{"bearer": token}},
		{"auth": object{"basic": object{"user": token}}},
	} {
		input["url"] = "https://elsewhere.example.com/"
		_, err := actiontest.Call(Actions(noTransport{t}), secretScope(), "http.post", input)
		failure := actiontest.CheckError(t, fmt.Sprint(input), err, action.Permission, "not bound to elsewhere.example.com")
		if failure.Ambiguous {
			t.Error("a request that was not made has an unknown outcome")
		}
	}
}

// noTransport fails the test when a request is sent.
type noTransport struct{ t *testing.T }

func (n noTransport) RoundTrip(q *http.Request) (*http.Response, error) {
	n.t.Errorf("%s %s was sent", q.Method, q.URL.Host)
	return nil, errors.New("refused")
}

// A transportFunc is a transport as a function.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func TestHTTPRefusesALineBreakInASecret(t *testing.T) {
	scope := secretScope()
	scope.Reveal = func(action.Secret, action.Destination) (string, error) { return "hunter2\r\nX-B: c", nil }
	for _, input := range []object{{"headers": object{"X-Key": token}}, {"auth": object{"bearer": token}}} {
		input["url"] = "https://example.com/"
		_, err := actiontest.Call(Actions(noTransport{t}), scope, "http.get", input)
		failure := actiontest.CheckError(t, fmt.Sprint(input), err, action.InvalidInput, "line break")
		if strings.Contains(failure.Message, "hunter2") {
			t.Errorf("the error quotes the secret: %v", failure)
		}
	}
}

// TestHTTPErrorsContainNoSecret checks the error of a network that quotes the whole request.
func TestHTTPErrorsContainNoSecret(t *testing.T) {
	gossip := transportFunc(func(q *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(q.Body)
		return nil, fmt.Errorf("cannot send %s %v %s", q.URL, q.Header, body)
	})
	_, err := actiontest.Call(Actions(gossip), secretScope(), "http.post", object{
		"url": "https://127.0.0.1/path?own=1", "query": object{"k": token}, "headers": object{"X-Key": token},
		"auth": object{"basic": object{"user": "ann", "password": token}}, "json": object{"a": token},
	})
	failure := actiontest.CheckError(t, "http.post", err, action.Unavailable, "POST https://127.0.0.1/path got no answer")
	if failure.Err != nil {
		t.Errorf("the error has the cause %v, which quotes secrets", failure.Err)
	}
	for _, form := range []string{secretText, "s3cr3t+%26+text", "YW5uOnMzY3IzdCAmIHRleHQ="} {
		if strings.Contains(failure.Message, form) {
			t.Errorf("the error quotes the secret as %q: %v", form, failure)
		}
	}
	if !failure.Ambiguous {
		t.Error("the request may have been sent, and its outcome counts as known")
	}
}

func TestHTTPWithoutAnAnswer(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	hangsUp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}))
	defer hangsUp.Close()
	breaksOff := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "not all")
	}))
	defer breaksOff.Close()
	for _, test := range []struct {
		action, url, says string
		ambiguous         bool
	}{
		{"http.get", closed.URL, "got no answer: connection refused", false},
		{"http.post", closed.URL, "got no answer: connection refused", false},
		{"http.get", hangsUp.URL, "got no answer", false},
		{"http.post", hangsUp.URL, "got no answer", true},
		{"http.get", breaksOff.URL, "got no answer: it broke off", false},
		{"http.post", breaksOff.URL, "got no answer: it broke off", true},
	} {
		_, err := actiontest.Call(network, action.Scope{}, test.action, object{"url": test.url, "query": object{"q": "private"}})
		failure := actiontest.CheckError(t, test.action, err, action.Unavailable, test.says)
		if failure.Ambiguous != test.ambiguous {
			t.Errorf("%s: %v: got ambiguous %v", test.action, err, failure.Ambiguous)
		}
		if strings.Contains(failure.Message, "private") {
			t.Errorf("%s: the error quotes the query: %v", test.action, err)
		}
	}
}

func TestHTTPEnds(t *testing.T) {
	scope := secretScope()
	clock := actiontest.NewClock()
	scope.Clock = clock
	waits := func(end func()) transportFunc {
		return func(q *http.Request) (*http.Response, error) {
			end()
			<-q.Context().Done()
			return nil, q.Context().Err()
		}
	}
	input := object{"url": "https://example.com/"}
	_, err := actiontest.Call(Actions(waits(clock.Fire)), scope, "http.post", input)
	if failure := actiontest.CheckError(t, "a timeout", err, action.Timeout, "POST https://example.com/ got no answer in time"); !failure.Ambiguous {
		t.Error("a write that timed out has a known outcome")
	}
	invocation, err := actiontest.Prepare(Actions(waits(func() {})), "http.post", input)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(action.WithScope(context.Background(), scope))
	cancel()
	_, err = invocation.Do(ctx, nil)
	if failure := actiontest.CheckError(t, "a cancelled call", err, action.Cancelled, ""); !failure.Ambiguous {
		t.Error("a write that was cancelled has a known outcome")
	}
}

func TestHTTPLimitsTheAnswer(t *testing.T) {
	size := maxBody
	server := actiontest.NewRecorder(t, nil, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", size)) })
	if got, err := actiontest.Call(network, action.Scope{}, "http.post", object{"url": server.URL}); err != nil || len(got["body"].(string)) != maxBody {
		t.Errorf("an answer of the largest size: %v", err)
	}
	size++
	_, err := actiontest.Call(network, action.Scope{}, "http.post", object{"url": server.URL})
	failure := actiontest.CheckError(t, "a larger answer", err, action.Limit, "larger than 1 MB")
	if failure.Status != 200 || failure.Ambiguous {
		t.Errorf("got status %d, ambiguous %v; want 200 and a known outcome", failure.Status, failure.Ambiguous)
	}
}

func TestHTTPRedirectsAreOffByDefault(t *testing.T) {
	server := actiontest.NewRecorder(t, nil, redirectTo("https://example.com/", http.StatusFound))
	got, err := actiontest.Call(network, action.Scope{}, "http.get", object{"url": server.URL})
	if err != nil || got["status"] != 302.0 || got["headers"].(object)["location"] != "https://example.com/" {
		t.Errorf("got %v, %v, want the redirect itself", got, err)
	}
}

func TestHTTPRedirectToAnotherHostLosesSecrets(t *testing.T) {
	headers := []string{"X-Key", "Authorization", "Cookie", "X-Team"}
	last := actiontest.NewRecorder(t, headers, answerOK)
	first := actiontest.NewRecorder(t, headers, func(w http.ResponseWriter, q *http.Request) {
		to := last.URL + "/last?from=first"
		if q.URL.Path == "/" {
			to = "/second"
		}
		redirectTo(to, http.StatusFound)(w, q)
	})
	input := object{
		"url": first.URL + "/?a=b", "headers": object{"X-Key": token, "Cookie": "plain", "X-Team": "ops"}, "query": object{"k": token},
		"auth": object{"bearer": token}, "follow_redirects": true, "body": "once",
	}
	got, err := actiontest.Call(network, secretScope(), "http.post", input)
	if err != nil || got["body"] != "fine" {
		t.Fatalf("got %v, %v", got, err)
	}
	all := map[string]string{"X-Key": secretText, "Authorization": "Bearer " + secretText, "Cookie": "plain", "X-Team": "ops"}
	first.Check(t,
		actiontest.Request{Line: "POST /?a=b&k=s3cr3t+%26+text", Body: "once", Header: all},
		actiontest.Request{Line: "GET /second", Header: all},
	)
	last.Check(t, actiontest.Request{
		Line:   "GET /last?from=first",
		Header: map[string]string{"X-Key": "", "Authorization": "", "Cookie": "", "X-Team": "ops"},
	})
}

func TestHTTPRedirectsAreRefused(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was reached") }))
	defer other.Close()
	var location string
	status := http.StatusTemporaryRedirect
	server := actiontest.NewRecorder(t, nil, func(w http.ResponseWriter, q *http.Request) { redirectTo(location, status)(w, q) })
	scope := secretScope()
	forbid := secretScope()
	forbid.Permit = func(target action.Target) error {
		if target.String() == server.URL {
			return nil
		}
		return action.Errorf(action.Permission, "%s is not listed", target)
	}
	for _, test := range []struct {
		name, to string
		scope    action.Scope
		input    object
		kind     action.Kind
		says     string
	}{
		{"not permitted", other.URL, forbid, object{}, action.Permission, "is not listed"},
		{"without a run", other.URL, action.Scope{}, object{}, action.Permission, "not permitted"},
		{"a secret in the body", other.URL, scope, object{"json": object{"a": token}}, action.Permission, "would get a secret"},
		{"a secret in the location", other.URL + "/?k=s3cr3t+%26+text", scope, object{"query": object{"k": token}}, action.Permission, "would get a secret"},
		{"another scheme", "file:///etc/passwd", scope, object{}, action.Unavailable, "cannot be followed"},
		{"a user in the URL", "http://u:p@127.0.0.1/", scope, object{}, action.Unavailable, "cannot be followed"},
		{"no URL", "http://[", scope, object{}, action.Unavailable, "not a URL"},
		{"a circle", "/again", scope, object{}, action.Unavailable, "more than 10 times"},
	} {
		location = test.to
		test.input["url"], test.input["follow_redirects"] = server.URL, true
		_, err := actiontest.Call(network, test.scope, "http.post", test.input)
		failure := actiontest.CheckError(t, test.name, err, test.kind, test.says)
		if failure.Status != status || !failure.Ambiguous {
			t.Errorf("%s: got status %d, ambiguous %v; want the status of the redirect and an unknown outcome", test.name, failure.Status, failure.Ambiguous)
		}
		if text := failure.Message; strings.Contains(text, "s3cr3t") {
			t.Errorf("%s: the error quotes the secret: %v", test.name, text)
		}
	}
}

func TestHTTPRedirectMethods(t *testing.T) {
	for _, test := range []struct {
		method string
		status int
		want   string
	}{
		{"POST", 301, "GET"},
		{"POST", 302, "GET"},
		{"POST", 303, "GET"},
		{"POST", 307, "POST"},
		{"POST", 308, "POST"},
		{"PUT", 302, "PUT"},
		{"DELETE", 303, "GET"},
		{"HEAD", 303, "HEAD"},
		{"GET", 302, "GET"},
	} {
		server := actiontest.NewRecorder(t, nil, func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == "/" {
				redirectTo("/next", test.status)(w, q)
			}
		})
		if _, err := actiontest.Call(network, action.Scope{}, "http.request", object{"url": server.URL, "method": test.method, "follow_redirects": true}); err != nil {
			t.Errorf("%s %d: %v", test.method, test.status, err)
			continue
		}
		server.Check(t, actiontest.Request{Line: test.method + " /", Header: map[string]string{}}, actiontest.Request{Line: test.want + " /next", Header: map[string]string{}})
	}
}

// TestHTTPRepeats checks that the author's word about the server makes a write repeatable.
func TestHTTPRepeats(t *testing.T) {
	post := func(more object) object {
		input := object{"url": "https://example.com", "body": "x"}
		maps.Copy(input, more)
		return input
	}
	actiontest.CheckRepeats(t, network, []actiontest.Repeat{
		{Action: "http.post", Input: post(nil), Effect: action.Once, Memoized: true, ResendLate: true, Known: object{}},
		{Action: "http.post", Input: post(object{"idempotent": true}), Effect: action.Repeats, Memoized: true, ResendLate: true, Known: object{}},
		{Action: "http.get", Input: object{"url": "https://example.com"}, Effect: action.Reads, ResendLate: true, Known: object{}},
	})
}
