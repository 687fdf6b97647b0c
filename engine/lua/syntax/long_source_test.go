package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestLongSources: a source with more constants than the limit is refused, and only the
// first hundred findings are shown.
func TestLongSources(t *testing.T) {
	c := newChecker(t)
	check := func(line func(i int) string, n int) (workflow.Program, []workflow.Finding) {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i) + "\n")
		}
		return c.interpreter.Check(c.chunk(workflow.Script, b.String()))
	}
	for name, line := range map[string]func(i int) string{
		"globals": func(i int) string { return fmt.Sprintf("g%d=1", i) },
		"fields":  func(i int) string { return fmt.Sprintf("print(inputs.f%d)", i) },
		"texts":   func(i int) string { return fmt.Sprintf("print('t%d')", i) },
		"numbers": func(i int) string { return fmt.Sprintf("print(%d)", i) },
		"keys":    func(i int) string { return fmt.Sprintf("print{k%d=1}", i) },
	} {
		compiled, findings := check(line, 9000)
		if compiled != nil || len(findings) != 1 || !strings.Contains(findings[0].Message, "more than 8000 different") {
			t.Errorf("%s: got %v, %d findings, want it to be refused", name, compiled != nil, len(findings))
		}
		if compiled, _ := check(line, 3000); compiled == nil {
			t.Errorf("%s: 3000 of them are refused", name)
		}
	}
	_, findings := check(func(i int) string { return fmt.Sprintf("g%d = 1", i) }, 300)
	if last := findings[len(findings)-1]; last.Severity != source.SeverityWarning {
		t.Errorf("got %+v of warnings, want a warning", last)
	}
	compiled, findings := check(func(i int) string { return fmt.Sprintf("g%d = h%d", i, i) }, 300)
	if last := findings[len(findings)-1]; compiled == nil || last.Severity == source.SeverityWarning || len(findings) != 101 || !strings.Contains(last.Message, "and 500 more") {
		t.Errorf("got %d findings, the last %q, want 100 and how many more there are", len(findings), last.Message)
	}
}
