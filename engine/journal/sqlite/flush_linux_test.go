package sqlite

import (
	"os"
	"syscall"
)

// flush makes what was written to a file durable, as SQLite does.
func flush(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
