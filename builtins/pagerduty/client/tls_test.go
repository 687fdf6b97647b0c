package client

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestTLS proves that a certificate is always verified, and that a given authority is
// trusted for its own names only.
func TestTLS(t *testing.T) {
	s := &service{answers: []answer{ok(`{"user":{"id":"P1"}}`)}}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs every refused handshake
	server.StartTLS()
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	for _, test := range []struct {
		name, url    string
		certificates []byte
		want         string // a part of the error; empty: none
	}{
		{"only the system's authorities", server.URL, nil, "certificate signed by unknown authority"},
		{"the server's authority", server.URL, certificate, ""},
		{"another name", "https://localhost:" + port, certificate, "not localhost"},
	} {
		c, err := New(Config{
			APIKey: testAPIKey, APIURL: test.url, CACertificates: test.certificates, RetryBudget: time.Nanosecond,
			Jitter: func() float64 { return 1 },
		})
		if err != nil {
			t.Fatal(err)
		}
		before := s.tries()
		_, err = c.UserByID(context.Background(), "P1")
		var f *Error
		switch {
		case test.want == "" && (err != nil || s.tries() != before+1):
			t.Errorf("%s: got %v after %d requests, want none after one", test.name, err, s.tries()-before)
		case test.want != "" && (!errors.As(err, &f) || !strings.Contains(err.Error(), test.want) || f.Sent || s.tries() != before):
			t.Errorf("%s: got %v after %d requests, want %q after none", test.name, err, s.tries()-before, test.want)
		}
	}
}

func TestCACertificates(t *testing.T) {
	for _, test := range []struct {
		name   string
		config Config
		want   string
	}{
		{"not PEM", Config{CACertificates: []byte("abc")}, "contain no certificate"},
		{"empty", Config{CACertificates: []byte{}}, "contain no certificate"},
		{"own client", Config{CACertificates: []byte("abc"), HTTPClient: &http.Client{}}, "give either"},
	} {
		if _, err := New(test.config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

// TestNewHTTPClient proves that every phase of a try has a timeout, that TLS is verified,
// and that the proxy of the environment is used.
func TestNewHTTPClient(t *testing.T) {
	transport := newTransport(nil)
	client := newHTTPClient(transport)
	if client.Timeout == 0 || transport.TLSHandshakeTimeout == 0 || transport.ResponseHeaderTimeout == 0 || transport.DialContext == nil {
		t.Errorf("got %+v and %+v, want bounds for all of a try, TLS, headers and dialling", client, transport)
	}
	if transport.TLSClientConfig.InsecureSkipVerify {
		t.Error("certificates are not verified")
	}
	// net/http reads the environment once in a process, so the test cannot change it.
	if got, want := reflect.ValueOf(transport.Proxy).Pointer(), reflect.ValueOf(http.ProxyFromEnvironment).Pointer(); got != want {
		t.Error("the proxy is not taken from the environment")
	}
}

// TestProxy proves that requests go through a proxy. The proxy of the environment is
// never used for loopback, so the test sets a proxy of its own.
func TestProxy(t *testing.T) {
	s := &service{answers: []answer{ok(`{"user":{"id":"P1"}}`)}}
	proxy := httptest.NewServer(s)
	defer proxy.Close()
	through, _ := url.Parse(proxy.URL)
	transport := newTransport(nil)
	transport.Proxy = http.ProxyURL(through)
	client := newHTTPClient(transport)
	c, err := New(Config{APIKey: testAPIKey, APIURL: "http://127.0.0.1:1", HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UserByID(context.Background(), "P1"); err != nil || s.tries() != 1 || s.arrived[0].Path != "/users/P1" {
		t.Errorf("got %v after %d requests, want one through the proxy", err, s.tries())
	}
}
