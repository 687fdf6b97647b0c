package workflow_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/workflow"
)

// restorable is a workflow that uses everything that a plan can have, including Lua
// files.
const restorable = `
inputs: {hosts: {type: list}}
concurrency: {group: "${{ inputs.hosts[1] }}", policy: queue}
steps:
  - {id: script, lua_file: scripts/s.lua}
  - {id: each, needs: [], for_each: "${{ inputs.hosts }}", retry: 3, uses: text.trim, with: {text: "${{ item }}"}}
  - id: both
    needs: [script, each]
    lua: |
      return require("shared")(steps.each.outputs)
on_failure: [{uses: log.info, with: {message: "${{ failure.message }}"}}]
outputs: {both: "${{ steps.both.outputs }}"}
`

func restorableFiles() fstest.MapFS {
	return fstest.MapFS{
		"scripts/s.lua":  {Data: []byte(`return require("shared")(inputs.hosts)`)},
		"lib/shared.lua": {Data: []byte(`return function(list) return {count = #list, before = previous.outputs.both} end`)},
	}
}

// A shape is the part of a plan that can be compared. Programs cannot.
type shape struct {
	Steps   []workflow.PlanStep
	Calls   []workflow.PlannedCall
	Hashes  []string
	Group   bool
	Modules int
}

func shapeOf(p *workflow.Plan) shape {
	s := shape{Calls: p.Calls(), Group: p.Group != nil, Modules: len(p.Modules)}
	for _, step := range p.Steps {
		step.Action, step.Script, step.If, step.With, step.ForEach = nil, nil, nil, nil, nil
		s.Steps = append(s.Steps, step)
	}
	for _, source := range p.Sources {
		s.Hashes = append(s.Hashes, source.Name+" "+source.Hash())
	}
	return s
}

// TestRestore proves that the sources of a plan make the same plan again, without
// the folder that they came from.
func TestRestore(t *testing.T) {
	l := newLanguage(t)
	parsed, err := workflow.Parse("dir/w.yaml", []byte(restorable))
	if err != nil {
		t.Fatal(err)
	}
	parsed.Files = restorableFiles()
	plan, err := workflow.Compile(parsed, l.catalog, l.interpreter)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := workflow.Restore(plan.Sources)
	if err != nil {
		t.Fatal(err)
	}
	again, err := workflow.Compile(restored, l.catalog, l.interpreter)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shapeOf(plan), shapeOf(again)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if len(plan.Sources) != 3 || !plan.ReadsPrevious || !again.ReadsPrevious {
		t.Errorf("got %d sources, previous %v and %v", len(plan.Sources), plan.ReadsPrevious, again.ReadsPrevious)
	}
}

// TestRestoreWithout proves which problem is reported when sources are missing.
func TestRestoreWithout(t *testing.T) {
	if _, err := workflow.Restore(nil); err == nil {
		t.Error("got no error without sources")
	}
	restored, err := workflow.Restore([]workflow.Source{{Name: "w.yaml", Text: []byte(restorable)}})
	if err != nil {
		t.Fatal(err)
	}
	l := newLanguage(t)
	_, err = workflow.Compile(restored, l.catalog, l.interpreter)
	want := "w.yaml:5:28: lua_file: there is no file scripts/s.lua"
	if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestRestoredFiles proves that sources pass the tests for file systems.
func TestRestoredFiles(t *testing.T) {
	restored, err := workflow.Restore([]workflow.Source{
		{Name: "w.yaml", Text: []byte("steps: [uses: uuid.new]")}, {Name: "a.lua", Text: []byte("return 1")}, {Name: "lib/b.lua", Text: nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(restored.Files, "a.lua")
	if err != nil || string(text) != "return 1" {
		t.Errorf("got %q, %v", text, err)
	}
	info, err := fs.Stat(restored.Files, "lib/b.lua")
	if err != nil || info.Name() != "b.lua" || info.Size() != 0 || !info.Mode().IsRegular() || info.IsDir() {
		t.Errorf("got %v, %v", info, err)
	}
	if _, err := restored.Files.Open("w.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that the workflow is no file of its folder", err)
	}
}
