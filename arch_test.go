// Package arch holds the test of the project's structure and no code.
//
// It holds: which package may import which, how large a package and a type may be, that
// nothing below cmd reads the clock of the machine, that nothing registers itself, that
// every exported name and every package is documented, and that the generic packages
// name neither PagerDuty, nor the simulator, nor a command of the program.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pdflow/pdflow"

// The limits of a room, and of a type in it.
const (
	maxFiles   = 25
	maxLines   = 4500
	maxMethods = 40
)

// allowed are the imports of each package besides the standard library: packages of this
// module by folder, others by path. A package stands below the packages that it imports,
// so arrows point up in this list and down in the picture of docs/architecture.md. A
// package that is not listed may not exist.
var allowed = map[string][]string{
	".":                         {},
	"engine/clock":              {},
	"engine/phrase":             {},
	"engine/redact":             {},
	"engine/action":             {"engine/clock", "engine/phrase", "engine/redact"},
	"builtins/codes":            {"engine/action"},
	"builtins/jsonvalue":        {"engine/action", "engine/phrase"},
	"builtins/logging":          {"builtins/jsonvalue", "engine/action", "engine/phrase"},
	"builtins/wire":             {},
	"builtins/pagerduty/event":  {},
	"builtins/pagerduty/client": {"builtins/pagerduty/event", "builtins/wire", "engine/redact"},
	"builtins/pagerduty":        {"builtins/pagerduty/client", "builtins/pagerduty/event", "engine/action"},
	"builtins/reach":            {"engine/action", "engine/phrase"},
	"builtins/probe":            {"builtins/reach", "builtins/wire", "engine/action"},
	"builtins/text":             {"engine/action", "engine/phrase"},
	"builtins/times":            {"engine/action", "engine/phrase"},
	"builtins/validate":         {"engine/action", "engine/phrase"},
	"builtins/web":              {"builtins/jsonvalue", "builtins/reach", "builtins/wire", "engine/action", "engine/phrase", "engine/redact"},
	"builtins": {
		"builtins/codes", "builtins/jsonvalue", "builtins/logging", "builtins/pagerduty", "builtins/pagerduty/client", "builtins/probe", "builtins/text",
		"builtins/times", "builtins/validate", "builtins/web", "builtins/wire", "engine/action",
	},
	"builtins/pagerduty/simulator/seeded":     {},
	"builtins/pagerduty/simulator/strictjson": {"engine/phrase"},
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
	"builtins/world":                       {"builtins/jsonvalue", "builtins/probe", "builtins/reach", "builtins/web", "engine/action", "engine/phrase"},
	"engine/source":                        {"engine/phrase", "gopkg.in/yaml.v3"},
	"cmd/pdflow/internal/console":          {"engine/phrase", "engine/redact", "engine/source", "github.com/mattn/go-runewidth", "golang.org/x/term"},
	"engine/permission":                    {"engine/action", "engine/phrase", "engine/source"},
	"engine/schedule":                      {"engine/phrase", "github.com/robfig/cron/v3"},
	"engine/workflow":                      {"engine/action", "engine/permission", "engine/phrase", "engine/schedule", "engine/source"},
	"engine/run":                           {"engine/action", "engine/phrase", "engine/workflow"},
	"cmd/pdflow/internal/daemon/alert":     {"engine/action", "engine/phrase", "engine/run", "engine/source", "engine/workflow"},
	"cmd/pdflow/internal/daemon/control":   {"golang.org/x/sys/unix"},
	"cmd/pdflow/internal/daemon/health":    {},
	"cmd/pdflow/internal/daemon/heartbeat": {"builtins/wire", "engine/action"},
	"cmd/pdflow/internal/daemon/library":   {"engine/action", "engine/source", "engine/workflow", "github.com/fsnotify/fsnotify"},
	"cmd/pdflow/internal/daemon/systemd":   {"engine/action", "github.com/coreos/go-systemd/v22/daemon"},
	"engine/attempt": {
		"engine/action", "engine/clock", "engine/permission", "engine/phrase", "engine/redact", "engine/run", "engine/source", "engine/workflow",
	},
	"engine/journal": {"engine/action", "engine/phrase", "engine/run", "engine/workflow"},
	"cmd/pdflow/internal/runview": {
		"builtins/pagerduty/simulator", "builtins/pagerduty/simulator/account", "builtins/pagerduty/simulator/api", "cmd/pdflow/internal/console",
		"engine/action", "engine/attempt", "engine/journal", "engine/phrase", "engine/run", "engine/workflow",
	},
	"engine":                {"engine/action", "engine/attempt", "engine/clock", "engine/journal", "engine/phrase", "engine/redact", "engine/run", "engine/workflow"},
	"engine/journal/sqlite": {"engine/journal", "engine/run", "engine/workflow", "github.com/gofrs/flock", "modernc.org/sqlite", "modernc.org/sqlite/lib"},
	"engine/lua/limits":     {"engine/action", "engine/phrase", "engine/workflow", "github.com/yuin/gopher-lua"},
	"engine/lua/number":     {},
	"engine/lua/pattern":    {},
	"engine/lua/stdlib":     {"engine/lua/limits", "engine/lua/number", "engine/lua/pattern", "engine/phrase", "github.com/yuin/gopher-lua"},
	"engine/lua/rewrite":    {"engine/lua/number", "github.com/yuin/gopher-lua/ast"},
	"engine/lua/syntax": {
		"engine/action", "engine/lua/rewrite", "engine/phrase", "engine/source", "engine/workflow", "github.com/yuin/gopher-lua",
		"github.com/yuin/gopher-lua/ast", "github.com/yuin/gopher-lua/parse",
	},
	"engine/lua": {
		"engine/action", "engine/attempt", "engine/lua/limits", "engine/lua/stdlib", "engine/lua/syntax", "engine/phrase", "engine/run", "engine/workflow",
		"github.com/yuin/gopher-lua",
	},
	"cmd/pdflow/internal/setup": {
		"builtins", "builtins/pagerduty/client", "builtins/pagerduty/simulator", "builtins/pagerduty/simulator/account",
		"builtins/pagerduty/simulator/fault", "builtins/pagerduty/simulator/strictjson", "builtins/wire", "builtins/world", "cmd/pdflow/internal/console",
		"engine", "engine/action", "engine/attempt", "engine/journal", "engine/journal/sqlite", "engine/lua", "engine/permission", "engine/phrase",
		"engine/redact", "engine/run", "engine/source", "engine/workflow", "github.com/spf13/cobra", "github.com/spf13/pflag",
	},
	"engine/scheduler": {"engine/action", "engine/clock", "engine/journal", "engine/run", "engine/schedule", "engine/workflow"},
	"engine/telemetry": {
		"engine/run", "github.com/prometheus/client_golang/prometheus", "github.com/prometheus/client_golang/prometheus/collectors",
		"github.com/prometheus/client_golang/prometheus/promhttp",
	},
	"cmd/pdflow/internal/daemon": {
		"builtins/pagerduty/client", "builtins/pagerduty/event", "cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon/alert", "cmd/pdflow/internal/daemon/control",
		"cmd/pdflow/internal/daemon/health", "cmd/pdflow/internal/daemon/heartbeat", "cmd/pdflow/internal/daemon/library",
		"cmd/pdflow/internal/daemon/systemd", "cmd/pdflow/internal/runview", "cmd/pdflow/internal/setup", "engine", "engine/action", "engine/clock",
		"engine/journal", "engine/phrase", "engine/run", "engine/scheduler", "engine/source", "engine/telemetry", "engine/workflow",
		"github.com/gofrs/flock", "github.com/oklog/run",
	},
	"cmd/pdflow/internal/cli/runs": {
		"cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon", "cmd/pdflow/internal/daemon/control", "cmd/pdflow/internal/runview",
		"cmd/pdflow/internal/setup", "engine", "engine/action", "engine/attempt", "engine/journal", "engine/phrase", "engine/run", "engine/source", "engine/workflow",
		"github.com/spf13/cobra", "golang.org/x/term",
	},
	"cmd/pdflow/internal/cli/schedule": {
		"cmd/pdflow/internal/cli/runs", "cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon", "cmd/pdflow/internal/daemon/control",
		"cmd/pdflow/internal/setup", "engine/action", "engine/journal", "engine/phrase", "engine/source", "engine/workflow", "github.com/spf13/cobra",
	},
	"cmd/pdflow/internal/runbooktest": {
		"builtins", "builtins/pagerduty/client", "builtins/pagerduty/simulator", "builtins/pagerduty/simulator/account",
		"builtins/pagerduty/simulator/fault", "builtins/world", "cmd/pdflow/internal/console", "cmd/pdflow/internal/runview", "cmd/pdflow/internal/setup",
		"engine", "engine/action", "engine/clock", "engine/journal", "engine/phrase", "engine/redact", "engine/run", "engine/source", "engine/workflow",
		"github.com/rogpeppe/go-internal/diff", "github.com/rogpeppe/go-internal/txtar", "github.com/spf13/pflag",
	},
	"cmd/pdflow/internal/cli": {
		"builtins/pagerduty/client", "builtins/pagerduty/simulator", "builtins/pagerduty/simulator/api", "cmd/pdflow/internal/cli/runs",
		"cmd/pdflow/internal/cli/schedule", "cmd/pdflow/internal/console", "cmd/pdflow/internal/daemon", "cmd/pdflow/internal/runbooktest",
		"cmd/pdflow/internal/runview", "cmd/pdflow/internal/setup", "engine", "engine/action", "engine/permission", "engine/phrase", "engine/run",
		"engine/source", "engine/workflow", "github.com/spf13/cobra", "github.com/spf13/pflag",
	},
	"cmd/pdflow":                      {"cmd/pdflow/internal/cli", "cmd/pdflow/internal/setup"},
	"cmd/pdflow/internal/cli/clitest": {"cmd/pdflow/internal/cli", "cmd/pdflow/internal/console", "cmd/pdflow/internal/setup", "engine/redact"},
	"cmd/pdflow/internal/killtest":    {},
	"engine/action/actiontest":        {"engine/action", "github.com/google/go-cmp/cmp"},
	"engine/enginetest":               {"engine", "engine/action", "engine/journal", "engine/run", "github.com/google/go-cmp/cmp"},
	"engine/journal/journaltest":      {"engine/action", "engine/journal", "engine/run", "engine/workflow", "github.com/google/go-cmp/cmp"},
	"workflows":                       {},
}

