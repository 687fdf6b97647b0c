package daemon_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/redact"
)

func TestMain(m *testing.M) {
	daemon.SetCommandLine(func(to io.Writer, args ...string) int {
		c := console.New(strings.NewReader(""), to, to, &redact.Redactor{})
		return cli.Main(&setup.Environment{Console: c, Getenv: os.Getenv}, args)
	})
	os.Exit(m.Run())
}
