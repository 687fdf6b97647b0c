package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runbooktest"
	"github.com/pdflow/pdflow/workflows"
)

// TestShippedRunbooks: each runbook that is shipped with pdflow has tests, and they pass.
func TestShippedRunbooks(t *testing.T) {
	entries, err := workflows.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	for _, name := range names {
		if runbooktest.IsWorkflowFile(name) && !strings.HasSuffix(name, ".world.yaml") && !slices.Contains(names, runbooktest.TestOf(name)) {
			t.Errorf("%s has no tests: write %s", name, runbooktest.TestOf(name))
		}
	}
	ran := clitest.Run(t, nil, "test", filepath.Join(root, "workflows"))
	if ran.Code != console.ExitDone {
		t.Errorf("got exit code %d\n%s", ran.Code, ran.Screen)
	}
}
