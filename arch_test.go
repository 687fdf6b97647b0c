// Package arch holds the test of the project's structure and no code.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pdflow/pdflow"

// allowed are the imports of each package beside the standard library: ours by
// folder, others by path. Arrows point down; a package that is not listed may
// not exist.
var allowed = map[string][]string{
	".":                         {},
	"engine/clock":              {},
	"engine/phrase":             {},
	"engine/action":             {"engine/clock", "engine/phrase"},
	"builtins/codes":            {"engine/action"},
	"builtins/jsonvalue":        {"engine/action"},
	"builtins/logging":          {"builtins/jsonvalue", "engine/action"},
	"builtins/pagerduty/client": {},
	"builtins/pagerduty":        {"builtins/pagerduty/client", "engine/action"},
	"builtins/reach":            {"engine/action"},
	"builtins/probe":            {"builtins/reach", "engine/action"},
	"builtins/text":             {"engine/action"},
	"builtins/times":            {"engine/action"},
	"builtins/validate":         {"engine/action"},
	"builtins/web":              {"builtins/jsonvalue", "builtins/reach", "engine/action"},
	"builtins": {
		"builtins/codes", "builtins/jsonvalue", "builtins/logging", "builtins/pagerduty", "builtins/pagerduty/client", "builtins/probe", "builtins/text",
		"builtins/times", "builtins/validate", "builtins/web", "engine/action",
	},
	"builtins/pagerduty/simulator/seeded":     {},
	"builtins/pagerduty/simulator/strictjson": {},
	"builtins/pagerduty/simulator/account":    {"builtins/pagerduty/simulator/seeded", "builtins/pagerduty/simulator/strictjson"},
	"builtins/pagerduty/simulator/timeline":   {},
	"builtins/pagerduty/simulator/webhook":    {"builtins/pagerduty/simulator/seeded", "builtins/pagerduty/simulator/timeline"},
	"builtins/pagerduty/simulator/api":        {"builtins/pagerduty/simulator/account", "builtins/pagerduty/simulator/seeded", "builtins/pagerduty/simulator/webhook"},
	"builtins/pagerduty/simulator/fault": {
		"builtins/pagerduty/simulator/account", "builtins/pagerduty/simulator/api", "builtins/pagerduty/simulator/seeded",
		"builtins/pagerduty/simulator/strictjson", "builtins/pagerduty/simulator/timeline",
	},
	"builtins/pagerduty/simulator/control": {
		"builtins/pagerduty/simulator/account", "builtins/pagerduty/simulator/api", "builtins/pagerduty/simulator/fault",
		"builtins/pagerduty/simulator/strictjson", "builtins/pagerduty/simulator/webhook",
	},
	"builtins/pagerduty/simulator": {
		"builtins/pagerduty/simulator/account", "builtins/pagerduty/simulator/api", "builtins/pagerduty/simulator/control",
		"builtins/pagerduty/simulator/fault", "builtins/pagerduty/simulator/timeline", "builtins/pagerduty/simulator/webhook",
	},
	"builtins/world":                       {"builtins/jsonvalue", "builtins/probe", "builtins/reach", "builtins/web", "engine/action"},
	"engine/source":                        {"engine/phrase", "gopkg.in/yaml.v3"},
	"engine/permission":                    {"engine/action", "engine/phrase", "engine/source"},
	"engine/schedule":                      {"engine/phrase", "github.com/robfig/cron/v3"},
	"engine/workflow":                      {"engine/action", "engine/permission", "engine/phrase", "engine/schedule", "engine/source"},
	"cmd/pdflow/internal/console":          {"engine/action", "engine/workflow", "github.com/mattn/go-runewidth", "golang.org/x/term"},
	"engine/run":                           {"engine/action", "engine/workflow"},
	"cmd/pdflow/internal/daemon/alert":     {"engine/action", "engine/run", "engine/workflow"},
	"cmd/pdflow/internal/daemon/control":   {"golang.org/x/sys/unix"},
	"cmd/pdflow/internal/daemon/health":    {},
	"cmd/pdflow/internal/daemon/heartbeat": {"engine/action"},
	"cmd/pdflow/internal/daemon/library":   {"engine/action", "engine/workflow", "github.com/fsnotify/fsnotify"},
	"cmd/pdflow/internal/daemon/systemd":   {"engine/action", "github.com/coreos/go-systemd/v22/daemon"},
	"engine/attempt":                       {"engine/action", "engine/clock", "engine/run", "engine/workflow"},
	"engine/journal":                       {"engine/action", "engine/run", "engine/workflow"},
	"cmd/pdflow/internal/runview": {
		"builtins/pagerduty/simulator", "builtins/pagerduty/simulator/account", "builtins/pagerduty/simulator/api", "cmd/pdflow/internal/console",
		"engine/action", "engine/attempt", "engine/journal", "engine/run", "engine/workflow",
	},
	"engine":                {"engine/action", "engine/attempt", "engine/clock", "engine/journal", "engine/run", "engine/workflow"},
	"engine/journal/sqlite": {"engine/journal", "engine/run", "engine/workflow", "github.com/gofrs/flock", "modernc.org/sqlite", "modernc.org/sqlite/lib"},
	"engine/lua/limits":     {"engine/action", "engine/workflow", "github.com/yuin/gopher-lua"},
	"engine/lua/number":     {},
	"engine/lua/pattern":    {},
	"engine/lua/stdlib":     {"engine/action", "engine/lua/limits", "engine/lua/number", "engine/lua/pattern", "github.com/yuin/gopher-lua"},
	"engine/lua/rewrite":    {"engine/lua/number", "github.com/yuin/gopher-lua/ast"},
	"engine/lua/syntax": {
		"engine/action", "engine/lua/rewrite", "engine/workflow", "github.com/yuin/gopher-lua", "github.com/yuin/gopher-lua/ast",
		"github.com/yuin/gopher-lua/parse",
	},
	"engine/lua": {
		"engine/action", "engine/attempt", "engine/lua/limits", "engine/lua/stdlib", "engine/lua/syntax", "engine/run", "engine/workflow",
		"github.com/yuin/gopher-lua",
	},
	"cmd/pdflow/internal/setup": {
		"builtins", "builtins/pagerduty/client", "builtins/pagerduty/simulator", "builtins/pagerduty/simulator/account",
		"builtins/pagerduty/simulator/fault", "builtins/pagerduty/simulator/strictjson", "builtins/world", "cmd/pdflow/internal/console", "engine",
		"engine/action", "engine/attempt", "engine/journal", "engine/journal/sqlite", "engine/lua", "engine/permission", "engine/phrase", "engine/run",
		"engine/source", "engine/workflow", "github.com/spf13/cobra", "github.com/spf13/pflag",
	},
	"engine/scheduler": {"engine/action", "engine/clock", "engine/journal", "engine/run", "engine/schedule", "engine/workflow"},
	"engine/telemetry": {
		"engine/run", "github.com/prometheus/client_golang/prometheus", "github.com/prometheus/client_golang/prometheus/collectors",
		"github.com/prometheus/client_golang/prometheus/promhttp",
	},
	"cmd/pdflow/internal/daemon": {
		"builtins/pagerduty/client", "cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon/alert", "cmd/pdflow/internal/daemon/control",
		"cmd/pdflow/internal/daemon/health", "cmd/pdflow/internal/daemon/heartbeat", "cmd/pdflow/internal/daemon/library",
		"cmd/pdflow/internal/daemon/systemd", "cmd/pdflow/internal/runview", "cmd/pdflow/internal/setup", "engine", "engine/action", "engine/clock",
		"engine/journal", "engine/run", "engine/scheduler", "engine/telemetry", "engine/workflow", "github.com/gofrs/flock", "github.com/oklog/run",
	},
	"cmd/pdflow/internal/cli/runs": {
		"cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon", "cmd/pdflow/internal/daemon/control", "cmd/pdflow/internal/runview",
		"cmd/pdflow/internal/setup", "engine", "engine/action", "engine/attempt", "engine/journal", "engine/run", "engine/workflow",
		"github.com/spf13/cobra", "golang.org/x/term",
	},
	"cmd/pdflow/internal/cli/schedule": {
		"cmd/pdflow/internal/cli/runs", "cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon", "cmd/pdflow/internal/daemon/control",
		"cmd/pdflow/internal/setup", "engine/action", "engine/journal", "engine/workflow", "github.com/spf13/cobra",
	},
	"cmd/pdflow/internal/runbooktest": {
		"builtins", "builtins/pagerduty/client", "builtins/pagerduty/simulator", "builtins/pagerduty/simulator/account",
		"builtins/pagerduty/simulator/fault", "builtins/world", "cmd/pdflow/internal/console", "cmd/pdflow/internal/runview", "cmd/pdflow/internal/setup",
		"engine", "engine/action", "engine/clock", "engine/journal", "engine/run", "engine/workflow", "github.com/rogpeppe/go-internal/testscript",
		"github.com/rogpeppe/go-internal/txtar", "github.com/spf13/pflag",
	},
	"cmd/pdflow/internal/cli": {
		"builtins/pagerduty/client", "builtins/pagerduty/simulator", "builtins/pagerduty/simulator/api", "cmd/pdflow/internal/cli/runs",
		"cmd/pdflow/internal/cli/schedule", "cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon", "cmd/pdflow/internal/runbooktest",
		"cmd/pdflow/internal/runview", "cmd/pdflow/internal/setup", "engine", "engine/action", "engine/run", "engine/workflow", "github.com/spf13/cobra",
		"github.com/spf13/pflag",
	},
	"cmd/pdflow":                      {"cmd/pdflow/internal/cli", "cmd/pdflow/internal/setup"},
	"cmd/pdflow/internal/cli/clitest": {"cmd/pdflow/internal/cli", "cmd/pdflow/internal/console", "cmd/pdflow/internal/setup", "engine/action"},
	"cmd/pdflow/internal/killtest":    {},
	"engine/action/actiontest":        {"engine/action", "github.com/google/go-cmp/cmp"},
	"engine/enginetest":               {"engine", "engine/action", "engine/journal", "engine/run", "github.com/google/go-cmp/cmp"},
	"engine/journal/journaltest":      {"engine/action", "engine/journal", "engine/run", "engine/workflow", "github.com/google/go-cmp/cmp"},
	"workflows":                       {},
}

