package world

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/builtins/probe"
	"github.com/pdflow/pdflow/builtins/web"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func inWorld(t *testing.T, o object) []*action.Action {
	t.Helper()
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(web.Actions(w.Transport()), probe.Actions(w.Network()))
}

func TestWorldAnswersHTTP(t *testing.T) {
	c := inWorld(t, object{"http": object{
		"GET https://api.example.com/health": []any{
			object{"status": 503.0},
			object{"headers": object{"x-node": []any{"a", "b"}}, "body": "fine"},
		},
		"GET https://api.example.com/find?b=2&a=x%20y": object{"json": object{"n": 1.0}},
		"GET https://api.example.com/find":             object{"status": 404.0},
		"POST https://Hooks.example.com:443":           object{"error": "connection refused"},
		"PUT https://hooks.example.com/":               object{"error": "timeout"},
		"HEAD http://hooks.example.com:8080/x":         object{"body": "unseen"},
	}})
	answer := func(status float64, ok bool, headers object, body string) object {
		return object{"status": status, "ok": ok, "headers": headers, "body": body}
	}
	fine := answer(200, true, object{"x-node": "a, b"}, "fine")
	actiontest.Run(t, c, action.Scope{}, []actiontest.Row{
		{Action: "http.get", Input: object{"url": "https://api.example.com/health"}, Want: answer(503, false, object{}, "")},
		{Action: "http.get", Input: object{"url": "https://api.example.com/health"}, Want: fine},
		{Action: "http.get", Input: object{"url": "https://API.example.com:443/health?x=1"}, Want: fine},
		{Action: "http.get", Input: object{"url": "https://api.example.com/find?a=x+y&b=2"}, Want: answer(200, true, object{"content-type": "application/json"}, `{"n":1}`)},
		{Action: "http.get", Input: object{"url": "https://api.example.com/find?a=other"}, Want: answer(404, false, object{}, "")},
		{Action: "http.request", Input: object{"url": "http://hooks.example.com:8080/x", "method": "HEAD"}, Want: answer(200, true, object{}, "")},
	})
	_, err := actiontest.Call(c, action.Scope{}, "http.post", object{"url": "https://hooks.example.com"})
	if failure := actiontest.CheckError(t, "refused", err, action.Unavailable, "connection refused"); failure.Ambiguous {
		t.Error("a request that could not connect may have been acted on")
	}
	_, err = actiontest.Call(c, action.Scope{}, "http.put", object{"url": "https://hooks.example.com"})
	if failure := actiontest.CheckError(t, "timed out", err, action.Timeout, "no answer in time"); !failure.Ambiguous {
		t.Error("a request that timed out was surely not acted on")
	}
}

func TestWorldRefusesWhatItDoesNotKnow(t *testing.T) {
	c := inWorld(t, nil)
	scope := action.Scope{
		Clock:  actiontest.NewClock(),
		Permit: func(action.Target) error { return nil },
		Reveal: func(action.Secret, action.Destination) (string, error) { return "s3cr3t & text", nil },
	}
	for _, test := range []struct {
		action     string
		input      object
		says, hint string
	}{
		{
			"http.post",
			object{"url": "https://127.0.0.1/x?own=1", "query": object{"k": action.Secret{Name: "TOKEN"}}},
			"the world has no answer for POST https://127.0.0.1/x", `http: {"POST https://127.0.0.1/x": {status: 200}}`,
		},
		{"net.check_port", object{"host": "DB", "port": 5432.0}, "no answer for net.check_port db:5432", `net: {"db:5432": open}`},
		{"net.check_port", object{"host": "::1", "port": 1.0}, "no answer for net.check_port [::1]:1", `net: {"[::1]:1": open}`},
		{"net.lookup", object{"host": "db"}, "no answer for net.lookup db", `net: {"db": ["10.0.0.1"]}`},
		{"net.tls_expiry", object{"host": "db"}, "no answer for net.tls_expiry db:443", `net: {"db:443": {not_after: 2027-01-31T00:00:00Z}}`},
	} {
		_, err := actiontest.Call(c, scope, test.action, test.input)
		failure := actiontest.CheckError(t, test.action, err, action.Permission, test.says)
		if want := "add to the world file: " + test.hint; failure.Hint != want {
			t.Errorf("%s: got hint %q, want %q", test.action, failure.Hint, want)
		}
		if failure.Ambiguous || strings.Contains(failure.Message+failure.Hint, "s3cr3t") {
			t.Errorf("%s: got %+v", test.action, failure)
		}
	}
	open := inWorld(t, object{"net": object{"db:443": "open"}})
	_, err := actiontest.Call(open, scope, "net.tls_expiry", object{"host": "db"})
	actiontest.CheckError(t, "a port without a certificate", err, action.Permission, "not_after")
}

