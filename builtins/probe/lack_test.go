package probe

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// TestT10LackOfThisMachine: an error that this machine causes is no fact about the other
// side: every probe fails as unavailable.
func TestT10LackOfThisMachine(t *testing.T) {
	clock := actiontest.NewClock()
	for _, lack := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		for form, err := range map[string]error{
			"dialled":  &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", lack)},
			"wrapped":  fmt.Errorf("it failed: %w", lack),
			"resolver": &net.DNSError{Err: "dial udp 10.0.0.1:53: socket: " + lack.Error(), Name: "db", IsTemporary: true},
		} {
			for name, input := range map[string]object{
				"net.check_port": {"host": "db", "port": 5432.0}, "net.lookup": {"host": "db"}, "net.tls_expiry": {"host": "db", "port": 443.0},
			} {
				_, got := actiontest.Call(Actions(fakeNetwork{err: err}), action.Scope{Clock: clock}, name, input)
				actiontest.CheckError(t, name+" "+form, got, action.Unavailable, "this machine cannot open a connection")
			}
		}
	}
	// What the other side does is a fact, also when it uses the words of such an error.
	foreign := errors.New("x509: certificate is valid for too many open files, not db")
	for _, fact := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, foreign} {
		out, err := actiontest.Call(Actions(fakeNetwork{err: fact}), action.Scope{Clock: clock}, "net.check_port", object{"host": "db", "port": 1.0})
		if err != nil || !strings.Contains(fmt.Sprint(out), "false") {
			t.Errorf("%v: got %v, %v, want that the port is closed", fact, out, err)
		}
	}
}