// clockAllowed are the files below cmd that may read the clock of the machine: the system
// clock itself, and defaults that a caller can replace.
var clockAllowed = []string{"engine/clock/clock.go", "engine/lua/limits/pulse.go", "builtins/pagerduty/client/config.go"}

// TestImports: a package imports what its row lists, and nothing else.
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

// TestArrowsPointDown: a package is listed after every package that it imports, and no
// package of engine imports builtins or cmd.
func TestArrowsPointDown(t *testing.T) {
	text, err := os.ReadFile("arch_test.go")
	if err != nil {
		t.Fatal(err)
	}
	line := map[string]int{}
	for folder := range allowed {
		line[folder] = strings.Index(string(text), "\n\t"+strconv.Quote(folder)+":")
	}
	for folder, imports := range allowed {
		for _, imported := range imports {
			if _, ours := allowed[imported]; ours && line[imported] > line[folder] {
				t.Errorf("%s imports %s, which is listed below it", folder, imported)
			}
			if strings.HasPrefix(folder, "engine") && (strings.HasPrefix(imported, "builtins") || strings.HasPrefix(imported, "cmd")) {
				t.Errorf("%s imports %s: engine knows neither its actions nor its commands", folder, imported)
			}
		}
	}
}

// TestRoomsAreSmall: a package has at most 25 product files and 4,500 product lines, and
// a type at most 40 methods.
func TestRoomsAreSmall(t *testing.T) {
	files, lines, methods := map[string]int{}, map[string]int{}, map[string]int{}
	for _, f := range productFiles(t) {
		folder := path.Dir(f.name)
		files[folder]++
		lines[folder] += f.set.File(f.syntax.Pos()).LineCount()
		for _, d := range f.syntax.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && function.Recv != nil {
				methods[folder+"."+receiver(function)]++
			}
		}
	}
	for folder := range files {
		if files[folder] > maxFiles || lines[folder] > maxLines {
			t.Errorf("%s has %d files and %d lines, at most %d and %d: find the package that is missing", folder, files[folder], lines[folder], maxFiles, maxLines)
		}
	}
	for name, n := range methods {
		if n > maxMethods {
			t.Errorf("%s has %d methods, at most %d: find the type that is missing", name, n, maxMethods)
		}
	}
}

