package workflow

import (
	"fmt"
	"math"
	"regexp"
	"strconv"

	"github.com/pdflow/pdflow/engine/action"
	"gopkg.in/yaml.v3"
)

// Plain scalars follow the JSON schema of YAML 1.2: what is not null, true,
// false or a JSON number is text. So `no` and dates are text, and numbers in the
// notations of other YAML versions are refused, since readers differ on them.
var (
	jsonNumber  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	jsonInteger = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	oddNumber   = regexp.MustCompile(`^[-+]?(0[0-9_]+|0o[0-7_]+|0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9]+(_[0-9]+)+|\.[0-9]+|[0-9]+\.|\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?)$`)
)

// knownTags are the tags that a file may write; they change nothing that the
// value does not say already, except for !!str.
var knownTags = map[string]bool{"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!seq": true, "!!map": true}

// fitsTag reports whether a known tag says what the value is without it.
func fitsTag(n *yaml.Node) bool {
	quiet := parser{}
	switch n.Kind {
	case yaml.MappingNode:
		return n.Tag == "!!map"
	case yaml.SequenceNode:
		return n.Tag == "!!seq"
	}
	switch quiet.scalar(n).(type) {
	case nil:
		return n.Tag == "!!null"
	case bool:
		return n.Tag == "!!bool"
	case float64:
		return n.Tag == "!!float" || n.Tag == "!!int" && jsonInteger.MatchString(n.Value)
	}
	return n.Tag == "!!str"
}

// scalar returns the value of a scalar: nil, bool, float64 or string.
func (p *parser) scalar(n *yaml.Node) any {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 || n.Tag == "!!str" && n.Style&yaml.TaggedStyle != 0 {
		return n.Value
	}
	switch text := n.Value; {
	case text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL":
		return nil
	case text == "true" || text == "false":
		return text == "true"
	case jsonNumber.MatchString(text):
		return p.number(n)
	case oddNumber.MatchString(text):
		p.report(n, "odd-number", fmt.Sprintf("%s is read differently by different YAML readers", text),
			fmt.Sprintf("write %q in quotes for text, or a plain decimal number", text))
		return text
	default:
		return text
	}
}

func (p *parser) number(n *yaml.Node) any {
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || math.IsInf(f, 0) {
		p.report(n, "number-range", fmt.Sprintf("the number %s is too large", clipped(n.Value)), "put it in quotes")
		return n.Value
	}
	if jsonInteger.MatchString(n.Value) && !exact(n.Value) {
		p.report(n, "number-range", fmt.Sprintf("the whole number %s is beyond 2^53 and would lose digits", clipped(n.Value)), "put it in quotes")
	}
	return f
}

// exact reports whether a float64 holds the whole number as it is written.
func exact(text string) bool {
	i, err := strconv.ParseInt(text, 10, 64)
	return err == nil && i <= 1<<53 && i >= -1<<53
}

// clipped shortens a text of the file for a message.
func clipped(text string) string { return action.Clip(text, 60) }

// kindOf names what a node is, for messages.
func (p *parser) kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	quiet := parser{}
	switch v := quiet.scalar(n).(type) {
	case nil:
		return "nothing (null)"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return "the number " + clipped(n.Value)
	}
	return fmt.Sprintf("the text %q", clipped(n.Value))
}
