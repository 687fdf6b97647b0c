package runbooktest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
)

// A Result is the result of one test file.
type Result struct {
	Name     string        `json:"name"`
	File     string        `json:"file"`
	Passed   bool          `json:"passed"`
	Duration time.Duration `json:"-"`
	MS       int64         `json:"duration_ms"`
	Log      string        `json:"log,omitempty"` // empty if the test passed
}

// Report prints results as text, json or junit.
func Report(p *console.Console, results []Result, took time.Duration, output string) error {
	failed := 0
	for i := range results {
		r := &results[i]
		r.MS = r.Duration.Milliseconds()
		if r.Passed {
			r.Log = ""
		} else {
			failed++
		}
	}
	switch output {
	case "json":
		return console.WriteJSON(p.Stdout, results)
	case "junit":
		return writeJUnit(p.Stdout, results, failed, took)
	}
	var b strings.Builder
	for _, r := range results {
		mark := p.Page.Style(console.StyleGreen, "✓")
		if !r.Passed {
			mark = p.Page.Style(console.StyleRed, "✗")
		}
		fmt.Fprintf(&b, "%s %s\n", mark, console.Printable(r.File))
		if !r.Passed {
			b.WriteString("    " + strings.ReplaceAll(console.PrintableLines(strings.TrimRight(r.Log, "\n")), "\n", "\n    ") + "\n")
		}
	}
	fmt.Fprintf(&b, "%s: %d passed, %d failed (%.1f s)\n", console.Plural(len(results), "test"), len(results)-failed, failed, took.Seconds())
	_, err := io.WriteString(p.Stdout, b.String())
	return err
}

// The elements of a JUnit report, which build servers read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		File    string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(to io.Writer, results []Result, failed int, took time.Duration) error {
	suite := junitSuite{Name: "pdflow", Tests: len(results), Failures: failed, Time: fmt.Sprintf("%.3f", took.Seconds())}
	for _, r := range results {
		c := junitCase{Name: r.Name, File: r.File, Time: fmt.Sprintf("%.3f", r.Duration.Seconds())}
		if !r.Passed {
			c.Failure = &junitFailure{lastLine(r.Log), console.PrintableLines(r.Log)}
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(to, xml.Header+string(text)+"\n")
	return err
}

// lastLine returns the last line of a log that is not empty, which says why the test failed.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
