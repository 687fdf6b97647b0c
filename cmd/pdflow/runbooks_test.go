package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/workflows"
)

// TestShippedRunbooks runs the tests of the runbooks that come with pdflow: each has
// some, and they pass.
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
		if isWorkflowFile(name) && !strings.HasSuffix(name, ".world.yaml") && !slices.Contains(names, testOf(name)) {
			t.Errorf("%s has no tests: write %s", name, testOf(name))
		}
	}
	ran := runProgram(t, nil, "test", filepath.Join(root, "workflows"))
	if ran.code != exitDone {
		t.Errorf("got exit code %d\n%s", ran.code, ran.screen)
	}
}
