package source

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/phrase"
	"gopkg.in/yaml.v3"
)

// Plain scalars follow the JSON schema of YAML 1.2: what is not null, true, false
// or a JSON number is text. Numbers in the notations of other YAML versions are
// refused, since readers disagree on them.
var (
	jsonNumber  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	jsonInteger = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	oddNumber   = regexp.MustCompile(`^[-+]?(0[0-9_]+|0o[0-7_]+|0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9]+(_[0-9]+)+|\.[0-9]+|[0-9]+\.|\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?)$`)
)

// knownTags are the tags that a file may write. Except for !!str, they must agree
// with what the value is without them.
var knownTags = map[string]bool{"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!seq": true, "!!map": true}

// fitsTag reports whether a known tag agrees with the value.
func fitsTag(n *yaml.Node) bool {
	switch n.Kind {
	case yaml.MappingNode:
		return n.Tag == "!!map"
	case yaml.SequenceNode:
		return n.Tag == "!!seq"
	}
	v, _ := scalarOf(n)
	switch v.(type) {
	case nil:
		return n.Tag == "!!null"
	case bool:
		return n.Tag == "!!bool"
	case float64:
		return n.Tag == "!!float" || n.Tag == "!!int" && jsonInteger.MatchString(n.Value)
	}
	return n.Tag == "!!str"
}

// A fault is what is wrong with how a scalar is written. The zero fault is none.
type fault struct{ rule, message, hint string }

const (
	blockStyle  = yaml.LiteralStyle | yaml.FoldedStyle
	quotedStyle = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | blockStyle
)

// textOf returns a scalar that is text at first sight: it is quoted, or it is no
// word of YAML and does not begin as a number does.
func textOf(n *yaml.Node) (string, bool) {
	text := n.Value
	if n.Style&quotedStyle != 0 || n.Tag == "!!str" && n.Style&yaml.TaggedStyle != 0 {
		return text, true
	}
	switch text {
	case "", "~", "null", "Null", "NULL", "true", "false":
		return "", false
	}
	return text, strings.IndexByte("+-.0123456789", text[0]) < 0
}

// scalarOf returns the value of a scalar: nil, bool, float64 or string.
func scalarOf(n *yaml.Node) (any, fault) {
	if text, ok := textOf(n); ok {
		return text, fault{}
	}
	switch text := n.Value; {
	case text == "true" || text == "false":
		return text == "true", fault{}
	case text == "" || text == "~" || strings.EqualFold(text, "null"):
		return nil, fault{}
	case jsonNumber.MatchString(text):
		return number(text)
	case oddNumber.MatchString(text):
		return text, fault{
			"odd-number", text + " is read differently by different YAML readers",
			fmt.Sprintf("write %q in quotes for text, or a plain decimal number", text),
		}
	default:
		return text, fault{}
	}
}

func number(text string) (any, fault) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return text, fault{"number-range", fmt.Sprintf("the number %s is too large", Clip(text)), "put it in quotes"}
	}
	if jsonInteger.MatchString(text) && !exact(text) {
		return f, fault{"number-range", fmt.Sprintf("the whole number %s is beyond 2^53 and would lose digits", Clip(text)), "put it in quotes"}
	}
	return f, fault{}
}

// exact reports whether a float64 holds a whole number without losing digits.
func exact(text string) bool {
	i, err := strconv.ParseInt(text, 10, 64)
	return err == nil && i <= 1<<53 && i >= -1<<53
}

// Scalar returns the value of a resolved scalar: nil, bool, float64 or string. It
// reports numbers that readers of YAML disagree on.
func (n Node) Scalar() any {
	v, fault := scalarOf(n.yaml)
	if fault.rule != "" {
		n.Report(fault.rule, fault.message, fault.hint)
	}
	return v
}

// Written returns a resolved scalar as the file writes it, without quotes.
func (n Node) Written() string { return n.yaml.Value }

// IsBlock reports whether a resolved scalar is a block scalar (`|` or `>`), whose
// text begins in the line below its position.
func (n Node) IsBlock() bool { return n.yaml.Style&blockStyle != 0 }

// IsLiteral reports whether a resolved scalar is a literal block (`|`), which keeps
// every line at its place.
func (n Node) IsLiteral() bool { return n.IsScalar() && n.yaml.Style&yaml.LiteralStyle != 0 }

// IsMarked reports whether a resolved node has an anchor or a tag.
func (n Node) IsMarked() bool { return n.yaml.Anchor != "" || n.yaml.Style&yaml.TaggedStyle != 0 }

// wrongType reports a resolved node that is not what was expected.
func (n Node) wrongType(what, expected, hint string) {
	n.Report("wrong-type", fmt.Sprintf("%s must be %s, got %s", what, expected, n.Describe()), hint)
}

// HasExpression reports whether a text holds the beginning of an expression,
// `${{`.
func HasExpression(text string) bool { return strings.Contains(text, "${{") }

// AnyText reads a scalar that must be text. It may hold expressions.
func (n Node) AnyText(what string) string {
	n, ok := n.Resolve()
	if !ok {
		return ""
	}
	hint := ""
	if n.IsScalar() {
		if s, ok := n.Scalar().(string); ok {
			return s
		}
		if n.yaml.Value != "" {
			hint = "put it in quotes"
		}
	}
	n.wrongType(what, "text", hint)
	return ""
}

// Text reads a scalar that must be text without expressions.
func (n Node) Text(what string) string {
	s := n.AnyText(what)
	if HasExpression(s) {
		n.Report("expression-refused", what+" cannot hold ${{ }}", "write the value itself")
		return ""
	}
	return s
}

