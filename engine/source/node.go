package source

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
	"gopkg.in/yaml.v3"
)

// A Node is a value of a document, at the place where it is written. It may be an
// alias of a value that is written elsewhere.
type Node struct {
	doc  *Document
	yaml *yaml.Node
}

// Document returns the document of the node.
func (n Node) Document() *Document { return n.doc }

// Position returns the place of the node.
func (n Node) Position() Position { return Position{n.yaml.Line, n.yaml.Column} }

// Report reports an error at the node.
func (n Node) Report(rule, message, hint string) { n.doc.Report(n.Position(), rule, message, hint) }

// Resolve returns the value that the node stands for: the target of an alias, else
// the node itself. Every call counts against the budget of the document. It
// returns false when the budget is spent, which is reported.
func (n Node) Resolve() (Node, bool) {
	if n.yaml.Kind == yaml.AliasNode {
		n.yaml = n.yaml.Alias
	}
	if n.doc.nodes++; n.doc.nodes > maxNodes {
		if n.doc.nodes == maxNodes+1 {
			n.Report("too-large", fmt.Sprintf("the file has more than %d values once its aliases are followed", maxNodes), "")
		}
		return n, false
	}
	if n.yaml.Style&yaml.TaggedStyle != 0 {
		switch {
		case !knownTags[n.yaml.Tag]:
			n.Report("unknown-tag", fmt.Sprintf("the tag %s has no meaning here", n.yaml.Tag), "leave it out")
		case !fitsTag(n.yaml):
			n.Report("wrong-tag", fmt.Sprintf("the tag %s does not fit %s", n.yaml.Tag, n.Describe()), "leave it out")
		}
	}
	return n, true
}

// IsScalar reports whether a resolved node is a scalar.
func (n Node) IsScalar() bool { return n.yaml.Kind == yaml.ScalarNode }

// IsList reports whether a resolved node is a list.
func (n Node) IsList() bool { return n.yaml.Kind == yaml.SequenceNode }

// IsMapping reports whether a resolved node is a mapping.
func (n Node) IsMapping() bool { return n.yaml.Kind == yaml.MappingNode }

// Len returns the number of items of a resolved list.
func (n Node) Len() int { return len(n.yaml.Content) }

// Describe names what a resolved node is, for messages: "a list", `the text "x"`.
func (n Node) Describe() string {
	switch n.yaml.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	v, _ := scalarOf(n.yaml)
	switch v := v.(type) {
	case nil:
		return "nothing (null)"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return "the number " + Clip(n.yaml.Value)
	}
	return fmt.Sprintf("the text %q", Clip(n.yaml.Value))
}

// Clip shortens a text of the file for a message.
func Clip(text string) string { return phrase.Clip(text, 60) }

// A Key is a name that a mapping may have, and the function that reads its value.
type Key struct {
	Name string
	Read func(Node)
	// Refused says that Read only reports why the key cannot be used. Such a key is
	// suggested for a name that is near it, and not listed otherwise.
	Refused bool
}

// NamesOf returns the names of keys, in their order.
func NamesOf(keys []Key) []string {
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = keys[i].Name
	}
	return names
}

// Mapping reads a mapping with known keys, and reports every other key with a
// suggestion. what names the mapping in messages, such as "a step".
func (n Node) Mapping(what string, keys ...Key) { n.OpenMapping(what, keys, nil) }

// OpenMapping is [Node.Mapping] for a mapping that may have other keys, which it
// hands to other.
func (n Node) OpenMapping(what string, keys []Key, other func(name string, key, value Node)) {
	e := entries{what: what, keys: keys, visit: other, seen: map[string]*yaml.Node{}}
	e.mapping(n, 0)
}

// UnknownKey reports a key that a mapping does not have, with the nearest of the
// keys that it may have.
func (d *Document) UnknownKey(at Position, what, name string, keys []Key) {
	var all, usable []string
	for i := range keys {
		all = append(all, keys[i].Name)
		if !keys[i].Refused {
			usable = append(usable, keys[i].Name)
		}
	}
	hint := cmp.Or(phrase.DidYouMean(name, all), "known: "+strings.Join(usable, ", "))
	d.Report(at, "unknown-key", fmt.Sprintf("%s has no key %q", what, Clip(name)), hint)
}

// Entries calls visit for each entry of a mapping, in the order of the file.
// Merged entries (`<<`) come after the entries of the mapping itself, which win.
func (n Node) Entries(what string, visit func(name string, key, value Node)) {
	n.OpenMapping(what, nil, visit)
}

