package workflow_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// FuzzParse proves that no file makes the parser, the checks or the compiler panic,
// and that every problem has a place.
func FuzzParse(f *testing.F) {
	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{})...)
	if err != nil {
		f.Fatal(err)
	}
	interpreter := lua.New(catalog)
	for _, pattern := range []string{"../../workflows/*.yaml", "testdata/diagnostics/*.yaml"} {
		seeds, _ := filepath.Glob(pattern)
		if len(seeds) == 0 {
			f.Fatalf("no file is called %s", pattern)
		}
		for _, seed := range seeds {
			text, _ := os.ReadFile(seed)
			f.Add(text)
		}
	}
	f.Add([]byte(restorable))
	for _, keys := range graphs {
		f.Add([]byte(graphOf(20, keys)))
	}
	files := fstest.MapFS{"a.lua": {Data: []byte(`return require("m")`)}, "lib/m.lua": {Data: []byte("return steps.first")}}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = source.ReadData("fuzz.yaml", text)
		parsed, parseErr := workflow.Parse("fuzz.yaml", text)
		parsed.Files = files
		_, err := workflow.Compile(parsed, catalog, interpreter)
		if parseErr != nil && err == nil {
			t.Fatal("Compile lost what Parse found")
		}
		if err == nil {
			return
		}
		for _, d := range err.(source.Problems) {
			if d.Line < 1 || d.Column < 1 || d.Message == "" {
				t.Errorf("got %+v", d)
			}
		}
	})
}
