package schedule_test

import (
	"go/build"
	"os"
	"path/filepath"
	"testing"
)

// TestMain makes the tests use the zones of the Go release, which are the embedded
// zones, and not the zones of the machine. Their tables are short, and segmentAt has
// to correct their bounds.
func TestMain(m *testing.M) {
	zones := filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip")
	if _, err := os.Stat(zones); err == nil {
		_ = os.Setenv("ZONEINFO", zones)
	}
	m.Run()
}