// SomeText is [Node.Text] for a text that must not be empty. When it returns "",
// the reason was reported.
func (n Node) SomeText(what string) string {
	before := n.doc.Count()
	s := n.Text(what)
	if strings.TrimSpace(s) != "" {
		return s
	}
	if n.doc.Count() == before {
		n.Report("empty-text", what+" is empty", "")
	}
	return ""
}

// A Text is a text with its place.
type Text struct {
	Text     string
	Position Position
	// Line is the line of the file on which the text itself begins.
	Line int
}

// PlacedText is [Node.SomeText] with the place of the node.
func (n Node) PlacedText(what string) *Text {
	return &Text{Text: n.SomeText(what), Position: n.Position(), Line: n.yaml.Line}
}

// OneOf reads a text that must be one of the allowed ones. what names the value in
// messages and kind the set of allowed texts: "mode", "catch-up mode". It returns ""
// for every other text, which is reported under the rule.
func (n Node) OneOf(what, kind, rule string, allowed ...string) string {
	text := n.SomeText(what)
	if text == "" || slices.Contains(allowed, text) {
		return text
	}
	n.Report(rule, fmt.Sprintf("there is no %s %q", kind, Clip(text)), phrase.Suggest(text, allowed, "one of: "))
	return ""
}

// scalar reads a scalar as a type, and reports a node that read refuses.
func scalar[T any](n Node, what, expected, hint string, read func(any) (T, bool)) (value T) {
	n, ok := n.Resolve()
	if !ok {
		return value
	}
	if n.IsScalar() {
		if value, ok = read(n.Scalar()); ok {
			return value
		}
	}
	n.wrongType(what, expected, hint)
	return *new(T)
}

// Bool reads true or false.
func (n Node) Bool(what string) bool {
	written, hint := n.yaml, ""
	if written.Kind == yaml.AliasNode {
		written = written.Alias
	}
	switch strings.ToLower(written.Value) {
	case "yes", "on", "y", "true":
		hint = "write true"
	case "no", "off", "n", "false":
		hint = "write false"
	}
	return scalar(n, what, "true or false", hint, func(v any) (b, ok bool) {
		b, ok = v.(bool)
		return b, ok
	})
}

// Duration reads a duration above zero: text such as "10m", or a number of
// seconds.
func (n Node) Duration(what string) time.Duration {
	const hint = `write "30s", "10m", "1h30m" or a number of seconds`
	return scalar(n, what, "a duration above zero", hint, func(v any) (d time.Duration, ok bool) {
		var err error
		switch v := v.(type) {
		case float64:
			d, err = phrase.Seconds(v)
		case string:
			d, err = phrase.ParseDuration(v)
		}
		return d, err == nil && d > 0
	})
}

// Whole reads a whole number above zero.
func (n Node) Whole(what string) int64 {
	return scalar(n, what, "a whole number above zero", "", func(v any) (int64, bool) {
		f, _ := v.(float64)
		return int64(f), f >= 1 && f == float64(int64(f)) && f <= 1<<53
	})
}

// Size reads a number of bytes from least to most: a number, or text such as
// "64MB".
func (n Node) Size(what string, least, most int64) int64 {
	expected := fmt.Sprintf("a size from %s to %s", phrase.Bytes(least), phrase.Bytes(most))
	return scalar(n, what, expected, `write "64MB", "512KB" or a number of bytes`, func(v any) (int64, bool) {
		bytes, ok := v.(float64)
		if text, isText := v.(string); isText {
			bytes, ok = phrase.ParseBytes(text)
		}
		return int64(bytes), ok && bytes >= float64(least) && bytes <= float64(most)
	})
}

var (
	identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// keywords are the words of Lua that cannot be names.
	keywords = map[string]bool{
		"and": true, "break": true, "do": true, "else": true, "elseif": true, "end": true, "false": true, "for": true,
		"function": true, "goto": true, "if": true, "in": true, "local": true, "nil": true, "not": true, "or": true,
		"repeat": true, "return": true, "then": true, "true": true, "until": true, "while": true,
	}
)

// IsIdentifier reports whether a name has only letters, digits and _, and does not
// begin with a digit.
func IsIdentifier(name string) bool { return identifierPattern.MatchString(name) }

// IsKeyword reports whether a name is a word of Lua, which scripts cannot write as a
// name.
func IsKeyword(name string) bool { return keywords[name] }

// Identifier reads a name that scripts write after a dot. A node that is not text
// leaves the name as it was.
func (n Node) Identifier(what string, name *string) {
	if s := n.SomeText(what); s != "" {
		n.CheckIdentifier(s, what)
		*name = s
	}
}

// CheckIdentifier reports, at the node, a name that scripts cannot write after a
// dot.
func (n Node) CheckIdentifier(name, what string) {
	switch {
	case keywords[name]:
		n.Report("bad-name", fmt.Sprintf("%s cannot be %q, a word of Lua", what, name), "choose another name")
	case !IsIdentifier(name):
		fixed := regexp.MustCompile(`[^A-Za-z0-9_]+`).ReplaceAllString(name, "_")
		hint := "letters, digits and _, not beginning with a digit"
		if IsIdentifier(fixed) && !keywords[fixed] {
			hint += fmt.Sprintf("; for example %q", fixed)
		}
		n.Report("bad-name", fmt.Sprintf("%s cannot be %q", what, Clip(name)), hint)
	}
}
