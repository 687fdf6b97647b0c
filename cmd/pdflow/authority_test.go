package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

// TestOwnAuthority: PAGERDUTY_CA_FILE names certificate authorities to trust in addition to those of the
// system. A missing file is reported.
func TestOwnAuthority(t *testing.T) {
	config, authority, err := simulator.NewTLS(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := setup.ServeSimulator("127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	environment := map[string]string{"PAGERDUTY_API_URL": s.URL, "PAGERDUTY_EVENTS_URL": s.URL, "PAGERDUTY_API_KEY": s.APIKey()}
	create := []string{"call", "pagerduty.get_user_by_email", "email=ops@example.com"}
	environment["PAGERDUTY_CA_FILE"] = file
	if ran := clitest.Run(t, environment, create...); ran.Code != 0 || !strings.Contains(ran.Stdout, "Olivia") {
		t.Errorf("got %d, %s%s, want the user", ran.Code, ran.Stdout, ran.Stderr)
	}
	environment["PAGERDUTY_CA_FILE"] = "nowhere.pem"
	if ran := clitest.Run(t, environment, create...); ran.Code != console.ExitUsage || !strings.Contains(ran.Stderr, "PAGERDUTY_CA_FILE: there is no file nowhere.pem") {
		t.Errorf("got %d, %s, want to be told of the file", ran.Code, ran.Stderr)
	}
}
