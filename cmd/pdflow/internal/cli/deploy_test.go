package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

// TestDeployedCommands: the commands that docs/deploy starts exist with all their flags.
func TestDeployedCommands(t *testing.T) {
	for name, arguments := range map[string][]string{
		"pdflow.service": unitArguments(t, deployed(t, "pdflow.service")),
		"Dockerfile":     imageArguments(t, deployed(t, "Dockerfile")),
	} {
		t.Run(name, func(t *testing.T) {
			command, rest, err := rootCommand(setup.Standard(), arguments).Find(arguments)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := command.CommandPath(), "pdflow serve"; got != want {
				t.Errorf("%q: got the command %q, want %q", arguments, got, want)
			}
			if err := command.ParseFlags(rest); err != nil {
				t.Errorf("%q: %v", arguments, err)
			}
		})
	}
}

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../../docs/deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unitArguments returns the arguments of ExecStart.
func unitArguments(t *testing.T, unit string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^ExecStart=\S+ (.+)$`).FindStringSubmatch(unit)
	if line == nil {
		t.Fatal("the unit has no ExecStart with arguments")
	}
	return strings.Fields(line[1])
}

// imageArguments returns the arguments of CMD.
func imageArguments(t *testing.T, dockerfile string) (arguments []string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^CMD (\[.+\])$`).FindStringSubmatch(dockerfile)
	if line == nil {
		t.Fatal("the Dockerfile has no CMD in brackets")
	}
	if err := json.Unmarshal([]byte(line[1]), &arguments); err != nil {
		t.Fatalf("CMD %s: %v", line[1], err)
	}
	return arguments
}
