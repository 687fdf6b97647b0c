package arch

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	codeSpan     = regexp.MustCompile("`([^`\n]+)`")
	typeName     = regexp.MustCompile(`^[A-Z][A-Za-z]*$`)
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	qualified    = regexp.MustCompile(`^([a-z]+)((?:\.[A-Z][A-Za-z]*)+)$`)
)

// declaredNames returns the names that the packages declare, by folder, with methods and
// fields. A name that is neither method nor field is also there with a dot before it.
func declaredNames(t *testing.T) map[string]map[string]bool {
	t.Helper()
	names := map[string]map[string]bool{}
	for _, f := range productFiles(t) {
		folder := path.Dir(f.name)
		if names[folder] == nil {
			names[folder] = map[string]bool{}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[folder][n.Name.Name] = true
				if n.Recv == nil {
					names[folder]["."+n.Name.Name] = true
				}
			case *ast.TypeSpec:
				names[folder][n.Name.Name], names[folder]["."+n.Name.Name] = true, true
			case *ast.ValueSpec:
				for _, name := range n.Names {
					names[folder][name.Name], names[folder]["."+name.Name] = true, true
				}
			case *ast.Field:
				for _, name := range n.Names {
					names[folder][name.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// TestMapNamesEveryPackage: the table of docs/architecture.md has every package, and the
// files and types that it names are in their packages.
func TestMapNamesEveryPackage(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	names, listed, group := declaredNames(t), map[string]bool{}, ""
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		switch {
		case strings.HasPrefix(line, "| **"): // the heading of a group of rows
			group = strings.Trim(cells[0], " *`")
			continue
		case !strings.HasPrefix(line, "| `") || len(cells) != 4:
			continue
		case !strings.Contains(group, "/"):
			group = ""
		}
		var folders []string
		for _, m := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
			folder := group + m[1]
			if path.Base(group) == m[1] {
				folder = strings.TrimSuffix(group, "/")
			}
			listed[folder] = true
			folders = append(folders, folder)
			if _, err := os.Stat(folder); err != nil {
				t.Errorf("there is no package %s", folder)
			}
		}
		for _, m := range codeSpan.FindAllStringSubmatch(strings.Join(cells[2:], " "), -1) {
			inPackage := func(folder string) bool {
				if strings.HasSuffix(m[1], ".go") {
					_, err := os.Stat(filepath.Join(folder, m[1]))
					return err == nil
				}
				return !typeName.MatchString(m[1]) || names[folder][m[1]]
			}
			if !slices.ContainsFunc(folders, inPackage) {
				t.Errorf("%v: there is no %s", folders, m[1])
			}
		}
	}
	for folder := range names {
		if !listed[folder] {
			t.Errorf("docs/architecture.md does not list the package %s", folder)
		}
	}
}

// TestDocsNameWhatExists: names such as `run.Event` and paths such as `engine/loop.go` of
// the pages about the code exist.
func TestDocsNameWhatExists(t *testing.T) {
	names := declaredNames(t)
	pages, _ := filepath.Glob("docs/decisions/*.md")
	for _, page := range append(pages, "docs/architecture.md", "docs/glossary.md", "docs/CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codeSpan.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "engine/") || strings.HasPrefix(m[1], "builtins/") || strings.HasPrefix(m[1], "cmd/") {
				if _, err := os.Stat(m[1]); err != nil {
					t.Errorf("%s: there is no %s", page, m[1])
				}
			}
			if q := qualified.FindStringSubmatch(m[1]); q != nil {
				checkName(t, names, page, q[1], strings.Split(q[2][1:], "."))
			}
		}
	}
}

// TestSecurityNamesTests: each test and each script that docs/security.md names exists, so that no row
// claims what nothing holds.
func TestSecurityNamesTests(t *testing.T) {
	page, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	err = filepath.WalkDir(".", func(name string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			declared[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, m := range codeSpan.FindAllStringSubmatch(string(page), -1) {
		switch {
		case strings.HasSuffix(m[1], ".txtar"):
			if _, err := os.Stat(filepath.Join("testdata/script", m[1])); err != nil {
				t.Errorf("docs/security.md: there is no script %s", m[1])
			}
		case !strings.HasPrefix(m[1], "Test"):
			continue
		case !declared[m[1]]:
			t.Errorf("docs/security.md: there is no test %s", m[1])
		}
		named++
	}
	if named < 40 {
		t.Errorf("docs/security.md names %d tests; the search for names is broken", named)
	}
}

// checkName checks a name that is qualified by the name of a package, if there is one.
func checkName(t *testing.T, names map[string]map[string]bool, page, pkg string, parts []string) {
	t.Helper()
	known := false
	for folder, declared := range names {
		if path.Base(folder) != pkg {
			continue
		}
		known = true
		if declared["."+parts[0]] && !slices.ContainsFunc(parts, func(part string) bool { return !declared[part] }) {
			return
		}
	}
	if known {
		t.Errorf("%s: package %s declares no %s", page, pkg, strings.Join(parts, "."))
	}
}
