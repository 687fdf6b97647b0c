package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/reach"
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

// TestT10NoDescriptors: without file descriptors every probe fails for a lack of this machine,
// also when only the certificates that it trusts cannot be read. The next probe is right again.
// The test runs itself in a process of its own, because it takes all descriptors.
func TestT10NoDescriptors(t *testing.T) {
	const variable = "PDFLOW_TEST_ADDRESS"
	address, isChild := os.LookupEnv(variable)
	if !isChild {
		server := httptest.NewUnstartedServer(nil)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		child := exec.Command(os.Args[0], "-test.run=^TestT10NoDescriptors$")
		child.Env = append(os.Environ(), variable+"="+server.Listener.Addr().String())
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	host, portText, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(portText)
	ctx, now := context.Background(), time.Now()
	certificate := func() (string, error) {
		got, err := Internet{}.Certificate(ctx, host, port, now)
		return got.Problem, err
	}
	if err := (Internet{}).Connect(ctx, host, port); err != nil { // opens what the runtime keeps open
		t.Fatal(err)
	}
	give := takeDescriptors(t, 0)
	_, errLookup := Internet{}.LookupHost(ctx, "db.invalid")
	_, errCertificate := certificate()
	for name, err := range map[string]error{
		"check_port": Internet{}.Connect(ctx, host, port), "lookup": errLookup, "tls_expiry": errCertificate,
	} {
		if !reach.OwnFault(err) {
			t.Errorf("%s without descriptors: got %v, want a fault of this machine", name, err)
		}
	}
	give()
	give = takeDescriptors(t, 1) // for the connection, not for the certificates
	if problem, err := certificate(); !reach.OwnFault(err) {
		t.Errorf("with one descriptor: got %q, %v, want a fault of this machine", problem, err)
	}
	give()
	if problem, err := certificate(); err != nil || !strings.Contains(problem, "unknown authority") {
		t.Errorf("with descriptors again: got %q, %v, want the fact that the authority is unknown", problem, err)
	}
}

// takeDescriptors opens files until only so many descriptors are left. The function that it
// returns closes them.
func takeDescriptors(t *testing.T, left int) (give func()) {
	t.Helper()
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for {
		file, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		files = append(files, file)
	}
	for _, file := range files[:left] {
		file.Close()
	}
	return func() {
		for _, file := range files[left:] {
			file.Close()
		}
	}
}
