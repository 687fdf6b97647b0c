package control

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// SocketName is the socket's name in the data folder.
const SocketName = "pdflow.sock"

// maxPath returns the longest name of a socket: sun_path of sockaddr_un has 108 bytes on
// Linux, and 104 on macOS and others. Both include a zero byte at the end.
func maxPath() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// stageName is the start of the name of the folder in which a socket is made. os.MkdirTemp
// adds a number.
const stageName = ".control-"

// stageLength is how much longer the name of a new socket can be than its final name.
const stageLength = len(stageName) + len("4294967295/s") - len(SocketName)

// Listen makes the socket of a data folder. The caller must hold the scheduler's lock of
// the folder: a socket that exists then belongs to a daemon that died, and is replaced.
// Closing the listener removes the socket. Close it before you release the lock.
func Listen(folder string, log *slog.Logger) (net.Listener, error) {
	name := filepath.Join(folder, SocketName)
	if length, most := len(name)+stageLength, maxPath(); length > most {
		return nil, fmt.Errorf("the path of the data folder %s is %d characters too long for a socket in it: choose a shorter --data-dir", folder, length-most)
	}
	if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("%s exists and is not a socket of a daemon: move it away", name)
	}
	// Folders of daemons that died while they made their socket.
	left, _ := filepath.Glob(filepath.Join(folder, stageName+"*"))
	for _, old := range left {
		_ = os.RemoveAll(old)
	}
	listener, err := stage(folder, name)
	if err != nil {
		return nil, fmt.Errorf("the control socket %s cannot be made: %w; use a data folder on a local disk", name, err)
	}
	return &ownersOnly{listener, name, log}, nil
}

// stage makes the socket in a folder that only its owner can enter, sets its mode, and
// renames it. So no other user can find it before its mode is set, and the rename replaces
// an old socket in the same step.
func stage(folder, name string) (*net.UnixListener, error) {
	private, err := os.MkdirTemp(folder, stageName) // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	first := filepath.Join(private, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it will have another name
	if err = os.Chmod(first, 0o600); err == nil {
		err = os.Rename(first, name)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// ownersOnly is a listener for the daemon's user and for root only.
type ownersOnly struct {
	*net.UnixListener
	name string
	log  *slog.Logger
}

// Accept returns the next connection of a user who has access.
func (l *ownersOnly) Accept() (net.Conn, error) {
	for {
		connection, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		user, known, err := peer(connection)
		if err == nil && (!known || user == 0 || user == os.Geteuid()) {
			return connection, nil
		}
		l.log.Warn("the control socket refuses another user", "uid", user, "error", err)
		_ = connection.Close()
	}
}

// Close closes the listener and removes the socket. The socket cannot be one of the next
// daemon yet, because that daemon waits for the lock.
func (l *ownersOnly) Close() error {
	err := l.UnixListener.Close()
	if gone := os.Remove(l.name); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