// TestNoClockBelowCommands: everything below the commands is given its time.
func TestNoClockBelowCommands(t *testing.T) {
	forbidden := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, f := range productFiles(t) {
		if strings.HasPrefix(f.name, "cmd/") || slices.Contains(clockAllowed, f.name) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				owner, ok := selector.X.(*ast.Ident)
				if ok && owner.Name == "time" && slices.Contains(forbidden, selector.Sel.Name) {
					t.Errorf("%s uses time.%s; take a clock.Clock", f.name, selector.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestNoInit: registration is explicit.
func TestNoInit(t *testing.T) {
	for _, f := range productFiles(t) {
		for _, d := range f.syntax.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
				t.Errorf("%s has an init function; call it where it is needed", f.name)
			}
		}
	}
}

// TestNamesAreDocumented: every package and every exported name has a comment. A group of
// constants or variables may share one.
func TestNamesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range productFiles(t) {
		folder := path.Dir(f.name)
		documented[folder] = documented[folder] || f.syntax.Doc != nil
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || ast.IsExported(receiver(d))) {
					t.Errorf("%s: %s has no comment", f.name, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if name, ok := undocumented(d, spec); ok {
						t.Errorf("%s: %s has no comment", f.name, name)
					}
				}
			}
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("the package %s has no comment", folder)
		}
	}
}

