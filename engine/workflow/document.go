package workflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	// maxFileSize bounds a workflow file. The largest that people write by hand
	// are a few kilobytes.
	maxFileSize = 4 << 20
	// maxNodes bounds the nodes of a file after its aliases are followed, so that
	// a few lines of nested aliases cannot grow without end.
	maxNodes = 200_000
	// maxDepth bounds how deep values nest.
	maxDepth = 100
	// maxFaultSearchLines bounds the search for the line of a syntax error, which
	// parses the file once for each line.
	maxFaultSearchLines = 2_000
)

// document reads the text as one YAML document and returns its root, or nil when
// it has none or cannot be read; what is wrong is reported.
func (p *parser) document(src []byte) *yaml.Node {
	if len(src) > maxFileSize {
		p.reportAt(Position{1, 1}, "file-size", fmt.Sprintf("the file has %d bytes, at most %d are read", len(src), maxFileSize), "")
		return nil
	}
	if !utf8.Valid(src) {
		p.reportAt(p.firstInvalid(src), "encoding", "the file is not valid UTF-8 text", "save it as UTF-8")
		return nil
	}
	first, second, err := decodeTwo(src)
	if err != nil {
		p.reportSyntax(src, err)
		return nil
	}
	if second != nil {
		p.report(second, "second-document", "a second document begins here and would be ignored", "keep one workflow a file")
	}
	if first == nil || len(first.Content) == 0 {
		return nil
	}
	p.anchors(first)
	return first.Content[0]
}

func (p *parser) firstInvalid(src []byte) Position {
	at := Position{1, 1}
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		if r == utf8.RuneError && size == 1 {
			break
		}
		at.Column++
		if r == '\n' {
			at = Position{at.Line + 1, 1}
		}
		src = src[size:]
	}
	return at
}

// decodeTwo decodes the first document and looks whether there is a second.
func decodeTwo(src []byte) (first, second *yaml.Node, err error) {
	defer func() {
		// The YAML library reports some faults by panicking.
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	first = &yaml.Node{}
	if err := decoder.Decode(first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	second = &yaml.Node{}
	if err := decoder.Decode(second); err != nil {
		if errors.Is(err, io.EOF) {
			return first, nil, nil
		}
		return nil, nil, err
	}
	return first, second, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// reportSyntax reports a syntax error at its true line. The library's own line
// is often wrong or missing; the fault is in the line after the longest run of
// whole lines from the top that still parses.
func (p *parser) reportSyntax(src []byte, err error) {
	message, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = strings.TrimPrefix(message, m[0])
		if m[1] != "" {
			line, _ = strconv.Atoi(m[1])
		}
	}
	if found := faultLine(src); found > 0 {
		line = found
	}
	hint := ""
	text := p.line(line)
	switch {
	case strings.Contains(leadingSpace(text), "\t"):
		hint = "indent with spaces, not with tabs"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = "put text that holds `: ` in quotes"
	case strings.Contains(message, "did not find expected"):
		hint = "check the indentation and the quotes of this line and the one above"
	}
	p.reportAt(Position{line, 1 + len(leadingSpace(text))}, "yaml-syntax", "this is not valid YAML: "+message, hint)
}

func leadingSpace(text string) string {
	return text[:len(text)-len(strings.TrimLeft(text, " \t"))]
}

func faultLine(src []byte) int {
	lines := bytes.SplitAfter(src, []byte("\n"))
	if len(lines) > maxFaultSearchLines {
		return 0
	}
	end := len(src)
	for n := len(lines); n > 0; n-- {
		end -= len(lines[n-1])
		if _, _, err := decodeTwo(src[:end]); err == nil {
			return n
		}
	}
	return 1
}

// anchors refuses an anchor that is defined twice, whose aliases would silently
// mean different things above and below.
func (p *parser) anchors(root *yaml.Node) {
	seen := map[string]*yaml.Node{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Anchor != "" {
			if first := seen[n.Anchor]; first != nil {
				p.report(n, "duplicate-anchor", fmt.Sprintf("the anchor &%s is defined a second time", n.Anchor),
					fmt.Sprintf("it is defined in line %d already; give this one another name", first.Line))
			} else {
				seen[n.Anchor] = n
			}
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(root)
}

// resolve follows an alias and counts the node against the budget. It returns
// nil when the budget is spent.
func (p *parser) resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if p.nodes++; p.nodes > maxNodes {
		if p.nodes == maxNodes+1 {
			p.report(n, "too-large", fmt.Sprintf("the file has more than %d values once its aliases are followed", maxNodes), "")
		}
		return nil
	}
	if n.Style&yaml.TaggedStyle != 0 && !knownTags[n.Tag] {
		p.report(n, "unknown-tag", fmt.Sprintf("the tag %s has no meaning here", n.Tag), "leave it out")
	}
	return n
}
