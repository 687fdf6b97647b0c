package schedule_test

import (
	"go/build"
	"os"
	"path/filepath"
	"testing"
)

// TestMain lets the tests see the zones of the Go release, which are also the
// embedded ones, and not those of the machine. Their tables are the short ones
// whose bounds segmentAt has to mend.
func TestMain(m *testing.M) {
	zones := filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip")
	if _, err := os.Stat(zones); err == nil {
		_ = os.Setenv("ZONEINFO", zones)
	}
	m.Run()
}
