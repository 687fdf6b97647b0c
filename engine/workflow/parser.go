package workflow

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"gopkg.in/yaml.v3"
)

// A parser reads one file and collects what is wrong with it.
type parser struct {
	file        string
	lines       []string
	diagnostics Diagnostics
	nodes       int // counted against maxNodes
}

func newParser(file string, src []byte) *parser {
	return &parser{file: file, lines: strings.Split(strings.ReplaceAll(strings.TrimPrefix(string(src), "\ufeff"), "\r\n", "\n"), "\n")}
}

// line returns a line of the file, counted from 1, or "".
func (p *parser) line(n int) string {
	if n < 1 || n > len(p.lines) {
		return ""
	}
	return p.lines[n-1]
}

func (p *parser) report(n *yaml.Node, rule, message, hint string) {
	p.reportAt(Position{n.Line, n.Column}, rule, message, hint)
}

func (p *parser) reportAt(at Position, rule, message, hint string) {
	p.diagnostics = append(p.diagnostics, Diagnostic{
		File: p.file, Line: max(at.Line, 1), Column: max(at.Column, 1),
		Rule: rule, Severity: SeverityError, Message: message, Hint: hint,
	})
}

func (p *parser) warnAt(at Position, rule, message, hint string) {
	p.reportAt(at, rule, message, hint)
	p.diagnostics[len(p.diagnostics)-1].Severity = SeverityWarning
}

// A key is a name that a mapping may have, and what reads its value.
type key struct {
	name string
	read func(v *yaml.Node)
	// refused says that read only reports why it cannot be used: it is a near miss
	// of others, but never suggested where none is near.
	refused bool
}

// mapping reads a mapping with known keys. It reports unknown ones with the near
// miss, and returns which were there.
func (p *parser) mapping(n *yaml.Node, what string, keys ...key) map[string]bool {
	seen := map[string]bool{}
	p.entries(n, what, func(name string, keyNode, v *yaml.Node) {
		for _, k := range keys {
			if k.name == name {
				seen[name] = true
				k.read(v)
				return
			}
		}
		p.report(keyNode, "unknown-key", fmt.Sprintf("%s has no key %q", what, clipped(name)), keyHint(name, keys))
	})
	return seen
}

// keyHint returns the key that is near the name, or those that can be used.
func keyHint(name string, keys []key) string {
	var all, usable []string
	for _, k := range keys {
		all = append(all, k.name)
		if !k.refused {
			usable = append(usable, k.name)
		}
	}
	if hint := action.DidYouMean(name, all); hint != "" {
		return hint
	}
	return "known: " + strings.Join(usable, ", ")
}

// entries calls visit for each entry of a mapping, in the order of the file;
// merged ones (`<<`) come after the mapping's own and yield to them.
func (p *parser) entries(n *yaml.Node, what string, visit func(name string, keyNode, v *yaml.Node)) {
	p.collect(n, what, map[string]*yaml.Node{}, visit, 0)
}

func (p *parser) collect(n *yaml.Node, what string, seen map[string]*yaml.Node, visit func(string, *yaml.Node, *yaml.Node), merges int) {
	if n = p.resolve(n); n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.report(n, "wrong-type", fmt.Sprintf("%s must be a mapping (name: value), got %s", what, p.kindOf(n)), "")
		return
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		keyNode, v := n.Content[i], n.Content[i+1]
		if keyNode.Tag == "!!merge" {
			merged = append(merged, v)
			continue
		}
		name, ok := p.keyName(keyNode)
		if !ok {
			continue
		}
		if first := seen[name]; first != nil {
			if merges == 0 {
				p.report(keyNode, "duplicate-key", fmt.Sprintf("%s has the key %q twice", what, clipped(name)), fmt.Sprintf("it stands in line %d already", first.Line))
			}
			continue
		}
		seen[name] = keyNode
		visit(name, keyNode, v)
	}
	for _, m := range merged {
		p.merge(m, what, seen, visit, merges+1)
	}
}

// maxMerges bounds how deep merged mappings merge others; a mapping that merges
// itself would never end.
const maxMerges = 10

func (p *parser) merge(m *yaml.Node, what string, seen map[string]*yaml.Node, visit func(string, *yaml.Node, *yaml.Node), merges int) {
	if merges > maxMerges {
		p.report(m, "merge-depth", "mappings are merged (<<) too deep", "")
		return
	}
	if m = p.resolve(m); m == nil {
		return
	}
	if m.Kind == yaml.SequenceNode {
		for _, one := range m.Content {
			p.collect(one, what, seen, visit, merges)
		}
		return
	}
	p.collect(m, what, seen, visit, merges)
}

func (p *parser) keyName(n *yaml.Node) (string, bool) {
	target := p.resolve(n)
	if target == nil {
		return "", false
	}
	if target.Kind == yaml.ScalarNode {
		quiet := parser{}
		if name, ok := quiet.scalar(target).(string); ok && len(quiet.diagnostics) == 0 {
			return name, true
		}
	}
	p.report(n, "non-text-key", fmt.Sprintf("a key must be text, got %s", p.kindOf(target)), "put it in quotes")
	return "", false
}

// items calls visit for each item of a list.
func (p *parser) items(n *yaml.Node, what string, visit func(v *yaml.Node)) {
	if n = p.resolve(n); n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.report(n, "wrong-type", fmt.Sprintf("%s must be a list, got %s", what, p.kindOf(n)), "")
		return
	}
	for _, item := range n.Content {
		visit(item)
	}
}

