package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	// maxIndicators bounds the characters of a file that may begin a value. The tree that
	// the YAML library makes of it takes some 500 times their size.
	maxIndicators = 100_000
	// maxNodes bounds the values of a file after its aliases are followed, so that a
	// few lines of nested aliases cannot grow without end.
	maxNodes = 200_000
	// maxDepth bounds how deep values nest.
	maxDepth = 100
	// maxFaultText bounds how much text is parsed to find the line of a syntax error.
	maxFaultText = 8 << 20
)

// A Document is one YAML file that is being read. It collects the problems that
// are found in it. It is not safe for concurrent use.
type Document struct {
	File string // its name, for messages

	text     []byte
	private  bool     // no problem quotes it
	several  bool     // the text has more than one document
	lines    []string // of text; nil until the first use
	root     *yaml.Node
	problems Problems
	nodes    int // the values read so far, counted against maxNodes
}

// Read parses the text of a file as one YAML document. What is wrong with it is
// reported to the document, which then has no root.
func Read(name string, text []byte) *Document { return (&Document{File: name}).read(text) }

func (d *Document) read(text []byte) *Document {
	d.text = text
	d.parse(text)
	return d
}

// Copy returns a document of the same file with the same problems. What is
// reported to one of them does not show in the other.
func (d *Document) Copy() *Document {
	c := *d
	c.problems = slices.Clone(d.problems)
	return &c
}

// Root returns the top value of the document. There is none when the file is
// empty or cannot be parsed.
func (d *Document) Root() (Node, bool) { return Node{d, d.root}, d.root != nil }

// Line returns a line of the file, counted from 1, or "" when there is no such
// line.
func (d *Document) Line(n int) string {
	if d.lines == nil {
		d.lines = strings.Split(strings.ReplaceAll(strings.TrimPrefix(string(d.text), "\ufeff"), "\r\n", "\n"), "\n")
	}
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return d.lines[n-1]
}

// Find returns the first place that holds the text, from the beginning of a line
// on.
func (d *Document) Find(from int, text string) Position {
	d.Line(from)
	for n := from; n <= len(d.lines); n++ {
		if at := strings.Index(d.Line(n), text); at >= 0 {
			return Position{n, utf8.RuneCountInString(d.Line(n)[:at]) + 1}
		}
	}
	return Position{from, 1}
}

// Add reports problems, of this file or of files that belong to it.
func (d *Document) Add(p ...Problem) { d.problems = append(d.problems, p...) }

// Report reports an error at a place.
func (d *Document) Report(at Position, rule, message, hint string) {
	if d.private {
		message, hint = unquoted(rule, message, hint)
	}
	d.report(at, rule, message, hint)
}

func (d *Document) report(at Position, rule, message, hint string) {
	d.Add(Problem{
		File: d.File, Line: max(at.Line, 1), Column: max(at.Column, 1),
		Rule: rule, Severity: SeverityError, Message: message, Hint: hint,
	})
}

// Warn reports a warning at a place.
func (d *Document) Warn(at Position, rule, message, hint string) {
	d.Report(at, rule, message, hint)
	d.problems[len(d.problems)-1].Severity = SeverityWarning
}

// Count returns the number of problems reported so far.
func (d *Document) Count() int { return len(d.problems) }

// Forget drops the problems so far, for a file of which nothing may be quoted.
func (d *Document) Forget() { d.problems = nil }

// Apart runs read and returns the problems that it reports. They are not reported
// to the document: the caller adds them later, or drops them.
func (d *Document) Apart(read func()) Problems {
	before := len(d.problems)
	read()
	found := slices.Clone(d.problems[before:])
	d.problems = d.problems[:before]
	return found
}

// Problems returns what was reported, by place, each problem once.
func (d *Document) Problems() Problems { return d.problems.Sorted() }

// Err returns the problems as an error of type [Problems] when one of them is an
// error, else nil.
func (d *Document) Err() error {
	if !d.problems.HasErrors() {
		return nil
	}
	return d.problems.Sorted()
}

// parse decodes the text and sets the root.
func (d *Document) parse(src []byte) {
	if len(src) > MaxFileSize {
		d.Report(Position{1, 1}, "file-size", fmt.Sprintf("the file has %d bytes, at most %d are read", len(src), MaxFileSize), "")
		return
	}
	if !utf8.Valid(src) {
		d.Report(firstInvalid(src), "encoding", "the file is not valid UTF-8 text", "save it as UTF-8")
		return
	}
	if line := manyValues(src); line > 0 {
		d.Report(Position{line, 1}, "file-size", fmt.Sprintf("the file has too many values: up to this line it has %d characters that may begin one, which is the limit", maxIndicators),
			"split the file, or read the data from where it belongs")
		return
	}
	first, second, err := decodeTwo(src)
	if err != nil {
		d.reportSyntax(src, err)
		return
	}
	if d.several = second != nil; d.several {
		Node{d, second}.Report("second-document", "a second document begins here and would be ignored", "keep one document per file")
	}
	if first == nil || len(first.Content) == 0 {
		return
	}
	d.anchors(first)
	d.root = first.Content[0]
}

