package workflow_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
	"gopkg.in/yaml.v3"
)

// fiveSteps is a typical file: five steps, some of them scripts.
const fiveSteps = `
name: five
inputs: {email: {type: string, format: email, required: true}, name: {type: string, required: true}}
permissions: {pagerduty: [get_user_by_email, create_user, send_trigger_event]}
steps:
  - id: lookup
    uses: pagerduty.get_user_by_email
    with: {email: "${{ inputs.email }}"}
  - id: create
    if: not steps.lookup.outputs.found
    lua: |
      local reply = pagerduty.create_user{
        email = inputs.email, name = inputs.name, role = "user", from_email = "ops@example.com",
      }
      return {id = reply.user.id}
  - id: id
    lua: |
      return {id = coalesce(steps.create.outputs.id, steps.lookup.outputs.user.id)}
  - id: page
    uses: pagerduty.send_trigger_event
    with: {description: "welcome ${{ inputs.name }}", incident_key: "welcome-${{ steps.id.outputs.id }}"}
  - id: last
    lua: |
      log.info("done", {id = steps.id.outputs.id})
      return {}
outputs:
  id: ${{ steps.id.outputs.id }}
`

// BenchmarkParse reads the YAML. Its bound is what the YAML library needs alone.
func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := workflow.Parse("five.yaml", []byte(fiveSteps)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseBound decodes the same file into a generic value.
func BenchmarkParseBound(b *testing.B) {
	for b.Loop() {
		var v any
		if err := yaml.NewDecoder(bytes.NewReader([]byte(fiveSteps))).Decode(&v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile checks a whole file: YAML, expressions, scripts, names, calls.
func BenchmarkCompile(b *testing.B) {
	l := newLanguage(b)
	for b.Loop() {
		if _, err := l.compile("five.yaml", fiveSteps); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompileSteps checks chains of steps. Ten times the steps take ten times as
// long.
func BenchmarkCompileSteps(b *testing.B) {
	l := newLanguage(b)
	for _, n := range []int{200, 2000} {
		source := graphOf(n, graphs["chain"])
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := l.compile("steps.yaml", source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCompileBound decodes the file and compiles its scripts and expressions,
// without any check of names and calls.
func BenchmarkCompileBound(b *testing.B) {
	type file struct {
		Steps []struct {
			Lua  string
			If   string
			With map[string]string
		}
	}
	compile := func(source string) {
		chunk, err := parse.Parse(strings.NewReader(source), "bound")
		if err == nil {
			_, err = glua.Compile(chunk, "bound")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		var f file
		if err := yaml.Unmarshal([]byte(fiveSteps), &f); err != nil {
			b.Fatal(err)
		}
		for _, s := range f.Steps {
			compile(s.Lua)
			if s.If != "" {
				compile("return " + s.If)
			}
			for _, text := range s.With {
				if _, rest, ok := strings.Cut(text, "${{"); ok {
					expression, _, _ := strings.Cut(rest, "}}")
					compile("return " + expression)
				}
			}
		}
	}
}
