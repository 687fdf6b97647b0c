package wire

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
)

// variables are the names of the variables of the environment that name a proxy. net/http
// prefers the upper case.
var variables = [][2]string{{"HTTP_PROXY", "http_proxy"}, {"HTTPS_PROXY", "https_proxy"}}

// environment returns the proxy of the environment, as [http.ProxyFromEnvironment] does.
// That function leaves out what it cannot read, so that a request would go around the proxy.
func environment(u *url.URL) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if ip, local := netip.ParseAddr(u.Hostname()); local == nil && ip.IsLoopback() || u.Hostname() == "localhost" {
		return proxy, err // net/http uses no proxy for this machine
	}
	if err := checked(); err != nil {
		return nil, err
	}
	return proxy, err
}

// checked checks the environment once, as net/http reads it once.
var checked = sync.OnceValue(func() error { return CheckProxy(os.Getenv) })

// CheckProxy returns an error if a variable that names a proxy, or an entry of NO_PROXY,
// cannot be read. The error does not show the value, which may have a password.
func CheckProxy(getenv func(string) string) error {
	proxied := false
	for _, names := range variables {
		name, value := first(getenv, names)
		proxied = proxied || value != ""
		if why := badProxy(value); why != "" {
			return fmt.Errorf("the variable %s %s; write it as http://proxy.example.com:3128, or unset it", name, why)
		}
	}
	if !proxied {
		return nil
	}
	name, value := first(getenv, [2]string{"NO_PROXY", "no_proxy"})
	for entry := range strings.SplitSeq(value, ",") {
		if why := badException(strings.ToLower(strings.TrimSpace(entry))); why != "" {
			return fmt.Errorf("the variable %s has an entry that %s; write names, addresses and networks, such as .example.com,10.0.0.0/8, with commas between them", name, why)
		}
	}
	return nil
}

// first returns the variable that net/http uses: the first that is set.
func first(getenv func(string) string, names [2]string) (name, value string) {
	for _, name = range names {
		if value = getenv(name); value != "" {
			return name, value
		}
	}
	return names[0], ""
}

// badProxy returns what is wrong with the URL of a proxy. net/http takes a value without a
// scheme for one with http://.
func badProxy(value string) string {
	if value == "" {
		return ""
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil {
		return "is not a URL"
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return "has the scheme " + strconv.Quote(u.Scheme) + ", and pdflow uses proxies with http, https and socks5"
	}
	if why := badHost(u.Hostname()); why != "" {
		return why
	}
	return badPort(u.Port(), strings.HasSuffix(u.Host, ":"))
}

func badHost(host string) string {
	if host == "" {
		return "names no host"
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	for _, r := range host {
		if r <= ' ' || strings.ContainsRune(`"%/\<>^{|}:`+"`", r) || r == 0x7f {
			return "has a character in its host that no host has"
		}
	}
	return ""
}

func badPort(port string, empty bool) string {
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) || empty {
		return "has a port that is not from 1 to 65535"
	}
	return ""
}

// badException returns what is wrong with an entry of NO_PROXY. net/http leaves out an entry
// that it cannot read, so that the request would go to the proxy.
func badException(entry string) string {
	if entry == "" || entry == "*" {
		return ""
	}
	if strings.Contains(entry, "/") {
		if _, err := netip.ParsePrefix(entry); err != nil {
			return "is not a network"
		}
		return ""
	}
	host, port, err := net.SplitHostPort(entry)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"), ""
	}
	if why := badHost(strings.TrimPrefix(strings.TrimPrefix(host, "*"), ".")); why != "" {
		return why
	}
	return badPort(port, false)
}
