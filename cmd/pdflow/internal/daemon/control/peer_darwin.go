package control

import (
	"cmp"
	"net"

	"golang.org/x/sys/unix"
)

// peer returns the user id at the other end of a connection (LOCAL_PEERCRED, unix(4)).
func peer(c *net.UnixConn) (user int, known bool, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var credentials *unix.Xucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		credentials, failed = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	})
	if err != nil || failed != nil {
		return 0, false, cmp.Or(err, failed)
	}
	return int(credentials.Uid), true, nil
}