// clockAllowed are the files below cmd that may read the machine's clock: the
// backend's clock, and defaults that a caller can replace.
var clockAllowed = []string{"engine/clock/clock.go", "engine/lua/limits/watchdog.go", "builtins/pagerduty/client/config.go"}

// TestImports holds every import of the product against the list.
func TestImports(t *testing.T) {
	for _, f := range productFiles(t) {
		folder := path.Dir(f.name)
		permitted, known := allowed[folder]
		if !known {
			t.Errorf("%s: the package %s is not in the list of arch_test.go", f.name, folder)
			continue
		}
		for _, spec := range f.syntax.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(first, ".") {
				continue // the standard library
			}
			if !slices.Contains(permitted, strings.TrimPrefix(imported, module+"/")) {
				t.Errorf("%s imports %s, which %s may not", f.name, imported, folder)
			}
		}
	}
}

// TestNoClockBelowCommands keeps the core deterministic: it is given its time.
func TestNoClockBelowCommands(t *testing.T) {
	for _, f := range productFiles(t) {
		if strings.HasPrefix(f.name, "cmd/") || slices.Contains(clockAllowed, f.name) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			owner, ok := selector.X.(*ast.Ident)
			forbidden := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
			if ok && owner.Name == "time" && slices.Contains(forbidden, selector.Sel.Name) {
				t.Errorf("%s uses time.%s; take an action.Clock", f.name, selector.Sel.Name)
			}
			return true
		})
	}
}

// TestNoInit keeps registration explicit.
func TestNoInit(t *testing.T) {
	for _, f := range productFiles(t) {
		for _, d := range f.syntax.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
				t.Errorf("%s has an init function; call it where it is needed", f.name)
			}
		}
	}
}

// TestExportedNamesAreDocumented keeps a sentence at every exported name.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range productFiles(t) {
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					t.Errorf("%s: %s has no comment", f.name, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						t.Errorf("%s: %s has no comment", f.name, s.Name.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	base := d.Recv.List[0].Type
	if star, ok := base.(*ast.StarExpr); ok {
		base = star.X
	}
	name, ok := base.(*ast.Ident)
	return ok && name.IsExported()
}

type productFile struct {
	name   string // with slashes, from the root
	syntax *ast.File
	set    *token.FileSet
}

// productFiles parses every Go file that is not a test.
func productFiles(t *testing.T) []productFile {
	t.Helper()
	var files []productFile
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, name, source, parser.ParseComments)
		files = append(files, productFile{filepath.ToSlash(name), syntax, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
