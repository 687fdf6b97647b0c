package fault

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
)

// Send sends an answer as completely and as fast as the fault of Answer allows. It panics
// with http.ErrAbortHandler when the connection breaks.
func (i *Injector) Send(ctx context.Context, writer http.ResponseWriter, answer api.Response, f Fault) {
	half, delay := len(answer.Body)/2, time.Duration(f.Delay)
	switch f.Do {
	case ResetBefore, ResetAfter:
		breakOff(writer)
	case TimeoutBefore, TimeoutAfter:
		select {
		case <-ctx.Done():
		case <-i.config.Closing.Done():
		}
		breakOff(writer)
	case TruncatedBody:
		writer.Header().Set("Content-Length", strconv.Itoa(max(len(answer.Body), 1)))
		answer.Write(writer, answer.Body[:half])
		_ = http.NewResponseController(writer).Flush()
		panic(http.ErrAbortHandler)
	case SlowHeader:
		if i.pause(ctx, delay) != nil {
			breakOff(writer)
		}
		answer.Write(writer, answer.Body)
	case SlowBody:
		writer.Header().Set("Content-Length", strconv.Itoa(len(answer.Body)))
		answer.Write(writer, answer.Body[:half])
		_ = http.NewResponseController(writer).Flush()
		if i.pause(ctx, delay) != nil {
			breakOff(writer)
		}
		_, _ = writer.Write(answer.Body[half:])
	default:
		answer.Write(writer, answer.Body)
	}
}

// pause waits, unless the request or the simulator ends first.
func (i *Injector) pause(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(i.config.Closing, cancel)()
	return i.config.Timeline.Wait(ctx, d)
}

// breakOff ends the connection without sending another byte. It resets the connection,
// as a crashed peer or a firewall does. A connection that cannot be taken over is
// closed by net/http, which does not log it.
func breakOff(writer http.ResponseWriter) {
	connection, _, err := http.NewResponseController(writer).Hijack()
	if err == nil {
		reset(connection)
	}
	panic(http.ErrAbortHandler)
}

// reset closes a connection with RST if it is a TCP connection.
func reset(connection net.Conn) {
	under := connection
	if wrapped, ok := connection.(interface{ NetConn() net.Conn }); ok {
		under = wrapped.NetConn()
	}
	var err error
	if tcp, ok := under.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	// The errors do not matter: the connection is closed in every case.
	_ = errors.Join(err, under.Close())
}
