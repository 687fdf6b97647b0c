package workflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
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
	// maxFaultTries bounds how far above the place where the parser gave up the
	// line of a syntax error is looked for: each line costs parsing what is above it.
	maxFaultTries = 100
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

// reportSyntax reports a syntax error at its true line, since the library's own
// is often wrong or missing.
func (p *parser) reportSyntax(src []byte, err error) {
	message, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = strings.TrimPrefix(message, m[0])
		if m[1] != "" {
			line, _ = strconv.Atoi(m[1])
		}
	}
	if found := faultLine(src, err); found > 0 {
		line = found
	}
	hint := ""
	text := p.line(line)
	switch {
	case strings.Contains(leadingSpace(text), "\t"):
		hint = "indent with spaces, not with tabs"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = "put text that holds `: ` in quotes"
	case strings.Contains(message, "unexpected end of stream"):
		hint = "a quote may not be closed"
	case strings.Contains(message, "did not find expected"):
		hint = "check the indentation and the quotes of this line and the one above"
	}
	p.reportAt(Position{line, 1 + len(leadingSpace(text))}, "yaml-syntax", "this is not valid YAML: "+message, hint)
}

func leadingSpace(text string) string {
	return text[:len(text)-len(strings.TrimLeft(text, " \t"))]
}

// faultLine returns the line after the longest run of whole lines from the top
// that parses, or 0 when that cannot be found cheaply. The parser reads forward
// only: every run that reaches the fault ends with the same error, so the shortest
// such run is found by halving, and the one looked for is a little above it.
func faultLine(src []byte, fault error) int {
	var ends []int // of each line
	for at := 0; at < len(src); {
		end := bytes.IndexByte(src[at:], '\n') + 1
		if end == 0 {
			end = len(src) - at
		}
		at += end
		ends = append(ends, at)
	}
	if len(src) == 0 {
		return 0
	}
	n := 1 + sort.Search(len(ends)-1, func(i int) bool {
		_, _, err := decodeTwo(src[:ends[i]])
		return err != nil && err.Error() == fault.Error()
	})
	for tries := 0; tries < maxFaultTries && n > 1; tries++ {
		if _, _, err := decodeTwo(src[:ends[n-2]]); err == nil {
			return n
		}
		n--
	}
	if n > 1 {
		return 0
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
	} else if n.Style&yaml.TaggedStyle != 0 && !fitsTag(n) {
		p.report(n, "wrong-tag", fmt.Sprintf("the tag %s does not fit %s", n.Tag, p.kindOf(n)), "leave it out")
	}
	return n
}