// OnlyKeys reports whether the document is a mapping whose keys are known, or close to a known
// key. If it is not, it may be any file. Then the problems so far are replaced by one that
// quotes nothing of the file.
func (d *Document) OnlyKeys(known ...string) bool {
	root, ok := d.Root()
	if !ok {
		return true
	}
	at, message := Position{}, ""
	found := d.Apart(func() {
		root, ok = root.Resolve()
		switch {
		case !ok || root.yaml.Tag == "!!null":
		case !root.IsMapping():
			at, message = root.Position(), "the file must be a mapping (name: value)"
		default:
			root.Entries("the file", func(name string, key, _ Node) {
				if message == "" && phrase.Nearest(name, known) == "" {
					at, message = key.Position(), "the file cannot have this key"
				}
			})
		}
	})
	if i := slices.IndexFunc(found, func(p Problem) bool { return p.Rule == "non-text-key" }); i >= 0 {
		at, message = Position{found[i].Line, found[i].Column}, "a key must be text"
	}
	if message == "" {
		return true
	}
	hint := "it can have no keys"
	if len(known) > 0 {
		hint = "known: " + strings.Join(known, ", ")
	}
	d.Forget()
	d.report(at, "unknown-key", message, hint)
	return false
}

// maxMerges bounds how deep merged mappings merge others. A mapping that merges
// itself would never end.
const maxMerges = 10

// An entries walks a mapping and the mappings that it merges.
type entries struct {
	what  string
	keys  []Key
	visit func(name string, key, value Node) // of other keys; nil when there may be none
	seen  map[string]*yaml.Node              // the keys, by name
}

// entry hands an entry to the function that reads it.
func (e *entries) entry(name string, key, value Node) {
	at := slices.IndexFunc(e.keys, func(k Key) bool { return k.Name == name })
	switch {
	case at >= 0:
		e.keys[at].Read(value)
	case e.visit != nil:
		e.visit(name, key, value)
	default:
		key.doc.UnknownKey(key.Position(), e.what, name, e.keys)
	}
}

// mapping visits the entries of a mapping that is merged at a depth; 0 is the
// mapping itself.
func (e *entries) mapping(n Node, depth int) {
	n, ok := n.Resolve()
	if !ok {
		return
	}
	if !n.IsMapping() && depth > 0 { // it may be any text of a file that is no mapping of ours
		n.Report("wrong-type", fmt.Sprintf("what << adds to %s must be a mapping (name: value)", e.what), "")
		return
	}
	if !n.IsMapping() {
		n.Report("wrong-type", fmt.Sprintf("%s must be a mapping (name: value), got %s", e.what, n.Describe()), "")
		return
	}
	var merged []Node
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key, value := Node{n.doc, n.yaml.Content[i]}, Node{n.doc, n.yaml.Content[i+1]}
		if key.yaml.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		name, ok := key.name()
		if !ok {
			continue
		}
		if first := e.seen[name]; first != nil {
			if depth == 0 {
				key.Report("duplicate-key", fmt.Sprintf("%s has the key %q twice", e.what, Clip(name)), fmt.Sprintf("it is already in line %d", first.Line))
			}
			continue
		}
		e.seen[name] = key.yaml
		e.entry(name, key, value)
	}
	for _, m := range merged {
		e.merge(m, depth+1)
	}
}

// merge visits what stands behind a `<<`: a mapping, or a list of mappings.
func (e *entries) merge(n Node, depth int) {
	if depth > maxMerges {
		n.Report("merge-depth", "mappings are merged (<<) too deep", "")
		return
	}
	n, ok := n.Resolve()
	if !ok {
		return
	}
	if !n.IsList() {
		e.mapping(n, depth)
		return
	}
	for _, one := range n.yaml.Content {
		e.mapping(Node{n.doc, one}, depth)
	}
}

// name reads a node as the key of a mapping.
func (n Node) name() (string, bool) {
	target, ok := n.Resolve()
	if !ok {
		return "", false
	}
	if target.IsScalar() {
		v, fault := scalarOf(target.yaml)
		if name, ok := v.(string); ok && fault.rule == "" {
			return name, true
		}
	}
	n.Report("non-text-key", "a key must be text, got "+target.Describe(), "put it in quotes")
	return "", false
}

// Items calls visit for each item of a list.
func (n Node) Items(what string, visit func(Node)) {
	n, ok := n.Resolve()
	if !ok {
		return
	}
	if !n.IsList() {
		n.Report("wrong-type", fmt.Sprintf("%s must be a list, got %s", what, n.Describe()), "")
		return
	}
	for _, item := range n.yaml.Content {
		visit(Node{n.doc, item})
	}
}
