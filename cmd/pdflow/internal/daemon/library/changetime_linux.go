package library

import (
	"io/fs"
	"syscall"
)

// changeTime returns when a file or its attributes changed, as the system counts it. A program cannot
// set it, unlike the modification time.
func changeTime(info fs.FileInfo) syscall.Timespec {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ctim
	}
	return syscall.Timespec{}
}