// manyValues returns the line in which a file has more than maxIndicators characters that
// may begin a value, or 0. It counts before the YAML library makes a tree of the file,
// which takes much more memory than the text. Text that looks like values counts too.
func manyValues(src []byte) int {
	count, line := 0, 1
	for i, c := range src {
		switch c {
		case '\n':
			count++
			line++
		case ',', '[', '{', '#', '!', '&', '*':
			count++
		case ':', '-', '?':
			if i+1 == len(src) || bytes.IndexByte([]byte(" \t\r\n,[]{}\"'"), src[i+1]) >= 0 {
				count++
			}
		}
		if count > maxIndicators {
			return line
		}
	}
	return 0
}

// firstInvalid returns the place of the first byte that is not UTF-8.
func firstInvalid(src []byte) Position {
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

// Later returns the top values of the documents after the first. There are none if one of them
// cannot be parsed; ok is then false.
func (d *Document) Later() (found []Node, ok bool) {
	if !d.several {
		return nil, true
	}
	documents, err := decode(d.text, math.MaxInt)
	if err != nil {
		return nil, false
	}
	for _, document := range documents[1:] {
		if len(document.Content) > 0 {
			found = append(found, Node{d, document.Content[0]})
		}
	}
	return found, true
}

// decodeTwo decodes the first document, and the second if there is one.
func decodeTwo(src []byte) (first, second *yaml.Node, err error) {
	documents, err := decode(src, 2)
	documents = append(documents, nil, nil)
	return documents[0], documents[1], err
}

// decode decodes at most so many documents.
func decode(src []byte, most int) (documents []*yaml.Node, err error) {
	defer func() {
		// The YAML library reports some errors by panicking.
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	for len(documents) < most {
		var n yaml.Node
		if err := decoder.Decode(&n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		documents = append(documents, &n)
	}
	return documents, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// reportSyntax reports a syntax error at its true line. The line that the library
// gives is often wrong or missing.
func (d *Document) reportSyntax(src []byte, err error) {
	message, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = strings.TrimPrefix(message, m[0])
		if m[1] != "" {
			line, _ = strconv.Atoi(m[1])
		}
	}
	if strings.HasPrefix(message, "unknown anchor") { // the rest quotes the file
		message = "an alias (*name) has no anchor (&name) above it"
	}
	if found := faultLine(src, err); found > 0 {
		line = found
	}
	hint := ""
	text := d.Line(line)
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		hint = "indent with spaces, not with tabs"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = "put text that holds `: ` in quotes"
	case strings.Contains(message, "unexpected end of stream"):
		hint = "a quote may not be closed"
	case strings.Contains(message, "did not find expected"):
		hint = "check the indentation and the quotes of this line and the one above"
	}
	d.Report(Position{line, 1 + len(indent)}, "yaml-syntax", "this is not valid YAML: "+message, hint)
}

// faultLine returns the number of the line that follows the longest beginning of
// the file that parses, or 0 when finding it would cost too much. The parser reads
// forward only, so every beginning that contains the error ends with the same
// error. A binary search finds the shortest one; the line is at most a few lines
// above its end.
func faultLine(src []byte, fault error) int {
	if len(src) == 0 {
		return 0
	}
	var ends []int // of each line
	at := 0
	for line := range bytes.Lines(src) {
		at += len(line)
		ends = append(ends, at)
	}
	left := maxFaultText
	parse := func(n int) error {
		left -= n
		if left < 0 {
			return nil
		}
		_, _, err := decodeTwo(src[:n])
		return err
	}
	n := 1 + sort.Search(len(ends)-1, func(i int) bool {
		err := parse(ends[i])
		return err != nil && err.Error() == fault.Error()
	})
	for left > 0 && n > 1 {
		if err := parse(ends[n-2]); err == nil && left >= 0 {
			return n
		}
		n--
	}
	if n > 1 {
		return 0
	}
	return 1
}

// anchors refuses an anchor that is defined twice: its aliases would mean
// different things above and below the second definition.
func (d *Document) anchors(root *yaml.Node) {
	seen := map[string]*yaml.Node{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Anchor != "" {
			if first := seen[n.Anchor]; first != nil {
				Node{d, n}.Report("duplicate-anchor", fmt.Sprintf("the anchor &%s is defined a second time", n.Anchor),
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
