package control

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAsAnotherUser is the part of TestAnotherUserIsRefused that runs as another user.
func TestAsAnotherUser(t *testing.T) {
	name := os.Getenv("PDFLOW_TEST_SOCKET")
	if name == "" {
		t.Skip("TestAnotherUserIsRefused runs this")
	}
	connection, err := net.Dial("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := connection.Read(make([]byte, 1)); err == nil {
		t.Fatalf("got %d bytes, want a closed connection", n)
	}
}

// TestAnotherUserIsRefused proves that the listener refuses another user. The mode of the
// socket would do that already, so the test first permits everything.
func TestAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	folder, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	var log bytes.Buffer
	listener, err := Listen(folder, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, SocketName)
	for file, mode := range map[string]os.FileMode{folder: 0o755, name: 0o666} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		if connection, err := listener.Accept(); err == nil {
			connection.Close()
			t.Error("the connection of another user was accepted")
		}
	}()
	// Another user cannot enter the folder of the test binary, so the test makes a copy.
	program := filepath.Join(folder, "test")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	other := exec.Command(program, "-test.run", "^TestAsAnotherUser$")
	other.Dir, other.Env = "/", []string{"PDFLOW_TEST_SOCKET=" + name}
	other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if text, err := other.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
	listener.Close()
	<-accepted
	if want := "refuses another user"; !strings.Contains(log.String(), want) {
		t.Errorf("got log %q, want %q in it", &log, want)
	}
}