// undocumented returns the exported name of a declaration without a comment.
func undocumented(d *ast.GenDecl, spec ast.Spec) (name string, ok bool) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		return s.Name.Name, s.Name.IsExported() && d.Doc == nil && s.Doc == nil
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				return n.Name, true
			}
		}
	}
	return "", false
}

// A module's name, the simulator, and the commands of the program.
var specificWords = regexp.MustCompile(`(?i)pagerduty|\bsimulators?\b|\bpdflow (run|runs|check|call|actions|connection|schedule|serve|simulator|test|version)\b`)

// stored are lines of generic packages that may have such a word: journals have it.
var stored = []string{
	"`json:\"simulator,omitempty\"`",
	"return \"simulator\"",
}

// TestGenericPackagesAreGeneric: no package of engine names PagerDuty, the simulator or a
// command of the program, in code or in comments. What differs by module is declared by
// the module, and what to type is added by the command line.
func TestGenericPackagesAreGeneric(t *testing.T) {
	for _, f := range productFiles(t) {
		if !strings.HasPrefix(f.name, "engine/") {
			continue
		}
		text, err := os.ReadFile(f.name)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			word := specificWords.FindString(line)
			if word != "" && !slices.ContainsFunc(stored, func(s string) bool { return strings.Contains(line, s) }) {
				t.Errorf("%s:%d names %q", f.name, n+1, word)
			}
		}
	}
}

// receiver returns the name of the type of a method.
func receiver(d *ast.FuncDecl) string {
	base := d.Recv.List[0].Type
	for {
		switch b := base.(type) {
		case *ast.StarExpr:
			base = b.X
		case *ast.IndexExpr:
			base = b.X
		case *ast.Ident:
			return b.Name
		default:
			return ""
		}
	}
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
