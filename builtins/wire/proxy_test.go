package wire_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/wire"
)

// TestA27Proxies: a variable of a proxy that cannot be read is an error, which names the
// variable and does not show its value.
func TestA27Proxies(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"HTTP_PROXY", "http://us%er:hunter2@proxy:3128", "is not a URL"},
		{"HTTP_PROXY", "http://proxy%zz:3128", "is not a URL"},
		{"http_proxy", "http://%", "is not a URL"},
		{"HTTPS_PROXY", "http://proxy:hunter2", "is not a URL"},
		{"https_proxy", "http://proxy:99999", "from 1 to 65535"},
		{"HTTPS_PROXY", "proxy:", "from 1 to 65535"},
		{"HTTPS_PROXY", "http:proxy:3128", "is not a URL"},
		{"HTTPS_PROXY", "http://", "names no host"},
		{"HTTPS_PROXY", ":3128", "names no host"},
		{"HTTP_PROXY", "ftp://proxy", "has the scheme"},
		{"HTTP_PROXY", "socks4://proxy", "has the scheme"},
		{"HTTP_PROXY", "http://pro xy:3128", "is not a URL"},
		{"HTTP_PROXY", " http://proxy:3128", "is not a URL"},
		{"HTTP_PROXY", "http://[::1:3128", "is not a URL"},
		{"HTTP_PROXY", "http://a|b", "is not a URL"},
		{"HTTP_PROXY", `http://a"b`, "no host has"},
	} {
		err := wire.CheckProxy(func(name string) string {
			if name == test.name {
				return test.value
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), test.name+" ") || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s=%s: got %v, want %q without the value", test.name, test.value, err, test.want)
		}
	}
	for _, value := range []string{
		"", "proxy", "proxy:3128", "http://proxy:3128", "https://proxy.example.com", "socks5://127.0.0.1:1080", "socks5h://[::1]:1080", "http://user:p%40ss@proxy:3128/",
	} {
		if err := wire.CheckProxy(variables{"HTTPS_PROXY": value}.get); err != nil {
			t.Errorf("HTTPS_PROXY=%s: got %v, want none", value, err)
		}
	}
	for value, want := range map[string]string{
		"": "", "*": "", "localhost,127.0.0.1,::1,[::1]:80,.example.com,*.example.com,10.0.0.0/8,fd00::/8,a.example.com:443, b ,": "",
		"10.0.0.0/33": "is not a network", "http://a": "is not a network", "a/b": "is not a network", "a b": "no host has", "a%b": "no host has", ":80": "names no host", "a:99999": "from 1 to 65535",
	} {
		err := wire.CheckProxy(variables{"HTTP_PROXY": "proxy", "no_proxy": value}.get)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "no_proxy has an entry that ") || want != "" && !strings.Contains(err.Error(), want)) {
			t.Errorf("no_proxy=%s: got %v, want %q", value, err, want)
		}
		if err := wire.CheckProxy(variables{"no_proxy": value}.get); err != nil {
			t.Errorf("no_proxy=%s without a proxy: got %v, want none", value, err)
		}
	}
}

type variables map[string]string

func (v variables) get(name string) string { return v[name] }

// TestA27NothingIsSent: a request whose proxy cannot be found goes nowhere.
func TestA27NothingIsSent(t *testing.T) {
	s := serve(t, ok)
	bad := errors.New("the variable HTTP_PROXY is not a URL")
	network := wire.New(wire.Options{Proxy: func(*url.URL) (*url.URL, error) { return nil, bad }})
	for _, method := range []string{"GET", "POST"} {
		r, _ := http.NewRequest(method, s.url, strings.NewReader("body"))
		_, err := network.RoundTrip(r)
		var early *wire.NotSentError
		if !errors.Is(err, bad) || !errors.As(err, &early) || s.requests != 0 {
			t.Errorf("%s: got %v after %d requests, want that it was not sent", method, err, s.requests)
		}
	}
}

// FuzzCheckProxy: no value makes the check fail, and none is shown.
func FuzzCheckProxy(f *testing.F) {
	f.Add("http://user:hunter2@proxy%zz")
	f.Add("[::1]:a")
	f.Fuzz(func(t *testing.T, value string) {
		err := wire.CheckProxy(variables{"HTTP_PROXY": value, "NO_PROXY": value}.get)
		if err != nil && len(value) > 30 && strings.Contains(err.Error(), value) {
			t.Errorf("%q is shown: %v", value, err)
		}
	})
}
