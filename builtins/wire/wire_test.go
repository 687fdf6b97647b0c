package wire_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pdflow/pdflow/builtins/wire"
)

// A server answers each request on a connection with the next of its answers, and closes
// the connection when it has none left. It counts requests and open connections.
type server struct {
	url      string
	mu       sync.Mutex
	requests int
	open     sync.WaitGroup
}

func serve(t *testing.T, answers ...string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{url: "http://" + listener.Addr().String()}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			s.open.Go(func() { s.converse(c, answers) })
		}
	}()
	return s
}

func (s *server) converse(c net.Conn, answers []string) {
	defer c.Close()
	in := bufio.NewReader(c)
	for i := 0; ; i++ {
		r, err := http.ReadRequest(in)
		if err != nil {
			return // the client closed the connection
		}
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		s.requests++
		s.mu.Unlock()
		if i == len(answers) {
			return // it acted on the request, and says nothing
		}
		_, _ = io.WriteString(c, answers[i])
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// TestA26WritesAreSentOnce: net/http does not repeat a write by itself, whatever its method,
// body and headers are, when the server acts on it and closes a connection that was used
// before.
func TestA26WritesAreSentOnce(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "LINK"} {
		for _, header := range []string{"", "Idempotency-Key", "idempotency-KEY", "X-Idempotency-Key"} {
			for body, r := range writes(method) {
				t.Run(method+" "+header+" "+body, func(t *testing.T) {
					s := serve(t, ok)
					network := wire.New(wire.Options{})
					get(t, network, s.url) // leaves an idle connection
					r.URL, _ = url.Parse(s.url)
					if header != "" {
						r.Header.Set(header, "k")
					}
					answer, err := network.RoundTrip(r)
					if err == nil {
						answer.Body.Close()
					}
					s.mu.Lock()
					defer s.mu.Unlock()
					if s.requests != 2 {
						t.Errorf("the server got the write %d times, want once (%v)", s.requests-1, err)
					}
				})
			}
		}
	}
}

// writes are requests of one method, by the form of their body.
func writes(method string) map[string]*http.Request {
	requests := map[string]*http.Request{}
	for form, body := range map[string]io.Reader{
		"no body": nil, "empty body": http.NoBody, "body that can be read again": strings.NewReader("body"), "body that is read once": io.MultiReader(strings.NewReader("body")),
	} {
		requests[form], _ = http.NewRequest(method, "", body)
	}
	return requests
}

func get(t *testing.T, network http.RoundTripper, url string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := network.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

// TestA26WritesAreSentOnceOverHTTP2: the same with a server that speaks HTTP/2, and that acts
// on a write and then says, or only seems to say, that it did not.
func TestA26WritesAreSentOnceOverHTTP2(t *testing.T) {
	for name, refuse := range map[string]func(stream uint32) []byte{
		"refused stream": func(stream uint32) []byte { return frame(rstStream, stream, 7) },
		"protocol error": func(stream uint32) []byte { return frame(rstStream, stream, 1) },
		"goes away":      func(uint32) []byte { return frame(goAway, 0, 0, 0) }, // the last stream it has seen is 0
	} {
		for _, method := range []string{"POST", "DELETE"} {
			for body, r := range writes(method) {
				t.Run(name+" "+method+" "+body, func(t *testing.T) {
					s := serveHTTP2(t, refuse)
					r.URL, _ = url.Parse(s.url)
					answer, err := wire.New(wire.Options{Certificates: s.certificates}).RoundTrip(r)
					if err == nil {
						answer.Body.Close()
					}
					if n := s.requests.Load(); n != 1 {
						t.Errorf("the server got the write %d times, want once (%v)", n, err)
					}
				})
			}
		}
	}
}

// A serverHTTP2 counts the requests that it gets, over HTTP/2 and over HTTP/1. It refuses them
// over HTTP/2, and answers them over HTTP/1.
type serverHTTP2 struct {
	url          string
	certificates []*x509.Certificate
	requests     atomic.Int32
}

// Types of frames (RFC 9113 6).
const headers, rstStream, settings, goAway = 1, 3, 4, 7

// frame returns a frame of HTTP/2 whose payload is numbers.
func frame(kind byte, stream uint32, numbers ...uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4*len(numbers))<<8|uint32(kind))
	b = binary.BigEndian.AppendUint32(append(b, 0), stream)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func serveHTTP2(t *testing.T, refuse func(stream uint32) []byte) *serverHTTP2 {
	t.Helper()
	s := &serverHTTP2{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.requests.Add(1) }))
	server.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) {
		_, _ = io.ReadFull(c, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
		_, _ = c.Write(frame(settings, 0))
		for head := make([]byte, 9); ; {
			if _, err := io.ReadFull(c, head); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head)>>8))
			if head[3] == headers {
				if s.requests.Add(1) > 9 {
					return // it is asked for ever
				}
				_, _ = c.Write(refuse(binary.BigEndian.Uint32(head[5:])))
			}
		}
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url, s.certificates = server.URL, []*x509.Certificate{server.Certificate()}
	return s
}

