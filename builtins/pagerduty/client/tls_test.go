package client

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pdflow/pdflow/builtins/wire"
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

// TestNewHTTPClient proves that a try ends when the server does not answer, and when it
// answers and does not end.
func TestNewHTTPClient(t *testing.T) {
	for name, answer := range map[string]string{"says nothing": "", "does not end": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			client := newHTTPClient(wire.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe()
				go func() { // ends when the client closes the connection
					go io.WriteString(there, answer)
					io.Copy(io.Discard, there)
				}()
				return here, nil
			}})
			got, err := client.Get("http://api.example.com/")
			if err == nil {
				_, err = io.ReadAll(got.Body)
				got.Body.Close()
			}
			if took := time.Since(start); err == nil || took > 30*time.Second {
				t.Errorf("%s: got %v after %s, want an error after at most 30s", name, err, took)
			}
		})
	}
}

// TestProxy proves that requests go through a proxy. The proxy of the environment is
// never used for loopback, so the test sets a proxy of its own.
func TestProxy(t *testing.T) {
	s := &service{answers: []answer{ok(`{"user":{"id":"P1"}}`)}}
	proxy := httptest.NewServer(s)
	defer proxy.Close()
	through, _ := url.Parse(proxy.URL)
	client := newHTTPClient(wire.Options{Proxy: func(*url.URL) (*url.URL, error) { return through, nil }})
	c, err := New(Config{APIKey: testAPIKey, APIURL: "http://127.0.0.1:1", HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UserByID(context.Background(), "P1"); err != nil || s.tries() != 1 || s.arrived[0].Path != "/users/P1" {
		t.Errorf("got %v after %d requests, want one through the proxy", err, s.tries())
	}
}