func TestWorldAnswersNet(t *testing.T) {
	c := inWorld(t, object{"net": object{
		"db.example.com:5432":   []any{"closed", "open"},
		"slow.example.com:22":   "timeout",
		"far.example.com:22":    object{"open": false, "reason": "unreachable"},
		"shut.example.com:22":   object{"open": false},
		"www.example.com:443":   []any{object{"not_after": "2026-02-10T09:00:00Z"}, object{"not_after": "2026-01-01T00:00:00Z"}, "closed"},
		"self.example.com:443":  object{"not_after": "2027-01-31T09:00:00Z", "reason": "self-signed"},
		"db.example.com":        []any{"10.0.0.2", "10.0.0.1"},
		"new.example.com":       []any{"not found", []any{"fd00::1"}},
		"missing.example.com":   "not found",
		"plain.example.com:443": object{"open": true},
	}})
	port := func(host string, port float64) object { return object{"host": host, "port": port} }
	fact := func(open bool, reason string) object { return object{"open": open, "reason": reason, "ms": 0.0} }
	tls := func(valid bool, expires string, days float64, reason string) object {
		return object{"valid": valid, "expires_at": expires, "days_left": days, "reason": reason}
	}
	actiontest.Run(t, c, action.Scope{Clock: actiontest.NewClock()}, []actiontest.Row{
		{Action: "net.check_port", Input: port("db.example.com", 5432), Want: fact(false, "connection refused")},
		{Action: "net.check_port", Input: port("DB.example.com.", 5432), Want: fact(true, "")},
		{Action: "net.check_port", Input: port("db.example.com", 5432), Want: fact(true, "")},
		{Action: "net.check_port", Input: port("slow.example.com", 22), Want: fact(false, "timeout")},
		{Action: "net.check_port", Input: port("far.example.com", 22), Want: fact(false, "unreachable")},
		{Action: "net.check_port", Input: port("shut.example.com", 22), Want: fact(false, "connection refused")},
		{Action: "net.check_port", Input: port("plain.example.com", 443), Want: fact(true, "")},
		{Action: "net.tls_expiry", Input: object{"host": "www.example.com"}, Want: tls(true, "2026-02-10T09:00:00Z", 10, "")},
		{Action: "net.tls_expiry", Input: object{"host": "www.example.com"}, Want: tls(false, "2026-01-01T00:00:00Z", -31, "expired")},
		{Action: "net.tls_expiry", Input: object{"host": "www.example.com"}, Want: tls(false, "", 0, "connection refused")},
		{Action: "net.tls_expiry", Input: object{"host": "self.example.com"}, Want: tls(false, "2027-01-31T09:00:00Z", 365, "self-signed")},
		{Action: "net.check_port", Input: port("self.example.com", 443), Want: fact(true, "")},
		{Action: "net.lookup", Input: object{"host": "db.example.com"}, Want: object{"found": true, "addresses": []any{"10.0.0.1", "10.0.0.2"}, "reason": ""}},
		{Action: "net.lookup", Input: object{"host": "new.example.com"}, Want: object{"found": false, "addresses": []any{}, "reason": "host not found"}},
		{Action: "net.lookup", Input: object{"host": "new.example.com"}, Want: object{"found": true, "addresses": []any{"fd00::1"}, "reason": ""}},
		{Action: "net.lookup", Input: object{"host": "missing.example.com"}, Want: object{"found": false, "addresses": []any{}, "reason": "host not found"}},
	})
}