// text reads a scalar that must be text without expressions.
func (p *parser) text(n *yaml.Node, what string) string {
	s := p.rawText(n, what)
	if strings.Contains(s, "${{") {
		p.report(n, "expression-refused", fmt.Sprintf("%s cannot hold ${{ }}", what), "write the value itself")
		return ""
	}
	return s
}

// someText reads text that may not be empty. Where it returns "", that was
// reported.
func (p *parser) someText(n *yaml.Node, what string) string {
	before := len(p.diagnostics)
	s := p.text(n, what)
	if strings.TrimSpace(s) != "" {
		return s
	}
	if len(p.diagnostics) == before {
		p.report(n, "empty-text", what+" is empty", "")
	}
	return ""
}

// id reads a name that scripts write after a dot; what is no text leaves it as it
// was.
func (p *parser) id(n *yaml.Node, what string, name *string) {
	if s := p.someText(n, what); s != "" {
		p.identifier(n, s, what)
		*name = s
	}
}

func (p *parser) rawText(n *yaml.Node, what string) string {
	if n = p.resolve(n); n == nil {
		return ""
	}
	if n.Kind == yaml.ScalarNode {
		if s, ok := p.scalar(n).(string); ok {
			return s
		}
	}
	hint := ""
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		hint = "put it in quotes"
	}
	p.report(n, "wrong-type", fmt.Sprintf("%s must be text, got %s", what, p.kindOf(n)), hint)
	return ""
}

func (p *parser) boolean(n *yaml.Node, what string) bool {
	if n = p.resolve(n); n == nil {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		if b, ok := p.scalar(n).(bool); ok {
			return b
		}
	}
	hint := ""
	switch strings.ToLower(n.Value) {
	case "yes", "on", "y", "true":
		hint = "write true"
	case "no", "off", "n", "false":
		hint = "write false"
	}
	p.report(n, "wrong-type", fmt.Sprintf("%s must be true or false, got %s", what, p.kindOf(n)), hint)
	return false
}

func (p *parser) duration(n *yaml.Node, what string) time.Duration {
	if n = p.resolve(n); n == nil {
		return 0
	}
	if n.Kind == yaml.ScalarNode {
		if d, err := action.DurationOf(p.scalar(n)); err == nil && d > 0 {
			return d
		}
	}
	p.report(n, "wrong-type", fmt.Sprintf("%s must be a duration above zero, got %s", what, p.kindOf(n)), `write "30s", "10m", "1h30m" or a number of seconds`)
	return 0
}

func (p *parser) whole(n *yaml.Node, what string) int64 {
	if n = p.resolve(n); n == nil {
		return 0
	}
	if n.Kind == yaml.ScalarNode {
		if f, ok := p.scalar(n).(float64); ok && f >= 1 && f == float64(int64(f)) && f <= 1<<53 {
			return int64(f)
		}
	}
	p.report(n, "wrong-type", fmt.Sprintf("%s must be a whole number above zero, got %s", what, p.kindOf(n)), "")
	return 0
}

// units are those of sizes; a kilobyte has 1024 bytes, as everywhere in pdflow.
var units = []struct {
	name  string
	bytes float64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}}

// size reads a number of bytes.
func (p *parser) size(n *yaml.Node, what string, least, most int64) int64 {
	if n = p.resolve(n); n == nil {
		return 0
	}
	if n.Kind == yaml.ScalarNode {
		if bytes, ok := bytesOf(p.scalar(n)); ok && bytes >= float64(least) && bytes <= float64(most) {
			return int64(bytes)
		}
	}
	p.report(n, "wrong-type", fmt.Sprintf("%s must be a size from %s to %s, got %s", what, SizeText(least), SizeText(most), p.kindOf(n)), `write "64MB", "512KB" or a number of bytes`)
	return 0
}

func bytesOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		for _, unit := range units {
			if number, ok := strings.CutSuffix(strings.ToUpper(v), unit.name); ok {
				f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
				return f * unit.bytes, err == nil
			}
		}
	}
	return 0, false
}

// SizeText writes a number of bytes as files write it.
func SizeText(bytes int64) string {
	for _, unit := range units {
		if bytes >= int64(unit.bytes) && bytes%int64(unit.bytes) == 0 {
			return fmt.Sprintf("%d%s", bytes/int64(unit.bytes), unit.name)
		}
	}
	if bytes == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", bytes)
}

var (
	identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	luaKeywords       = map[string]bool{
		"and": true, "break": true, "do": true, "else": true, "elseif": true, "end": true, "false": true, "for": true,
		"function": true, "goto": true, "if": true, "in": true, "local": true, "nil": true, "not": true, "or": true,
		"repeat": true, "return": true, "then": true, "true": true, "until": true, "while": true,
	}
)

// identifier checks a name that scripts write after a dot.
func (p *parser) identifier(n *yaml.Node, name, what string) {
	switch {
	case luaKeywords[name]:
		p.report(n, "bad-name", fmt.Sprintf("%s cannot be %q, a word of Lua", what, name), "choose another name")
	case !identifierPattern.MatchString(name):
		fixed := regexp.MustCompile(`[^A-Za-z0-9_]+`).ReplaceAllString(name, "_")
		hint := "letters, digits and _, not beginning with a digit"
		if identifierPattern.MatchString(fixed) && !luaKeywords[fixed] {
			hint += fmt.Sprintf("; for example %q", fixed)
		}
		p.report(n, "bad-name", fmt.Sprintf("%s cannot be %q", what, clipped(name)), hint)
	}
}
