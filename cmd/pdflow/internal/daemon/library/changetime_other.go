//go:build !linux && !darwin

package library

import "io/fs"

// changeTime returns 0: the modification time is all that is known here.
func changeTime(fs.FileInfo) int { return 0 }
