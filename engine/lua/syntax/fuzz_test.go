package syntax_test

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/workflow"
)

// FuzzCheck: any source is compiled, or refused with findings in lines of the chunk. It
// never ends the process.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"return inputs.x", "local a = 1\nif a != 2 then end", "x = {1, [2] = 3, f = function(...) return ... end}", "goto a ::a::", "return \"\\x", "[[",
		"for i = 1, 2 do local x = i .. 'a' end", "demo.echo{value = {}}", "--[==[", "return -2^3 ~= not #a", "a.b:c'd'", "0x 1e 5..", "1e309",
		"return function(a, b, ...) local c <const> = 1 end",
	} {
		f.Add(seed, byte(1))
		f.Add(seed, byte(0))
	}
	checker := newChecker(f)
	f.Fuzz(func(t *testing.T, source string, kind byte) {
		c := checker.chunk(workflow.ChunkKind(kind%3), source)
		compiled, findings := checker.interpreter.Check(c)
		if compiled == nil && len(findings) == 0 {
			t.Fatalf("%q was refused without a word", source)
		}
		last := c.Line + strings.Count(source, "\n") + strings.Count(source, "\r") + 1
		for _, finding := range findings {
			if finding.Message == "" || finding.Line < c.Line || finding.Line > last {
				t.Errorf("%q: got %+v, want a message with a line from %d to %d", source, finding, c.Line, last)
			}
			if strings.Contains(finding.Message, "cannot be compiled") {
				t.Errorf("%q: the compiler failed: %s", source, finding.Message)
			}
		}
		if compiled != nil {
			compiled.References()
			compiled.Requires()
		}
	})
}