// TestReadsKeepConnections: a read uses the connection of the read before, over HTTP/1 and
// HTTP/2. It is the control of the tests above and below.
func TestReadsKeepConnections(t *testing.T) {
	for _, over2 := range []bool{false, true} {
		var from sync.Map
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from.Store(r.RemoteAddr+r.Proto, true) }))
		server.EnableHTTP2 = over2
		server.StartTLS()
		network := wire.New(wire.Options{Certificates: []*x509.Certificate{server.Certificate()}})
		for range 3 {
			get(t, network, server.URL)
		}
		var connections []string
		from.Range(func(key, _ any) bool { connections = append(connections, key.(string)); return true })
		if len(connections) != 1 || strings.HasSuffix(connections[0], "HTTP/2.0") != over2 {
			t.Errorf("got the connections %v, want one over HTTP/2: %v", connections, over2)
		}
		network.CloseIdleConnections()
		server.Close()
	}
}

// TestA5ConnectionsAreNotShared: a connection to an address that needs a permission of its own
// is never used by a second request, which may not have that permission.
func TestA5ConnectionsAreNotShared(t *testing.T) {
	refused := errors.New("refused")
	for _, form := range []string{"HTTP/1", "TLS", "HTTP/2"} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.EnableHTTP2 = form == "HTTP/2"
		if form == "HTTP/1" {
			server.Start()
		} else {
			server.StartTLS()
		}
		type listed struct{}
		network := wire.New(wire.Options{Check: func(ctx context.Context, _ netip.AddrPort) (bool, error) {
			if ctx.Value(listed{}) == nil {
				return false, refused
			}
			return true, nil
		}, Certificates: []*x509.Certificate{server.Certificate()}})
		for _, method := range []string{"GET", "HEAD", "POST"} {
			for name, body := range map[string]string{"without body": "", "with body": "body"} {
				r, _ := http.NewRequest(method, server.URL, strings.NewReader(body))
				answer, err := network.RoundTrip(r.WithContext(context.WithValue(r.Context(), listed{}, true)))
				if err != nil {
					t.Fatalf("%s: %s %s of workflow a: got %v, want an answer", form, method, name, err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				r, _ = http.NewRequest(method, server.URL, strings.NewReader(body))
				if _, err := network.RoundTrip(r); !errors.Is(err, refused) {
					t.Errorf("%s: %s %s of workflow b: got %v, want a refusal", form, method, name, err)
				}
			}
		}
		server.Close()
	}
}

// TestA21HostileAnswers: whatever a server answers, its request ends with the context of the
// call, and then nothing of it is left: no goroutine, no open connection. The test ends only
// when all goroutines of its bubble have ended.
func TestA21HostileAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	zip := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		w.Close()
		return b.String()
	}
	for name, answer := range map[string]struct {
		text, then string        // then is sent again and again
		every      time.Duration // a server that never rests would stop the clock of the bubble
	}{
		"nothing":                    {},
		"half a status":              {text: "HTTP/1.1 2"},
		"no end of the headers":      {text: head, then: "X-A: b\r\n"},
		"a slow header":              {text: head + "X-A: ", then: "b", every: time.Second},
		"1xx for ever":               {then: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"},
		"slow 1xx":                   {then: "HTTP/1.1 102 Processing\r\n\r\n", every: time.Second},
		"100 Continue, then nothing": {text: "HTTP/1.1 100 Continue\r\n\r\n"},
		"101 and silence":            {text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"},
		"101 and bytes":              {text: "HTTP/1.1 101 Switching Protocols\r\n\r\n", then: "x"},
		"a body that never begins":   {text: head + "Content-Length: 5\r\n\r\n"},
		"a body without end":         {text: head + "\r\n", then: "x"},
		"a slow body":                {text: head + "Content-Length: 5000\r\n\r\n", then: "x", every: time.Second},
		"chunks without end":         {text: head + "Transfer-Encoding: chunked\r\n\r\n", then: "1\r\nx\r\n"},
		"a chunk without end":        {text: head + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", then: "x", every: time.Second},
		"the size of a chunk":        {text: head + "Transfer-Encoding: chunked\r\n\r\n", then: "0", every: time.Millisecond},
		"trailers without end":       {text: head + "Transfer-Encoding: chunked\r\n\r\n0\r\n", then: "X-A: b\r\n", every: time.Millisecond},
		"a cut gzip":                 {text: head + "Content-Encoding: gzip\r\n\r\n" + zip("hello")[:12]},
		"gzip headers without end":   {text: head + "Content-Encoding: gzip\r\n\r\n", then: zip(""), every: time.Millisecond},
		"two answers":                {text: head + "Content-Length: 0\r\n\r\n" + head + "Content-Length: 0\r\n\r\n", then: "HTTP/1.1 500 X\r\n\r\n", every: time.Second},
		"a body after 204":           {text: "HTTP/1.1 204 No Content\r\n\r\n", then: "x", every: time.Second},
		"not HTTP":                   {then: "SSH-2.0-OpenSSH_9.9\r\n"},
		"closed at once":             {text: "close"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
			t.Run(name+" "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var server sync.WaitGroup // ends when the client has closed all connections
					network := wire.New(wire.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
						here, there := net.Pipe()
						server.Go(func() { _, _ = io.Copy(io.Discard, there) })
						server.Go(func() {
							if answer.text == "close" {
								there.Close()
								return
							}
							_, err := io.WriteString(there, answer.text)
							for err == nil && answer.then != "" {
								time.Sleep(answer.every)
								_, err = io.WriteString(there, answer.then)
							}
						})
						return here, nil
					}})
					const timeout = 5 * time.Second
					start := time.Now()
					ctx, stop := context.WithTimeout(t.Context(), timeout)
					defer stop()
					r, _ := http.NewRequestWithContext(ctx, method, "http://shop.example.com/", strings.NewReader(""))
					if got, err := network.RoundTrip(r); err == nil {
						_, _ = io.Copy(io.Discard, io.LimitReader(got.Body, 16<<10))
						got.Body.Close()
					}
					if took := time.Since(start); took > timeout {
						t.Errorf("the call took %s, longer than its timeout", took)
					}
					stop()
					network.CloseIdleConnections() // those that ended well are kept for the next request
					server.Wait()
				})
			})
		}
	}
}

// TestA21Switched: an answer that gives away the connection is an error at once, and its
// connection is closed.
func TestA21Switched(t *testing.T) {
	for name, answer := range map[string]string{
		"plain":      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"websocket":  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"with text":  "HTTP/1.1 101 OK\r\nContent-Length: 5\r\n\r\nhello",
		"after hint": "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 X\r\n\r\n",
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			t.Run(name+" "+method, func(t *testing.T) {
				s := serve(t, answer)
				r, err := http.NewRequest(method, s.url, strings.NewReader(""))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := wire.New(wire.Options{}).RoundTrip(r); !errors.Is(err, wire.ErrSwitched) {
					t.Errorf("got %v, want %v", err, wire.ErrSwitched)
				}
				s.open.Wait() // ends when the client has closed the connection
			})
		}
	}
}
