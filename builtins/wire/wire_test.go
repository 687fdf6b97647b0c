package wire_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

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
			for _, body := range []string{"", "body"} {
				t.Run(method+" "+header+" "+body, func(t *testing.T) {
					s := serve(t, ok)
					transport := wire.Once(&http.Transport{})
					get, _ := http.NewRequest("GET", s.url, nil)
					answer, err := transport.RoundTrip(get) // leaves an idle connection
					if err != nil {
						t.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
					r, err := http.NewRequest(method, s.url, strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					if header != "" {
						r.Header.Set(header, "k")
					}
					answer, err = transport.RoundTrip(r)
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
				r, err := http.NewRequestWithContext(context.Background(), method, s.url, strings.NewReader(""))
				if err != nil {
					t.Fatal(err)
				}
				transport := wire.Once(&http.Transport{})
				if _, err := transport.RoundTrip(r); !errors.Is(err, wire.ErrSwitched) {
					t.Errorf("got %v, want %v", err, wire.ErrSwitched)
				}
				s.open.Wait() // ends when the client has closed the connection
			})
		}
	}
}
