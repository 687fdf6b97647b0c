package simulator

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// send gives the client its answer, as whole and as fast as the fault lets it.
func (s *Simulator) send(ctx context.Context, writer http.ResponseWriter, answer response, fault FaultKind, delay time.Duration) {
	half := len(answer.body) / 2
	switch fault {
	case ResetBefore, ResetAfter:
		breakOff(writer)
	case TimeoutBefore, TimeoutAfter:
		s.hang(ctx)
		breakOff(writer)
	case TruncatedBody:
		writer.Header().Set("Content-Length", strconv.Itoa(max(len(answer.body), 1)))
		answer.writePart(writer, answer.body[:half])
		_ = http.NewResponseController(writer).Flush()
		panic(http.ErrAbortHandler)
	case SlowHeader:
		if s.pause(ctx, delay) != nil {
			breakOff(writer)
		}
		answer.writePart(writer, answer.body)
	case SlowBody:
		writer.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
		answer.writePart(writer, answer.body[:half])
		_ = http.NewResponseController(writer).Flush()
		if s.pause(ctx, delay) != nil {
			breakOff(writer)
		}
		_, _ = writer.Write(answer.body[half:])
	default:
		answer.writePart(writer, answer.body)
	}
}

// writePart writes the status, the headers and some of the body.
func (r response) writePart(writer http.ResponseWriter, part []byte) {
	for name, values := range r.header {
		writer.Header()[name] = values
	}
	for _, name := range r.removed {
		writer.Header()[name] = nil // net/http adds Date unless it is told not to
	}
	writer.WriteHeader(r.status)
	if len(part) > 0 {
		// A client that has gone away is none of the account's business.
		_, _ = writer.Write(part)
	}
}

// pause waits, unless the client or the simulator goes away before.
func (s *Simulator) pause(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	return s.timeline.wait(ctx, d)
}

// hang waits until the client or the simulator goes away.
func (s *Simulator) hang(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.closing.Done():
	}
}

// breakOff ends the connection without another byte. Where the connection can be
// had it is reset, as a crashed peer or a firewall does; net/http's own way of
// breaking off is the fallback, which the server understands and nobody logs.
func breakOff(writer http.ResponseWriter) {
	connection, _, err := http.NewResponseController(writer).Hijack()
	if err == nil {
		reset(connection)
	}
	panic(http.ErrAbortHandler)
}

// reset closes a connection with RST where there is one.
func reset(connection net.Conn) {
	under := connection
	if wrapped, ok := connection.(interface{ NetConn() net.Conn }); ok {
		under = wrapped.NetConn()
	}
	var err error
	if tcp, ok := under.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	// Whatever fails here, the connection is gone, which was the purpose.
	_ = errors.Join(err, under.Close())
}
