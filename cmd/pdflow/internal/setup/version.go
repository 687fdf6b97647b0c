package setup

import (
	"runtime/debug"
)

// VersionText is the version of the module, as the Go tool recorded it.
func VersionText() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
