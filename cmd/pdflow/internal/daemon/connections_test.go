package daemon

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestA19Connections: a listener has a bounded number of connections. One above it is closed
// at once, and takes no file descriptor. When one of them ends, there is room for the next.
func TestA19Connections(t *testing.T) {
	const most = 3
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = bounded(most)
	server.Start()
	defer server.Close()
	connect := func() net.Conn {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	answered := func(c net.Conn) bool {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil && answer.StatusCode == http.StatusOK
	}
	var open []net.Conn
	for range most {
		open = append(open, connect())
		if !answered(open[len(open)-1]) {
			t.Fatal("a connection within the bound got no answer")
		}
	}
	for range 10 {
		c := connect()
		if answered(c) {
			t.Error("a connection above the bound got an answer")
		}
		c.Close()
	}
	for _, c := range open[1:] {
		if !answered(c) {
			t.Error("a connection within the bound was closed")
		}
	}
	for _, c := range open {
		c.Close()
	}
	for c := connect(); !answered(c); c = connect() { // the server notices soon that they are closed
		c.Close()
	}
}
