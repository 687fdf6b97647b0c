package web

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// TestA1OneFormOfAHost: a URL has one form of scheme, host and port before anything is
// decided about it. The same form is dialled and sent.
func TestA1OneFormOfAHost(t *testing.T) {
	for text, want := range map[string]string{
		"http://vm:8099/":                  "http://vm:8099/",
		"http://vm:08099/":                 "http://vm:8099/",
		"http://vm:0000008099/":            "http://vm:8099/",
		"HTTP://VM:8099":                   "http://vm:8099",
		"http://vm.:8099/":                 "http://vm:8099/",
		"http://vm:80/":                    "http://vm/",
		"http://vm:080/":                   "http://vm/",
		"https://vm:443/x":                 "https://vm/x",
		"https://vm:00443/x":               "https://vm/x",
		"https://vm:80/x":                  "https://vm:80/x",
		"http://vm:/":                      "http://vm/",
		"http://[0:0:0:0:0:0:0:1]:08099/":  "http://[::1]:8099/",
		"http://[::FFFF:127.0.0.1]/":       "http://127.0.0.1/",
		"http://[::ffff:7f00:1]:8099/":     "http://127.0.0.1:8099/",
		"http://vm:8099/a?b#fragment":      "http://vm:8099/a?b",
		"http://vm:99999/":                 "",
		"http://vm:0/":                     "",
		"http://vm:+80/":                   "",
		"http://vm:-80/":                   "",
		"http://vm: 80/":                   "",
		"http://vm:8099:8099/":             "",
		"http://[::1/":                     "",
		"http://vm%3a8099/":                "",
		"http://v\tm/":                     "",
		"http://vm\\@other/":               "",
		"http://user@vm/":                  "",
		"ftp://vm/":                        "",
		"//vm/":                            "",
		"http:vm":                          "",
		"http://ｖｍ/":                       "",
		"http://18446744073709551616:80/x": "http://18446744073709551616/x",
	} {
		u, err := ParseURL(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: got %s, want an error", text, u)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%s: got %v, %v, want %s", text, u, err, want)
		}
	}
}

// TestA2QueriesAreEncoded: nothing in a query ends the first line of the request.
func TestA2QueriesAreEncoded(t *testing.T) {
	for text, want := range map[string]string{
		"http://vm/?a HTTP/1.0 b":   "a%20HTTP/1.0%20b",
		"http://vm/?a=ü&b=\u00a0":   "a=%C3%BC&b=%C2%A0",
		"http://vm/?a=%20&b=c+d":    "a=%20&b=c+d",
		"http://vm/?q=\"<>`{|}\\^":  "q=%22%3C%3E%60%7B%7C%7D%5C%5E",
		"http://vm/?a=1#b c":        "a=1",
		"http://vm/?":               "",
		"http://vm/?a[]=1&b=(x);~'": "a[]=1&b=(x);~'",
	} {
		u, err := ParseURL(text)
		if err != nil || u.RawQuery != want {
			t.Errorf("%s: got %v, %v, want %s", text, u, err, want)
			continue
		}
		if strings.ContainsAny(u.RequestURI(), " \r\n\t") {
			t.Errorf("%s: the line of the request would be %q", text, u.RequestURI())
		}
	}
	for _, text := range []string{"http://vm/?a\r\nX: y", "http://vm/?a\x00", "http://vm/?\x7f"} {
		if u, err := ParseURL(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, u)
		}
	}
}

// TestA1Redirects: the target of a redirect has one form before it is permitted, whatever the
// server writes. What is not permitted gets no request.
func TestA1Redirects(t *testing.T) {
	var reached atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inner.Close()
	port := strings.TrimPrefix(inner.URL, "http://127.0.0.1:")
	for _, location := range []string{
		"http://127.0.0.1:" + port, "http://127.0.0.1:0" + port, "http://127.0.0.1:000000" + port + "/x", "HTTP://127.0.0.1:0" + port,
		"//127.0.0.1:0" + port, "http://127.0.0.1.:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://[::FFFF:7f00:1]:0" + port, "http://0x7f.1:" + port,
		"http://127.1:" + port, "http://2130706433:" + port, "http://user@127.0.0.1:" + port, "http://a.example.com@127.0.0.1:0" + port, "http://127.0.0.1:+" + port,
		"http://127.0.0.1:" + port + "\\@a.example.com", " http://127.0.0.1:" + port, "http:127.0.0.1:" + port, "http:///127.0.0.1:" + port, "http://１２７.0.0.1:" + port,
	} {
		outer := httptest.NewServer(redirectTo(location, http.StatusFound))
		allowed := strings.TrimPrefix(outer.URL, "http://")
		permit := func(target action.Target) error {
			if target.Host+":"+strconv.Itoa(target.Port) == allowed {
				return nil
			}
			return action.Errorf(action.Permission, "the workflow may not reach %s", target)
		}
		got, err := actiontest.Call(network, action.Scope{Clock: actiontest.NewClock(), Permit: permit}, "http.get", object{"url": outer.URL, "follow_redirects": true})
		if kind := action.AsError(err).Kind; kind != action.Permission && kind != action.Unavailable || reached.Load() != 0 {
			t.Errorf("%q: got %v, %v after %d requests to what is not permitted, want a refusal", location, got, err, reached.Load())
		}
		outer.Close()
	}
}