func TestWorldListsEveryMistake(t *testing.T) {
	_, err := New(object{
		"htpp": object{},
		"http": object{
			"FETCH https://a/":    object{},
			"get https://a/":      object{},
			"GET /health":         object{},
			"GET https://a":       object{"stauts": 200.0, "status": 99.5},
			"GET https://a/":      object{},
			"GET https://b/":      []any{},
			"GET https://c/":      []any{object{"body": 1.0, "headers": "x"}, "down"},
			"GET https://d/":      object{"body": "x", "json": true},
			"GET https://e/":      object{"error": "timeout", "status": 200.0},
			"GET https://f/?k=ok": object{"headers": object{"a b": "c"}},
		},
		"net": object{
			"a:http":    "open",
			"a b":       []any{"10.0.0.1"},
			"a:1":       "opne",
			"a:2":       object{"reason": "x"},
			"a:3":       object{"not_after": "soon"},
			"a:4":       object{"not_after": "2027-01-31T00:00:00Z", "open": false},
			"a:5":       5.0,
			"A:5":       "open",
			"a":         "10.0.0.1",
			"b":         "not found",
			"d":         []any{"nowhere"},
			"B":         "not found",
			"c:1":       []any{object{"raeson": "x", "open": true}},
			"localhost": []any{},
		},
	})
	problems, ok := err.(action.Problems)
	if !ok {
		t.Fatalf("got %v, want problems", err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, strings.TrimSuffix(p.Message+" | "+p.Hint, " | "))
	}
	want := []string{
		`htpp: unknown field "htpp" of the world | did you mean "http"?`,
		`http["FETCH https://a/"]: the key must be a method and a URL, such as "GET https://api.example.com/health" | did you mean "PATCH"?`,
		`http["GET /health"]: "/health" is not a URL such as https://example.com/path`,
		`http["GET https://a"].stauts: unknown field "stauts" of an http answer | did you mean "status"?`,
		`http["GET https://a"].status: must be a whole number from 200 to 599`,
		`http["GET https://a/"]: the request is listed twice`,
		`http["GET https://b/"]: the list of answers is empty`,
		`http["GET https://c/"][1].headers: must be an object`,
		`http["GET https://c/"][1].body: must be text`,
		`http["GET https://c/"][2]: must be an object | write {status: 200} or {error: connection refused}`,
		`http["GET https://d/"]: an answer has either body or json`,
		`http["GET https://e/"]: an answer with an error has nothing else`,
		`http["GET https://f/?k=ok"].headers.a b: must be text, or a list of texts`,
		`http["get https://a/"]: the key must be a method and a URL, such as "GET https://api.example.com/health" | did you mean "GET"?`,
		`net["a"]: must be a list of addresses, or "not found"`,
		`net["a b"]: is not a host name | write "db.example.com:5432" for a port, "db.example.com" for a look-up`,
		`net["a:1"]: "opne" is not open, closed or timeout | did you mean "open"?`,
		`net["a:2"]: must have open: true or false, or not_after: TIME`,
		`net["a:3"].not_after: "soon" is not a time such as 2027-01-31T00:00:00Z`,
		`net["a:4"]: a port that is closed shows no certificate`,
		`net["a:5"]: the port is listed twice`,
		`net["a:http"]: is not a host and a port | write "db.example.com:5432" for a port, "db.example.com" for a look-up`,
		`net["b"]: the name is listed twice`,
		`net["c:1"][1].raeson: unknown field "raeson" of the answer of a port | did you mean "reason"?`,
		`net["d"]: nowhere is not an IP address`,
		`net["localhost"]: must be a list of addresses, or "not found"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	_, err = New(object{"http": []any{}, "net": 1.0})
	if err == nil || !strings.Contains(err.Error(), "http: must be an object; net: must be an object") {
		t.Errorf("got %v", err)
	}
}

func TestWorldIsSafeForConcurrentUse(t *testing.T) {
	w, err := New(object{"net": object{"a:1": []any{"open", "open", "open", "closed"}}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := 0
	for range 20 {
		wg.Go(func() {
			if w.Network().Connect(context.Background(), "a", 1) == nil {
				mu.Lock()
				defer mu.Unlock()
				open++
			}
		})
	}
	wg.Wait()
	if open != 3 {
		t.Errorf("got %d open answers, want each of the 3 once", open)
	}
}
