package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/clitest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/workflow"
)

var update = flag.Bool("update", false, "write docs/actions.md and the transcripts of the README anew")

const root = "../.."

// referencePage returns docs/actions.md: every action as it is declared.
func referencePage(t *testing.T) string {
	t.Helper()
	target, err := setup.Offline()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Actions\n\nWhat steps can call. This page is made from the declarations; `make generate` writes it.\n")
	module := ""
	for _, a := range target.Catalog.All() {
		if a.Module() != module {
			module = a.Module()
			b.WriteString("\n## " + module + "\n")
		}
		b.WriteString("\n" + a.Markdown())
	}
	return b.String()
}

// TestReference: docs/actions.md matches the declarations. With -update it is written anew.
func TestReference(t *testing.T) {
	file, page := filepath.Join(root, "docs/actions.md"), referencePage(t)
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, string(got)); diff != "" {
		t.Errorf("docs/actions.md is out of date; run `make generate` (-want +got):\n%s", diff)
	}
}

// A codeBlock is a fenced block of a page.
type codeBlock struct {
	page, language, text string
	line                 int
}

var fence = regexp.MustCompile("(?m)^ *```([a-z]*)\n((?s:.*?))^ *```")

func codeBlocks(t *testing.T, pages ...string) []codeBlock {
	t.Helper()
	var blocks []codeBlock
	for _, page := range pages {
		source, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fence.FindAllStringSubmatchIndex(string(source), -1) {
			blocks = append(blocks, codeBlock{
				page: page, language: string(source[m[2]:m[3]]), text: string(source[m[4]:m[5]]),
				line: 1 + strings.Count(string(source[:m[4]]), "\n"),
			})
		}
	}
	return blocks
}

var pages = []string{"README.md", "docs/language.md", "docs/durability.md", "docs/operations.md", "docs/connections.md", "docs/serve.md", "docs/testing.md"}

// TestWorkflowsInDocs: every workflow in the documentation passes `pdflow check`, and every piece of Lua does
// as the script of a step.
func TestWorkflowsInDocs(t *testing.T) {
	target, err := setup.Offline()
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range codeBlocks(t, pages...) {
		source := block.text
		switch {
		case block.language == "lua":
			source = "steps:\n  - id: doc\n    lua: |\n      " + strings.ReplaceAll(strings.TrimSpace(block.text), "\n", "\n      ") + "\n"
		case strings.HasPrefix(block.text, "# pdflow.yaml"):
			if _, err := setup.ParseConfiguration(block.page, []byte(block.text)); err != nil {
				t.Errorf("%s:%d: the configuration has problems:\n%v", block.page, block.line, err)
			}
			continue
		case block.language != "yaml" || !strings.Contains(block.text, "steps:"):
			continue
		}
		parsed, _ := workflow.Parse(block.page, []byte(source))
		if _, err := workflow.Compile(parsed, target.Catalog, target.Interpreter); err != nil {
			t.Errorf("%s:%d: the block does not check:\n%v", block.page, block.line, err)
		}
	}
}

// changing are the parts of an output that differ from run to run.
var changing = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`(<1|\d+) ms`), "1 ms"},
	{regexp.MustCompile(`\d+\.\d s\b`), "1 ms"},
	{regexp.MustCompile(`\b01[0-9A-Z]{24}\b`), "01M838X2C49BQ51PYP0AY6GBY9"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (just now|1 second ago) +`), "2026-03-29 09:00:00  just now  "},
	{regexp.MustCompile(`\(\d+\.\d+ ?s\)`), "(0.1 s)"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:8080"},
	{regexp.MustCompile(`STARTED +TOOK`), "STARTED                        TOOK"},
}

// TestTranscripts: every console block shows what its commands print, both streams in order.
func TestTranscripts(t *testing.T) {
	t.Chdir(root) // the commands run in the root folder
	for _, page := range pages {
		source, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := transcribe(t, string(source))
		if *update {
			if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(text, string(source)); diff != "" {
			t.Errorf("%s does not show what is printed; run this test with -update (-want +got):\n%s", page, diff)
		}
	}
}

var (
	consoleBlock = regexp.MustCompile("(?m)^( *)```console\n((?s:.*?))^ *```")
	command      = regexp.MustCompile(`(?m)^ *\$ pdflow (.*)$`)
	// copied is a block that shows a file of another test.
	copied = regexp.MustCompile("(?m)^<!-- (\\S+) -->\n```text\n((?s:.*?))^```")
)

// transcribe returns the page with the output of each command below the command, and with the files that it
// shows. The commands of a page share a journal.
func transcribe(t *testing.T, page string) string {
	t.Helper()
	environment := map[string]string{"XDG_STATE_HOME": t.TempDir()}
	page = consoleBlock.ReplaceAllStringFunc(page, func(block string) string {
		m := consoleBlock.FindStringSubmatch(block)
		indent, output := m[1], ""
		for _, found := range command.FindAllStringSubmatch(m[2], -1) {
			ran := clitest.Run(t, environment, strings.Fields(found[1])...)
			output += "$ pdflow " + found[1] + "\n" + strings.TrimRight(ran.Screen, "\n") + "\n"
		}
		for _, c := range changing {
			output = c.pattern.ReplaceAllString(output, c.text)
		}
		lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
		return indent + "```console\n" + indent + strings.Join(lines, "\n"+indent) + "\n" + indent + "```"
	})
	return copied.ReplaceAllStringFunc(page, func(block string) string {
		name := copied.FindStringSubmatch(block)[1]
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return "<!-- " + name + " -->\n```text\n" + string(text) + "```"
	})
}

// TestExampleInReadme: the Go code of the README is in the tested example.
func TestExampleInReadme(t *testing.T) {
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range codeBlocks(t, "README.md") {
		if block.language != "go" {
			continue
		}
		for line := range strings.Lines(block.text) {
			if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed != "// ..." && !strings.Contains(string(example), trimmed) {
				t.Errorf("README.md:%d: the example has no line %q", block.line, trimmed)
			}
		}
	}
}
